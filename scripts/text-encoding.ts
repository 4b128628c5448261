/** Put before the libraries that are bundled, by the build: jsdom's test environment has no such globals. */
export { TextDecoder, TextEncoder } from 'node:util'
