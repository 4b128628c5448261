import { test } from 'vitest'
import run from './modules.mjs'

test('the bridges record', run)
