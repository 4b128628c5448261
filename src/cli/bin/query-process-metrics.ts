#!/usr/bin/env node
import { run } from './run.ts'

await run(['metrics', ...process.argv.slice(2)])
