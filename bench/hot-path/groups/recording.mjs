/** Our own figures: every kind of event in one process, as a service that uses all of them has it. */
import { clockTasks } from '../clock-tasks.mjs'
import { readPlan } from '../measure.mjs'
import { measureRecording } from '../recorder.mjs'
import { asyncSpanTasks, logTasks, metricTasks, spanTasks } from '../recording-tasks.mjs'

const tasks = [...clockTasks, ...metricTasks, ...logTasks, ...spanTasks, ...asyncSpanTasks]
process.send(await measureRecording(tasks, readPlan()))
