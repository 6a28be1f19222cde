import { mkdtemp, rmdir } from 'node:fs/promises'
import { get, type RequestOptions } from 'node:http'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pc from 'picocolors'
import { clipped, visibleLine } from '../report/visible.ts'
import { wrapped } from './columns.ts'
import type { Paint } from './terminal.ts'

export interface Check {
  name: string
  /** `missing`: some runs need it, and it is not there. `bad`: it is there and does not work. */
  state: 'good' | 'missing' | 'bad'
  found: string
  /** What one can do where it is good. */
  enables: string
  /** How to get there; absent where all is good. */
  advice?: string
}

export interface Diagnosis {
  /** Whether `mail-tls check` without a target can run here. */
  usable: boolean
  checks: Check[]
}

/** Where to look; what is left out is this machine's. */
export interface Machine {
  versions?: { node: string; openssl: string }
  /** An address of the range that partners get theirs from. */
  loopback?: string
  /** Under which `reports/` is made. */
  folder?: string
  temporary?: string
  openFiles?: number
  env?: Record<string, string | undefined>
  /** Where a container engine listens unless DOCKER_HOST says otherwise. */
  socket?: string
  /** How long an engine may take to answer, in ms. */
  limit?: number
}

/** As `engines` in package.json says. */
const NODE = 24
/** A whole run of the embedded gateway has about 500 open at a time: each partner listens at an address of its own. */
const OPEN_FILES = 1_024
/** An engine tells its version in about 1 kB. */
const LONGEST_ANSWER = 65_536
const COLUMNS = 80
const REPORT_FOLDER = 'report folder'

/** What this machine can run. Leaves nothing behind. */
export async function diagnose(here: Machine = {}): Promise<Diagnosis> {
  const needed = await Promise.all([
    nodeCheck(here.versions ?? process.versions),
    loopbackCheck(here.loopback ?? '127.64.0.1'),
    folderCheck('temporary folder', here.temporary ?? tmpdir(), {
      enables: 'files of the gateway under test',
      advice: 'set TMPDIR to a folder that you can write to',
    }),
    openFilesCheck(here.openFiles ?? openFilesLimit()),
  ])
  const others = await Promise.all([
    folderCheck(REPORT_FOLDER, here.folder ?? process.cwd(), {
      enables: 'reports in reports/',
      advice: 'go to a folder that you can write to, or give one with --report DIR',
    }),
    engineCheck(here),
  ])
  return { usable: needed.every(({ state }) => state === 'good'), checks: [...needed, ...others] }
}

function nodeCheck({ node, openssl }: { node: string; openssl: string }): Check {
  const good = Number.parseInt(node, 10) >= NODE
  return {
    name: 'Node.js',
    state: good ? 'good' : 'bad',
    found: `${node} with OpenSSL ${openssl}`,
    enables: 'the suite itself, and TLS as its partners speak it',
    ...(good ? {} : { advice: `install Node.js ${NODE} or newer: https://nodejs.org/en/download` }),
  }
}

/** Partners get addresses of their own, and nobody configures those one by one: the whole range has to be local. */
async function loopbackCheck(address: string): Promise<Check> {
  const common = { name: 'loopback range', enables: 'the embedded gateway, without containers' }
  try {
    await bound(address)
    return { ...common, state: 'good', found: `${address} can be listened on` }
  } catch (error) {
    return {
      ...common,
      state: 'bad',
      found: `${address} cannot be listened on (${reason(error)})`,
      advice:
        process.platform === 'linux'
          ? 'make 127.0.0.0/8 local, as Linux does by default: ip link set lo up'
          : 'run the suite on Linux, in a virtual machine or a container: only there all of 127.0.0.0/8 is local',
    }
  }
}

function bound(host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen({ host, port: 0 }, () => server.close(() => resolve()))
  })
}

/** Tried, not asked: a file system may be read-only, full, or without room for another file. */
async function folderCheck(
  name: string,
  path: string,
  { enables, advice }: { enables: string; advice: string },
): Promise<Check> {
  const shown = visibleLine(path)
  try {
    await rmdir(await mkdtemp(join(path, 'mail-tls-doctor-')))
    return { name, state: 'good', found: `${shown} can be written to`, enables }
  } catch (error) {
    return { name, state: 'bad', found: `${shown} cannot be written to (${reason(error)})`, enables, advice }
  }
}

function openFilesCheck(limit: number): Check {
  const good = limit >= OPEN_FILES
  return {
    name: 'open files',
    state: good ? 'good' : 'bad',
    found: limit === Number.POSITIVE_INFINITY ? 'no limit' : `at most ${limit}`,
    enables: 'many examples side by side',
    ...(good
      ? {}
      : {
          advice: `raise the hard limit to ${OPEN_FILES}: "ulimit -Hn" as root, LimitNOFILE= of a service, or --ulimit nofile=${OPEN_FILES} of a container`,
        }),
  }
}

/** Of this process: Node has raised it as far as it may be raised. */
function openFilesLimit(): number {
  const report = process.report as NodeJS.ProcessReport & { excludeNetwork: boolean }
  const before = report.excludeNetwork
  // Else it asks for the names of all addresses.
  report.excludeNetwork = true
  const { userLimits } = report.getReport() as {
    userLimits?: { open_files?: { soft: number | 'unlimited' } }
  }
  report.excludeNetwork = before
  const soft = userLimits?.open_files?.soft
  return typeof soft === 'number' ? soft : Number.POSITIVE_INFINITY
}

