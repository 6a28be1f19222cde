import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import type { TlsOptions } from 'node:tls'
import { pathToFileURL } from 'node:url'
import { freePort } from '../../free-port.ts'
import type { VerdictsDocument } from '../../report/run-record.ts'
import { type Ended, startCommand } from '../fixtures/command.ts'
import { type AcceptedMessage, deliver, receive } from './gateway.ts'
import { ConnectionEnded, ScriptedConnection } from './scripted-connection.ts'

const USAGE = pathToFileURL(join(import.meta.dirname, 'usage.mjs')).href
/** In ms, much longer than any run takes. A command that still runs after this time hangs, and the bed kills it. */
const KILL_AFTER = 180_000
/** How a gateway misbehaves. In everything that is left out the gateway behaves well. */
export interface Misbehaviour {
  /** What the gateway does with each connection to its inbound address. */
  inbound?: (connection: ScriptedConnection, gateway: GatewayContext) => Promise<void>
  /** What the gateway does with each connection to its submission address. */
  submission?: (connection: ScriptedConnection, gateway: GatewayContext) => Promise<void>
  /** What the gateway does with a submitted message, instead of delivering it to the suite's port. */
  delivery?: (port: number, message: AcceptedMessage, gateway: GatewayContext) => Promise<void>
}

/** What a misbehaving gateway can use. */
export interface GatewayContext {
  tls: TlsOptions & { key: string; cert: string }
  /** Delivers a submitted message. */
  send: (message: AcceptedMessage) => void
  /** How long the command waits for one answer, in ms. */
  patience: number
  /** False when the command has ended. */
  running: () => boolean
}

export type JudgedExample = VerdictsDocument['verdicts'][number]

/** What the command did. */
export interface CommandResult extends Ended {
  killed: boolean
  ms: number
  /** The greatest resident memory, in KiB. */
  peak: number
  verdicts: JudgedExample[]
  /** The content of each file of the report, by its path in the folder. */
  files: Map<string, string>
}

/** A run of the command. */
export interface Order {
  /** Is made; the folder `../pki` must exist. */
  folder: string
  misbehaviour: Misbehaviour
  requirements: readonly string[]
  tls: GatewayContext['tls']
  /** How long the command waits for one answer, in ms. */
  patience: number
}

/** Runs the real command against one gateway. */
export async function judged({
  folder,
  misbehaviour,
  requirements,
  tls,
  patience,
}: Order): Promise<CommandResult> {
  mkdirSync(folder)
  let running = true
  const context: GatewayContext = { tls, send, patience, running: () => running }
  const open = new Set<Socket>()
  const inbound = await serve(open, connection =>
    misbehaviour.inbound ? misbehaviour.inbound(connection, context) : receive(connection, { tls }),
  )
  const submission = await serve(open, connection =>
    misbehaviour.submission
      ? misbehaviour.submission(connection, context)
      : receive(connection, { tls, onMessage: send, requires: /^$/ }),
  )
  const partner = await freePort('127.0.0.1')
  function send(message: AcceptedMessage): void {
    const done = misbehaviour.delivery
      ? misbehaviour.delivery(partner, message, context)
      : deliver(partner, message)
    done.catch(ignoreEnd)
  }
  const sides = [
    'name: hostile\n',
    misbehaviour.delivery || misbehaviour.submission ? '' : inboundSide(portOf(inbound)),
    misbehaviour.inbound ? '' : outboundSide(portOf(submission), partner),
    'pki: ../pki\n',
  ]
  writeFileSync(join(folder, 'gateway.yaml'), sides.join(''))
  const began = performance.now()
  const { child, ended } = startCommand(
    [
      'check',
      '--circumstances',
      'none',
      'gateway.yaml',
      ...requirements.flatMap(id => ['--requirement', id]),
      ...['--report', 'report'],
    ],
    {
      cwd: folder,
      env: {
        MAIL_TLS_PATIENCE: `${patience}`,
        HOSTILE_USAGE: join(folder, 'usage'),
        NODE_OPTIONS: `--import=${USAGE}`,
      },
      encoding: 'latin1',
    },
  )
  let killed = false
  const timer = setTimeout(() => {
    killed = true
    child.kill('SIGKILL')
  }, KILL_AFTER)
  const result = await ended
  clearTimeout(timer)
  running = false
  const ms = performance.now() - began
  for (const server of [inbound, submission]) server.close()
  for (const socket of open) socket.destroy()
  const files = contents(join(folder, 'report'))
  const document = files.get('verdicts.json')
  return {
    ...{ ...result, killed, ms, files },
    peak: existsSync(join(folder, 'usage'))
      ? Number(readFileSync(join(folder, 'usage'), 'utf8'))
      : Number.NaN,
    verdicts: document ? (JSON.parse(document) as VerdictsDocument).verdicts : [],
  }
}

function ignoreEnd(error: unknown): void {
  if (!(error instanceof ConnectionEnded)) throw error
}

async function serve(
  open: Set<Socket>,
  script: (connection: ScriptedConnection) => Promise<void>,
): Promise<Server> {
  const server = createServer({ allowHalfOpen: true, noDelay: true }, socket => {
    open.add(socket)
    socket.on('close', () => open.delete(socket))
    script(new ScriptedConnection(socket)).catch(error => {
      socket.destroy()
      ignoreEnd(error)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return server
}

const portOf = (server: Server): number => (server.address() as { port: number }).port

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
