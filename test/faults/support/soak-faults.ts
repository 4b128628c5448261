import type { FaultProxy } from './fault-proxy.ts'
import {
  answers,
  answersAfter,
  cutsTheAnswer,
  neverAnswers,
  resetsInTheBody,
  sometimes,
  tricklesItsAnswer,
} from './faults.ts'
import type { ServerProcess } from './server.ts'

export interface World {
  readonly proxy: FaultProxy
  readonly server: ServerProcess
}

export interface SoakFault {
  /** What the server does, in words. */
  readonly name: string
  readonly begin: (world: World) => void | Promise<void>
  /** Undoes what a new behaviour of the proxy does not. */
  readonly end?: (world: World) => void | Promise<void>
}

const behaves = (name: string, behaviour: FaultProxy['behaviour']): SoakFault => ({
  name,
  begin: ({ proxy }) => {
    proxy.behaviour = behaviour
  },
})

/** In the order in which they take their turns. */
export const SOAK_FAULTS: readonly SoakFault[] = [
  { name: 'is killed', begin: ({ server }) => server.kill(), end: ({ server }) => server.restart() },
  behaves('answers 503', answers(503)),
  behaves('resets connections in the middle of a body', resetsInTheBody),
  { name: 'refuses connections', begin: ({ proxy }) => proxy.refuse(), end: ({ proxy }) => proxy.accept() },
  behaves('accepts and never answers', neverAnswers),
  behaves('fails every other request with 500', sometimes(0.5, answers(500))),
  behaves('answers slowly', answersAfter(500)),
  { name: 'goes silent, half open', begin: ({ proxy }) => proxy.freeze(), end: ({ proxy }) => proxy.thaw() },
  behaves(
    'asks for two seconds of peace',
    answers(429, () => ({ 'retry-after': '2' })),
  ),
  behaves('cuts its answers', cutsTheAnswer),
  behaves('trickles its answers', tricklesItsAnswer(20)),
  behaves('answers after the attempt was given up', answersAfter(3_000)),
]
