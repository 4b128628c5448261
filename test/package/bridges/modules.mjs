import * as micromegas from 'micromegas'
import * as pinoBridge from 'micromegas/interop/pino'
import * as winstonBridge from 'micromegas/interop/winston'
import { pino } from 'pino'
import winston from 'winston'
import record from './record.cjs'

export default () => record({ micromegas, pinoBridge, winstonBridge, pino, winston })
