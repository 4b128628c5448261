import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Behaviour, type Exchange, pass } from './fault-proxy.ts'

/** Takes the request, and that is the last that is heard of it. */
export const neverAnswers: Behaviour = async (exchange) => {
  await exchange.body()
}

export function answers(status: number, headers?: () => Readonly<Record<string, string>>): Behaviour {
  return (exchange) => exchange.answer(status, headers?.())
}

/** The server does its part at once; its answer comes late. */
export function answersAfter(ms: number): Behaviour {
  return async (exchange) => {
    const { status, body } = await exchange.forward()
    await sleep(ms)
    exchange.response.writeHead(status).end(body)
  }
}

/** Resets the connection when a part of the body has come, or at the first byte where the body is short. */
export const resetsInTheBody: Behaviour = async (exchange) => {
  await once(exchange.request, 'data')
  exchange.reset()
}

/** Stores the request and answers 200 with a body that ends before its length is reached. */
export const cutsTheAnswer: Behaviour = async (exchange) => {
  const { status } = await exchange.forward()
  exchange.response.writeHead(status, { 'content-length': '1000' })
  exchange.response.write('{"cut":')
  await sleep(5)
  exchange.request.socket.destroy()
}

/** Answers a byte every so often: the status line alone takes longer than an attempt may. */
export function tricklesItsAnswer(msPerByte: number): Behaviour {
  return async ({ request, response }: Exchange) => {
    const { socket } = request
    request.resume()
    for (const byte of `HTTP/1.1 200 OK\r\nserver: ${'slow '.repeat(1_000)}\r\n\r\n`) {
      if (socket.destroyed || response.destroyed) return
      socket.write(byte)
      await sleep(msPerByte)
    }
  }
}

/** Does one thing or the other, by chance. */
export function sometimes(probability: number, fault: Behaviour, otherwise: Behaviour = pass): Behaviour {
  return (exchange) => (Math.random() < probability ? fault : otherwise)(exchange)
}
