/** `node --require micromegas/register app.cjs` */
import { register } from '../main/register.ts'
import { builtin } from '../model/runtime/builtins.ts'

// Node runs what is required so in its own threads too, such as that of module hooks.
if (builtin('node:worker_threads').isMainThread) register(() => require('../interop/opentelemetry.ts'))
