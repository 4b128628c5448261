#!/usr/bin/env node
import { run } from './run.ts'

await run(['log', ...process.argv.slice(2)])