async function engineCheck({
  env = process.env,
  socket = '/var/run/docker.sock',
  limit = 2000,
}: Machine): Promise<Check> {
  const common = { name: 'container engine', enables: 'gateways that come as containers' }
  const host = env['DOCKER_HOST'] || `unix://${socket}`
  const at = visibleLine(host).replace(/\/\/[^/]*@/, '//')
  const way = wayTo(host, env)
  if (typeof way === 'string')
    return { ...common, state: 'missing', found: `not asked: DOCKER_HOST is ${at}`, advice: way }
  const signal = AbortSignal.timeout(limit)
  try {
    const answer = await ask(way, signal)
    return { ...common, state: 'good', found: `${engineName(answer)} at ${at}` }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (signal.aborted)
      return {
        ...common,
        state: 'bad',
        found: `${at} gives no answer within ${limit / 1000} s`,
        advice: 'restart the engine: sudo systemctl restart docker',
      }
    if (code === 'ENOENT' || code === 'ECONNREFUSED')
      return {
        ...common,
        state: 'missing',
        found: `nothing listens at ${at}`,
        advice:
          'install Docker (https://docs.docker.com/engine/install), start it (sudo systemctl start docker), or set DOCKER_HOST to the socket of another engine such as Podman',
      }
    if (code === 'EACCES' || code === 'EPERM')
      return {
        ...common,
        state: 'bad',
        found: `${at} may not be used by this user`,
        advice: 'join its group: sudo usermod -aG docker "$USER", then log in again',
      }
    return {
      ...common,
      state: 'bad',
      found: `${at} does not answer as an engine does (${reason(error)})`,
      advice: 'set DOCKER_HOST to the socket of a container engine',
    }
  }
}

/** How to reach an engine, or what to do when it cannot be asked from here. */
function wayTo(host: string, env: Record<string, string | undefined>): RequestOptions | string {
  if (host.startsWith('unix://')) return { socketPath: host.slice('unix://'.length) }
  const url = URL.parse(host.replace(/^tcp:/, 'http:'))
  if (url?.protocol === 'http:' && !env['DOCKER_TLS_VERIFY'])
    return { host: url.hostname.replace(/^\[|\]$/g, ''), port: url.port || 2375 }
  return 'use an engine that listens on a local socket (unix://PATH) or on tcp://HOST:PORT without TLS'
}

/** The body of the engine's answer to GET /version (Docker Engine API, also spoken by Podman). */
function ask(way: RequestOptions, signal: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = get({ ...way, path: '/version', headers: { host: 'localhost' }, agent: false, signal })
    request.on('error', reject)
    request.on('response', async response => {
      try {
        let body = ''
        for await (const chunk of response.setEncoding('utf8')) {
          body += chunk
          if (body.length > LONGEST_ANSWER) throw new Error('its answer is too long')
        }
        if (response.statusCode !== 200) throw new Error(`HTTP status ${response.statusCode}`)
        resolve(body)
      } catch (error) {
        reject(error)
      }
    })
  })
}

/** `Docker Engine - Community 28.2.2 (API 1.50)`. Throws for what no engine says. */
function engineName(answer: string): string {
  const told: unknown = JSON.parse(answer)
  const { Version, ApiVersion, Platform, Components } = (told ?? {}) as {
    Version?: unknown
    ApiVersion?: unknown
    Platform?: { Name?: unknown }
    Components?: { Name?: unknown }[]
  }
  if (typeof Version !== 'string' || typeof ApiVersion !== 'string') throw new Error('it names no version')
  const names = [Platform?.Name, Components?.[0]?.Name, 'engine']
  const name = names.find(name => typeof name === 'string' && name !== '')
  return visibleLine(clipped(`${name} ${Version} (API ${ApiVersion})`, 100))
}

function reason(error: unknown): string {
  if (error instanceof SyntaxError) return 'no JSON'
  const { code, message } = error as NodeJS.ErrnoException
  return visibleLine(clipped(code ?? message, 100))
}

/** Lines of at most 80 columns that end in a newline. */
export function doctorText({ usable, checks }: Diagnosis, { colour }: { colour: boolean }): string {
  const paint = pc.createColors(colour)
  const looks = { good: ['✓', paint.green], missing: ['-', paint.yellow], bad: ['✗', paint.red] } as const
  const name = Math.max(...checks.map(check => check.name.length))
  const indent = 'missing'.length + name + 6
  const rows = checks.map(check => {
    const [mark, decorate] = looks[check.state]
    const text = (words: string) => wrapped(words, COLUMNS, indent)
    return [
      `${decorate(`${mark} ${check.state.padEnd(7)}`)}  ${paint.bold(check.name.padEnd(name))}  ${text(check.found)}`,
      `${' '.repeat(indent)}${text(`for ${check.enables}`).split('\n').map(paint.dim).join('\n')}`,
      ...(check.advice ? [`${' '.repeat(indent)}${text(`→ ${check.advice}`)}`] : []),
    ].join('\n')
  })
  const end = usable
    ? ready(checks, paint)
    : wrapped(
        `${paint.red('Not ready.')} mail-tls check cannot run here yet; see what is bad above.`,
        COLUMNS,
      )
  return `${[...rows, '', end].join('\n')}\n`
}

function ready(checks: readonly Check[], paint: Paint): string {
  if (checks.some(({ name, state }) => name === REPORT_FOLDER && state === 'bad'))
    return `${paint.yellow('Ready, but not in this folder:')} give --report DIR.`
  return wrapped(
    `${paint.green('Ready.')} mail-tls check judges the embedded gateway; it needs no container engine.`,
    COLUMNS,
  )
}

/** One JSON document: `{ usable, checks }`. */
export function doctorJson({ usable, checks }: Diagnosis): string {
  return `${JSON.stringify({ usable, checks }, null, 2)}\n`
}
