/** `node --import micromegas/register app.js`: in each thread of the program. */
import { register } from '../main/register.ts'

register(() => require('../interop/opentelemetry.ts'))
