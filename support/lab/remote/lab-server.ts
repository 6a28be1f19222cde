/**
 * The lab inside a container: plays partners, as the process that runs the suite asks for over HTTP. It is started by
 * `support/lab/images/lab/start` and runs nowhere else. Its imports are copied into the image: it imports no package.
 *
 * Every request needs `Authorization: Bearer LAB_TOKEN`.
 *
 * | request | does |
 * |---|---|
 * | `PUT /partners/ID` (PartnerSpec) | makes a partner, or changes how its hosts behave from the next connection on |
 * | `PUT /marks/ID` | reports everything that has happened so far, and then a line with the mark |
 * | `PUT /web` (WebAnswer[]) | serves these answers on port 80 |
 * | `GET /web` | the requests that came there, as SeenRequest[] |
 * | `POST /dns` (RFC 8484) | passes a DNS message on to LAB_NAMES, which accepts updates from the lab alone |
 * | `GET /events` | reports what happens, as one FeedLine a line, until the reader leaves; one reader at a time |
 *
 * Ends by itself when nobody reads its reports: then the process that started it was killed.
 */
import { createHash, timingSafeEqual } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { connect } from 'node:net'
import { Partner } from '../partner/partner.ts'
import { PartnerServer } from '../partner/partner-server.ts'
import { HttpHost } from '../services/http-host.ts'
import { type FeedLine, PartnerNews, type PartnerSpec, type WebAnswer } from './feed.ts'

const CONTROL_PORT = 8080
const SMTP_PORT = 25
const WEB_PORT = 80
/** Of a request, in bytes. A partner with many hosts and long chains needs far less. */
const MAX_BODY = 4 * 1024 * 1024
/** Of reports that wait for a slow reader, in bytes: four of the largest messages. */
const MAX_WAITING = 256 * 1024 * 1024
/** Between two reports that the lab is alive, in ms. */
const HEARTBEAT = 2_000
/** How long the lab waits for a reader, at first and after one has left, in ms. */
const ALONE_AT_FIRST = 60_000
const ALONE_LATER = 10_000
/** Longest wait for an answer of the name server, in ms. */
const DNS_ANSWER = 8_000

const token = digest(`Bearer ${required('LAB_TOKEN')}`)
const names = required('LAB_NAMES').split(':') as [string, string]

interface Played {
  partner: Partner
  teller: PartnerNews
}

const partners = new Map<string, Played>()
const server = new PartnerServer()
/** Partners at which something happened that was not reported so far. */
const changed = new Set<Played>()
let strays = 0
let reader: ServerResponse | undefined
let backlog: string[] = []
let alone = setTimeout(end, ALONE_AT_FIRST, 'no reader came')

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}

function required(name: string): string {
  const value = process.env[name]
  if (!value) throw new Error(`${name} is not set`)
  return value
}

function end(why: string): never {
  console.error(`the lab ends: ${why}`)
  process.exit(1)
}

function tell(lines: readonly FeedLine[]): void {
  const text = lines.map(line => `${JSON.stringify(line)}\n`).join('')
  if (!text) return
  if (!reader) backlog.push(text)
  else {
    reader.write(text)
    if (reader.writableLength > MAX_WAITING) end('the reader is too slow')
  }
}

/** Reports all that happens in one turn of the event loop together. */
function soon(played: Played): void {
  if (changed.size === 0) setImmediate(tellNews)
  changed.add(played)
}

function tellNews(): void {
  const lines = [...changed].flatMap(({ teller }) => teller.news())
  changed.clear()
  if (server.strays !== strays) lines.push({ strays: server.strays })
  strays = server.strays
  tell(lines)
}

function play(id: string, spec: PartnerSpec): void {
  let played = partners.get(id)
  if (!played) {
    const partner = new Partner(spec.domain, [], spec.alsoFor)
    played = { partner, teller: new PartnerNews(id, partner) }
    partners.set(id, played)
    const made = played
    partner.watch(() => soon(made))
  }
  for (const host of played.partner.behave(spec.hosts)) server.add(host)
}

/** RFC 1035 s4.2.2: over TCP, a message has its length in front. */
function ask(message: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: names[0], port: Number(names[1]) })
    const length = Buffer.alloc(2)
    length.writeUInt16BE(message.length)
    socket.write(Buffer.concat([length, message]))
    let got: Buffer = Buffer.alloc(0)
    socket.on('data', chunk => {
      got = Buffer.concat([got, chunk])
      if (got.length < 2 || got.length < 2 + got.readUInt16BE()) return
      resolve(got.subarray(2, 2 + got.readUInt16BE()))
      socket.destroy()
    })
    const late = new Error(`no answer of the name server within ${DNS_ANSWER / 1000} s`)
    socket.setTimeout(DNS_ANSWER, () => socket.destroy(late))
    socket.on('error', reject)
    socket.on('close', () => reject(new Error('the name server closed the connection')))
  })
}

function attach(response: ServerResponse): void {
  clearTimeout(alone)
  reader = response
  response.writeHead(200, { 'content-type': 'application/x-ndjson' })
  tell([{ alive: true }])
  for (const text of backlog) response.write(text)
  backlog = []
  const beat = setInterval(() => {
    tellNews()
    tell([{ alive: true }])
  }, HEARTBEAT)
  response.on('close', () => {
    clearInterval(beat)
    reader = undefined
    alone = setTimeout(end, ALONE_LATER, 'the reader has left')
  })
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > MAX_BODY) throw new Error(`a body of more than ${MAX_BODY} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const done = (status: number, body: string | Buffer = '') => void response.writeHead(status).end(body)
  if (!timingSafeEqual(digest(request.headers.authorization ?? ''), token)) return done(401)
  const [, what, id = ''] = request.url?.split('/') ?? []
  switch (`${request.method} ${what}`) {
    case 'GET events':
      return reader ? done(409, 'somebody reads already') : attach(response)
    case 'PUT partners':
      play(id, JSON.parse((await bodyOf(request)).toString()) as PartnerSpec)
      return done(204)
    case 'PUT marks':
      tellNews()
      tell([{ mark: id }])
      return done(204)
    case 'PUT web':
      for (const { path, body, ...answer } of JSON.parse((await bodyOf(request)).toString()) as WebAnswer[])
        web.serve(path, { ...answer, body: Buffer.from(body, 'base64') })
      return done(204)
    case 'GET web':
      return done(200, JSON.stringify(web.requests))
    case 'POST dns':
      return done(200, await ask(await bodyOf(request)))
    default:
      return done(404)
  }
}

const web = new HttpHost()
const control = createServer({ keepAliveTimeout: 60_000, requestTimeout: 20_000 }, (request, response) => {
  answer(request, response).catch((error: Error) => {
    if (response.headersSent) response.destroy()
    else response.writeHead(500).end(error.message)
  })
})

await Promise.all([server.listen({ host: '0.0.0.0', port: SMTP_PORT }), web.listen('0.0.0.0', WEB_PORT)])
control.listen(CONTROL_PORT, '0.0.0.0', () => console.log('the lab is listening'))
process.once('SIGTERM', () => process.exit(0))
