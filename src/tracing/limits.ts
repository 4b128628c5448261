/**
 * Limits on what is recorded, for users: docs/recording.md lists them, and a test holds the two together. Characters are UTF-16 code
 * units.
 */

/** Characters of a log's message; a longer one is cut and says how much is missing. */
export const MAX_MESSAGE_CHARS = 262_144
/** Characters of a name: of a metric, a span, a target; a longer one is cut. */
export const MAX_NAME_CHARS = 255
/** Properties of one event or span; further ones are left out. */
export const MAX_PROPERTIES = 128
/** Characters of a property's name or value; longer ones are cut. */
export const MAX_PROPERTY_CHARS = 8192
/** Characters of an event's names and values together; the properties beyond are left out. */
export const MAX_SET_CHARS = 65_536
/** Characters of an error's message among a span's properties; a longer one is cut. */
export const MAX_ERROR_CHARS = 1024
/** Bytes of one image. Servers take requests of 100 MiB; a block of one such image stays well below. */
export const MAX_IMAGE_BYTES: number = 64 * 1024 * 1024

// What is remembered by its text or name; past it events are recorded at a higher cost, which is told once.

/** Call sites known by their template; bounded because code can be generated. */
export const MAX_TEMPLATES = 16_384
/** Plain texts known as static messages. */
export const MAX_TEXTS = 4096
/** Targets of loggers. */
export const MAX_TARGETS = 4096
/** Distinct metrics. */
export const MAX_METRICS = 8192
/** Names of spans; and names and targets that spans have got late. */
export const MAX_SPAN_NAMES = 4096
/** Distinct property sets. */
export const MAX_PROPERTY_SETS = 4096
