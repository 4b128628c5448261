/** One other library and our own recording on the same work, in one process: `peer.mjs rounds warm-up-rounds peer`. */
import { clockTasks } from '../clock-tasks.mjs'
import { readPlan } from '../measure.mjs'
import { measureRecording } from '../recorder.mjs'
import { logTasks, spanTasks } from '../recording-tasks.mjs'

const { loadPeer } = await import(`../peers/${process.argv[4]}.mjs`)
const peer = await loadPeer()
const ours = [...logTasks, ...spanTasks].filter(({ id }) => peer.comparesWith.includes(id))
const result = await measureRecording([...clockTasks, ...ours, ...peer.tasks], readPlan())
await peer.prove()
process.send(result)
