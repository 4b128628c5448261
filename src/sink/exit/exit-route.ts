import { hostOf } from '../../http/host.ts'
import { isPermitted } from '../../model/runtime/permission.ts'
import type { BlockingDelivery } from './exit-delivery.ts'
import { SocketDelivery } from './socket-delivery.ts'
import { ThreadDelivery, type ThreadDeliveryOptions } from './thread-delivery.ts'

export type ExitRouteOptions = Pick<ThreadDeliveryOptions, 'service' | 'proxy' | 'clock'>

/** How requests are sent at the end of a process: by another thread, or where none may be started, by this one. */
export class ExitRoute {
  readonly #options: ExitRouteOptions
  /** Of whom connections are made to, once it is known; only looked for where it is needed. */
  #address: string | undefined

  constructor(options: ExitRouteOptions) {
    this.#options = options
    if (isPermitted('worker')) return
    if (!this.#isPlain || !isPermitted('net')) return
    const { isIP } = process.getBuiltinModule('node:net')
    const host = hostOf(options.proxy?.url ?? options.service)
    if (isIP(host) !== 0) {
      this.#address = host
      return
    }
    if (host === 'localhost') this.#address = '127.0.0.1'
    process.getBuiltinModule('node:dns').lookup(host, (error, address) => {
      if (error === null) this.#address = address
    })
  }

  /** What cannot be done at the end of a process, for the operator; undefined when all can. */
  get limitation(): string | undefined {
    if (isPermitted('worker')) return undefined
    const flag = "Node's permission model allows no worker threads (--allow-worker)"
    return this.#isPlain
      ? `${flag}: at process.exit() blocks are sent one after the other`
      : `${flag}: over https, what is not sent when process.exit() is called is lost, unless a spool directory is set`
  }

  /** @throws What starting a thread throws, where there is no other way. */
  open(options: Omit<ThreadDeliveryOptions, keyof ExitRouteOptions>): BlockingDelivery {
    try {
      return new ThreadDelivery({ ...this.#options, ...options })
    } catch (error) {
      if (this.#address === undefined) throw error
      return new SocketDelivery({ ...this.#options, address: this.#address, timeoutMs: options.timeoutMs })
    }
  }

  /** Whether nothing on the way is encrypted. */
  get #isPlain(): boolean {
    const { service, proxy } = this.#options
    return service.protocol === 'http:' && proxy?.url.protocol !== 'https:'
  }
}
