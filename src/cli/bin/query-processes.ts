#!/usr/bin/env node
import { run } from './run.ts'

await run(['processes', ...process.argv.slice(2)])
