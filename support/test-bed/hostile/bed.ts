import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import type { TlsOptions } from 'node:tls'
import { pathToFileURL } from 'node:url'
import type { VerdictsDocument } from '../../report/run-record.ts'
import type { VerdictName } from '../../verdicts/verdict.ts'
import { deliver, receive, type Taken } from './gateway.ts'
import { Gone, Peer } from './peer.ts'

const COMMAND = join(import.meta.dirname, '../../cli/mail-tls.js')
const USAGE = pathToFileURL(join(import.meta.dirname, 'usage.mjs')).href
/** Far more than any run takes, in ms: what is still there then hangs. */
const KILL = 180_000
/** In ms, in place of ten seconds. */
export const PATIENCE = 1_500

/** What a gateway does; whatever is left out it does well. */
export interface Misdeed {
  /** Served on its inbound address, once for each connection. */
  inbound?: (peer: Peer, gateway: Surroundings) => Promise<void>
  /** Served where it takes messages to send on. */
  submission?: (peer: Peer, gateway: Surroundings) => Promise<void>
  /** Does with a message what it likes, in place of a delivery to the suite's port. */
  delivery?: (port: number, taken: Taken, gateway: Surroundings) => Promise<void>
}

export interface Surroundings {
  tls: TlsOptions & { key: string; cert: string }
  /** A message to send on was taken. */
  takes: (taken: Taken) => void
  /** False once the command has ended. */
  running: () => boolean
}

export interface Outcome {
  status: number | null
  killed: boolean
  ms: number
  /** KiB. */
  peak: number
  out: string
  err: string
  verdicts: VerdictsDocument['verdicts']
  /** Files of the report, by their path in it. */
  files: Map<string, string>
}

/** Runs the real command against one gateway; `folder` is made and has to have `../pki`. */
export async function judged(
  folder: string,
  misdeed: Misdeed,
  requirements: readonly string[],
  tls: Surroundings['tls'],
): Promise<Outcome> {
  mkdirSync(folder)
  let running = true
  const surroundings: Surroundings = { tls, takes, running: () => running }
  const open = new Set<Socket>()
  const inbound = await serve(open, peer =>
    misdeed.inbound ? misdeed.inbound(peer, surroundings) : receive(peer, { tls }),
  )
  const submission = await serve(open, peer =>
    misdeed.submission
      ? misdeed.submission(peer, surroundings)
      : receive(peer, { tls, onMessage: takes, requires: /^$/ }),
  )
  const partner = await freePort()
  function takes(taken: Taken): void {
    const done = misdeed.delivery ? misdeed.delivery(partner, taken, surroundings) : deliver(partner, taken)
    done.catch(forGone)
  }
  const sides = [
    'name: hostile\n',
    misdeed.delivery || misdeed.submission ? '' : inboundSide(portOf(inbound)),
    misdeed.inbound ? '' : outboundSide(portOf(submission), partner),
    'pki: ../pki\n',
  ]
  writeFileSync(join(folder, 'gateway.yaml'), sides.join(''))
  const began = performance.now()
  const child = spawn(
    process.execPath,
    [
      COMMAND,
      'check',
      'gateway.yaml',
      ...requirements.flatMap(id => ['--requirement', id]),
      ...['--report', 'report'],
    ],
    {
      cwd: folder,
      env: {
        ...process.env,
        MAIL_TLS_PATIENCE: `${PATIENCE}`,
        HOSTILE_USAGE: join(folder, 'usage'),
        NODE_OPTIONS: `--import=${USAGE}`,
      },
    },
  )
  let out = ''
  let err = ''
  child.stdout.on('data', chunk => {
    out += chunk.toString('latin1')
  })
  child.stderr.on('data', chunk => {
    err += chunk.toString('latin1')
  })
  let killed = false
  const timer = setTimeout(() => {
    killed = true
    child.kill('SIGKILL')
  }, KILL)
  const [status] = (await once(child, 'close')) as [number | null]
  clearTimeout(timer)
  running = false
  const ms = performance.now() - began
  for (const server of [inbound, submission]) server.close()
  for (const socket of open) socket.destroy()
  const files = contents(join(folder, 'report'))
  const document = files.get('verdicts.json')
  return {
    ...{ status, killed, ms, out, err, files },
    peak: existsSync(join(folder, 'usage'))
      ? Number(readFileSync(join(folder, 'usage'), 'utf8'))
      : Number.NaN,
    verdicts: document ? (JSON.parse(document) as VerdictsDocument).verdicts : [],
  }
}

function forGone(error: unknown): void {
  if (!(error instanceof Gone)) throw error
}

async function serve(open: Set<Socket>, script: (peer: Peer) => Promise<void>): Promise<Server> {
  const server = createServer({ allowHalfOpen: true, noDelay: true }, socket => {
    open.add(socket)
    socket.on('close', () => open.delete(socket))
    script(new Peer(socket)).catch(error => {
      socket.destroy()
      forGone(error)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return server
}

const portOf = (server: Server): number => (server.address() as { port: number }).port

let lastPort = 20_000 + (process.pid % 500) * 20

/** Below the ports from which the system takes those of clients, so that nobody is given it meanwhile. */
async function freePort(): Promise<number> {
  for (;;) {
    const server = createServer()
    const port = ++lastPort
    const free = await new Promise<boolean>(resolve => {
      server.once('error', () => resolve(false))
      server.listen(port, '127.0.0.1', () => resolve(true))
    })
    if (!free) continue
    server.close()
    await once(server, 'close')
    return port
  }
}

const inboundSide = (port: number): string => `inbound:
  address: 127.0.0.1:${port}
  hostname: mx.gateway.test
  recipient: inbox@gateway.test
  connectors:
    - { from: "*.required.test", tls: required }
`

const outboundSide = (submission: number, partner: number): string => `outbound:
  submit: 127.0.0.1:${submission}
  sender: probe@gateway.test
  partner: 127.0.0.1:${partner}
  connectors:
    - { to: "*.opportunistic.test", tls: opportunistic }
    - { to: "*.encrypted.test", tls: encryption-only }
  settle: 300ms
`

function contents(folder: string): Map<string, string> {
  const files = new Map<string, string>()
  if (!existsSync(folder)) return files
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true }))
    if (entry.isFile()) {
      const path = join(entry.parentPath, entry.name)
      files.set(path.slice(folder.length + 1), readFileSync(path, 'latin1'))
    }
  return files
}

export const verdictsOf = ({ verdicts }: Outcome): Record<string, VerdictName[]> =>
  Object.fromEntries(
    [...Map.groupBy(verdicts, ({ requirement }) => requirement)].map(([id, list]) => [
      id,
      list.map(({ verdict }) => verdict),
    ]),
  )
