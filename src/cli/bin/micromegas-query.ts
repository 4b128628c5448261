#!/usr/bin/env node
import { run } from './run.ts'

await run(['query', ...process.argv.slice(2)])
