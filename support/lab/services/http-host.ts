import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createTlsServer, Server as TlsServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import type { SeenRequest } from '../../evidence/web.ts'

/** What a web host answers to requests for one path, as plain data. Imports nothing, so that any lab can serve it. */
export interface HttpAnswer {
  /** Default: 200. */
  status?: number
  type?: string
  body?: Uint8Array
  /** Where it says that the answer is: the header Location, with a status such as 302. */
  location?: string
  /**
   * What is wrong with the way the answer comes: one byte in each `DRIP` ms; half of the body, then the end of the
   * connection; without an end; no answer at all.
   */
  fault?: 'drips' | 'cut' | 'endless' | 'silent'
}

/** RFC 6960 s A.2, RFC 2585 s4: an OCSP answer, a revocation list and a certificate. */
export const OCSP_TYPE = 'application/ocsp-response'
export const LIST_TYPE = 'application/pkix-crl'
export const CERTIFICATE_TYPE = 'application/pkix-cert'

/** The answer of a proxy in place of the host, with the status 200, which is worse than an error. */
export const PROXY_PAGE: HttpAnswer = {
  type: 'text/html',
  body: Buffer.from('<html>This page is blocked</html>'),
}
/** Between two bytes of an answer that drips, in ms. */
const DRIP = 100
/** What an endless answer consists of. */
const CHUNK = Buffer.alloc(64 * 1024, 0x30)
/** Requests that are kept at most, so that no gateway fills the memory. */
const MAX_REQUESTS = 10_000
/** Longest body of a request that is read, in bytes: an OCSP request has a hundred. */
const MAX_BODY = 64 * 1024

/** In PEM. */
export interface WebIdentity {
  key: string
  certificate: string
}

const contextOf = ({ key, certificate }: WebIdentity) => ({ key, cert: certificate })

/** A small web host. Paths are those of all its names together. */
export class HttpHost {
  readonly #answers = new Map<string, HttpAnswer>()
  readonly #sockets = new Set<Socket>()
  readonly #server
  readonly requests: SeenRequest[] = []
  port = 0

  /** With an identity it speaks https; `later`: one that `identify` gives it. */
  constructor(identity?: WebIdentity | 'later') {
    const listener = (request: IncomingMessage, response: ServerResponse) =>
      void this.#answer(request, response).catch(() => response.destroy())
    this.#server = identity
      ? createTlsServer(identity === 'later' ? {} : contextOf(identity), listener)
      : createServer(listener)
    this.#server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket)
      socket.on('error', () => {})
      socket.once('close', () => this.#sockets.delete(socket))
    })
    this.#server.on('tlsClientError', () => {})
  }

  identify(identity: WebIdentity): void {
    if (this.#server instanceof TlsServer) this.#server.setSecureContext(contextOf(identity))
  }

  async listen(host: string, port = 0): Promise<void> {
    this.#server.listen(port, host)
    await once(this.#server, 'listening')
    this.port = (this.#server.address() as AddressInfo).port
  }

  /** From now on, requests for a path get this answer: those of all methods. */
  serve(path: string, answer: HttpAnswer): void {
    this.#answers.set(path, answer)
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    this.#server.close()
    await once(this.#server, 'close')
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url ?? '/'
    const host = (request.headers.host ?? '').replace(/:\d*$/, '')
    if (this.requests.length < MAX_REQUESTS)
      this.requests.push({
        at: Date.now(),
        method: request.method ?? '',
        host: word(host),
        path: word(path),
      })
    let size = 0
    for await (const chunk of request as AsyncIterable<Buffer>) {
      size += chunk.length
      if (size > MAX_BODY) return void response.destroy()
    }
    const answer = this.#answers.get(path) ?? this.#ofResponder(path)
    if (!answer) return void response.writeHead(404, { 'content-type': 'text/html' }).end('<html>none</html>')
    await give(answer, response)
  }

  /** An OCSP question may stand in the path, behind the responder's own: RFC 6960 s A.1. */
  #ofResponder(path: string): HttpAnswer | undefined {
    const own = [...this.#answers]
      .filter(([own, { type }]) => type === OCSP_TYPE && path.startsWith(`${own.replace(/\/$/, '')}/`))
      .sort(([one], [other]) => other.length - one.length)
    return own[0]?.[1]
  }
}

const word = (text: string): string => text.slice(0, 300).replace(/[^\x21-\x7e]/g, '?')

async function give(answer: HttpAnswer, response: ServerResponse): Promise<void> {
  const { status = 200, type = 'application/octet-stream', body = Buffer.alloc(0), location, fault } = answer
  const gone = new Promise<'gone'>(resolve => response.once('close', () => resolve('gone')))
  if (fault === 'silent') return void (await gone)
  const length = fault === 'endless' ? {} : { 'content-length': body.length }
  response.writeHead(status, { 'content-type': type, ...length, ...(location ? { location } : {}) })
  if (fault === 'endless')
    for (;;) {
      const free = response.write(CHUNK) || (await Promise.race([once(response, 'drain'), gone]))
      if (free === 'gone' || response.destroyed) return
    }
  if (fault === 'cut') {
    response.write(body.subarray(0, body.length / 2), () => response.destroy())
    return
  }
  if (fault === 'drips')
    for (const byte of body) {
      response.write(Buffer.from([byte]))
      const pause = new Promise(resolve => setTimeout(resolve, DRIP))
      if ((await Promise.race([pause, gone])) === 'gone') return
    }
  response.end(fault ? undefined : body)
}
