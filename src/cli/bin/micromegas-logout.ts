#!/usr/bin/env node
import { run } from './run.ts'

await run(['logout', ...process.argv.slice(2)])
