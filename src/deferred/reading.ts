/** As `start.ts`: what reads recorded blocks, for tests of the host. */
export {
  asyncSpansOf,
  imagesOf,
  logsOf,
  measuresOf,
  threadSpansOf,
} from '../telemetry/recorded-blocks.ts'
