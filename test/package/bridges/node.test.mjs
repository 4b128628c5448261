import { test } from 'node:test'
import run from './modules.mjs'

test('the bridges record', run)
