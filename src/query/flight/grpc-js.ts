/**
 * What is used of gRPC: the low-level channel and calls, which hand over one message at a time. In the package this is a
 * file of its own that only the query entry loads.
 */
export {
  Channel,
  type ChannelCredentials,
  type ChannelOptions,
  connectivityState,
  credentials,
  Metadata,
  type StatusObject,
  setLogger,
  status,
} from '@grpc/grpc-js'
