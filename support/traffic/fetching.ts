import type { X509Certificate } from 'node:crypto'
import { type ClientRequest, type IncomingMessage, type RequestOptions, request } from 'node:http'
import { request as tlsRequest } from 'node:https'
import { isIP, type LookupFunction } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { Fault } from '../fault.ts'
import { MAX_WAIT } from '../wire/patience.ts'
import { printable } from '../wire/printable.ts'

/** Why something could not be fetched. */
export type FetchFault =
  | 'wrong address'
  | 'name resolution'
  | 'refused'
  | 'filtered'
  | 'TLS'
  | 'circular'
  | 'no answer'
  | 'HTTP status'
  | 'redirects'
  | 'too large'
  | 'too slow'
  | 'cut off'

/** Something could not be fetched; the message says why, safe to print. */
export class NotFetched extends Fault<FetchFault> {}

export interface FetchOptions {
  /** Sent with POST; default: GET without a body. */
  question?: { type: string; body: Buffer }
  /** Of the body, in bytes. */
  most: number
  /** Roots for https, in PEM. Default: those of Node. */
  roots?: readonly string[]
  /** Whether the status of the certificate of a host of https is in what is fetched from it, so that it could never be known. */
  isCircular?: (host: X509Certificate) => boolean
  /** Finds the addresses of hosts; default: as this machine does. */
  lookup?: LookupFunction
  /** For one connection and for one answer, in ms; for the whole, three times as long. */
  wait?: number
}

/** Redirects that are followed one after another. */
const MAX_REDIRECTS = 5
/** What the network says when a host or a firewall refuses. */
const REFUSALS = [
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EACCES',
  'EPERM',
  'EHOSTDOWN',
  'EADDRNOTAVAIL',
]

/** The body of what is at a URL of http or https. Follows redirects. Throws NotFetched. */
export async function fetched(url: string, options: FetchOptions): Promise<Buffer> {
  const until = performance.now() + 3 * (options.wait ?? MAX_WAIT)
  let place = url
  for (let hops = 0; hops <= MAX_REDIRECTS; hops++) {
    const answer = await once(parsed(place), options, until)
    if ('body' in answer) return answer.body
    place = URL.parse(answer.location, place)?.href ?? answer.location
  }
  throw new NotFetched('redirects', `more than ${MAX_REDIRECTS} redirects, one after another`)
}

function parsed(place: string): URL {
  const url = URL.parse(place)
  if (!url || !['http:', 'https:'].includes(url.protocol) || !url.hostname)
    throw new NotFetched('wrong address', `${printable(place, 200)} is no address of http or https`)
  return url
}

const CIRCLE = "the status of the host's own certificate is in the list that it serves"

type Answer = { body: Buffer } | { location: string }

/** How far a request has come, and what it means that it goes no further. */
const STAGES = {
  name: ['name resolution', 'no answer from the name servers'],
  connection: ['filtered', 'no answer to the connection; a firewall may drop it'],
  handshake: ['TLS', 'no end of the TLS handshake'],
  answer: ['no answer', 'no answer to the request'],
  body: ['too slow', 'the answer does not come to an end'],
} as const satisfies Record<string, [FetchFault, string]>

function once(
  url: URL,
  { question, most, roots, lookup, isCircular, wait = MAX_WAIT }: FetchOptions,
  until: number,
): Promise<Answer> {
  const secure = url.protocol === 'https:'
  const options: RequestOptions & { ca?: string[] } = {
    hostname: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port || (secure ? 443 : 80),
    path: `${url.pathname}${url.search}`,
    agent: false,
    headers: {},
    ...(roots ? { ca: [...roots] } : {}),
    ...(lookup ? { lookup } : {}),
    ...(question
      ? {
          method: 'POST',
          headers: { 'content-type': question.type, 'content-length': question.body.length },
        }
      : {}),
  }
  return new Promise((resolve, reject) => {
    let stage: keyof typeof STAGES = isIP(options.hostname as string) ? 'connection' : 'name'
    let timer: NodeJS.Timeout | undefined
    const asked: ClientRequest = (secure ? tlsRequest : request)(options)
    const end = (result: Answer | NotFetched) => {
      clearTimeout(timer)
      asked.destroy()
      if (result instanceof NotFetched) reject(result)
      else resolve(result)
    }
    const reach = (next: typeof stage) => {
      stage = next
      clearTimeout(timer)
      const left = Math.max(0, Math.min(wait, until - performance.now()))
      const late = () => end(new NotFetched(STAGES[next][0], `${STAGES[next][1]} within ${inSeconds(left)}`))
      // What has come while this process was busy is read first.
      timer = setTimeout(() => setImmediate(() => stage === next && late()), left)
    }
    reach(stage)
    asked.on('socket', socket => {
      socket.on('lookup', () => reach('connection'))
      socket.on('connect', () => reach(secure ? 'handshake' : 'answer'))
      socket.on('secureConnect', () => {
        const host = (socket as TLSSocket).getPeerX509Certificate()
        if (host && isCircular?.(host)) end(new NotFetched('circular', CIRCLE))
        else reach('answer')
      })
    })
    asked.on('error', (error: NodeJS.ErrnoException) => end(faultOf(error, stage)))
    asked.on('response', response => {
      reach('body')
      take(response, most).then(end, (error: Error) =>
        end(
          error instanceof NotFetched
            ? error
            : new NotFetched('cut off', 'the connection ended within the answer'),
        ),
      )
    })
    asked.end(question?.body)
  })
}

const inSeconds = (ms: number): string => `${Math.round(ms / 100) / 10} s`

async function take(response: IncomingMessage, most: number): Promise<Answer> {
  const { statusCode = 0, statusMessage = '', headers } = response
  if ([301, 302, 303, 307, 308].includes(statusCode) && headers.location !== undefined)
    return { location: headers.location }
  if (statusCode !== 200)
    throw new NotFetched('HTTP status', `the status is ${statusCode} ${printable(statusMessage, 60)}`.trim())
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > most) throw new NotFetched('too large', `the answer has more than ${most} bytes`)
    chunks.push(chunk)
  }
  return { body: Buffer.concat(chunks) }
}

function faultOf({ code = '', message }: NodeJS.ErrnoException, stage: keyof typeof STAGES): NotFetched {
  const words = printable(message, 200)
  if (['ENOTFOUND', 'EAI_AGAIN', 'EAI_FAIL', 'EAI_NODATA', 'EAI_NONAME'].includes(code))
    return new NotFetched('name resolution', `the name of the host is not found (${code})`)
  if (REFUSALS.includes(code)) return new NotFetched('refused', `the connection is refused (${code})`)
  if (code === 'ETIMEDOUT') return new NotFetched('filtered', STAGES.connection[1])
  if (stage === 'handshake') return new NotFetched('TLS', `the TLS handshake failed: ${words}`)
  if (code.startsWith('HPE_')) return new NotFetched('no answer', 'the answer is not HTTP')
  return new NotFetched(stage === 'body' ? 'cut off' : 'no answer', `the connection ended: ${words}`)
}
