/**
 * Put before the libraries that are bundled, by the build: jsdom's test environment has no such globals. Not imported:
 * to import node:util takes milliseconds.
 */
export const { TextDecoder, TextEncoder } = process.getBuiltinModule('node:util')
