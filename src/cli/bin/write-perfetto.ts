#!/usr/bin/env node
import { run } from './run.ts'

await run(['trace', ...process.argv.slice(2)])
