// Every entry, by whatever way types are looked for.
import { initTelemetry } from 'micromegas'
import * as http from 'micromegas/http'
import * as opentelemetry from 'micromegas/interop/opentelemetry'
import * as pino from 'micromegas/interop/pino'
import * as winston from 'micromegas/interop/winston'
import { FlightSQLClient } from 'micromegas/query'
import * as wire from 'micromegas/wire'

export const entries: readonly unknown[] = [
  initTelemetry,
  http,
  opentelemetry,
  pino,
  winston,
  FlightSQLClient,
  wire,
]
