import { mkdtemp, rmdir } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pc from 'picocolors'
import { NoEngine, type Obstacle } from '../engine/connection.ts'
import { Engine } from '../engine/engine.ts'
import { jsonText } from '../json-text.ts'
import { type Leftover, leftovers } from '../leftovers.ts'
import { clipped, visibleLine } from '../report/visible.ts'
import { ENGINE_LIMIT, leftoverText } from './clean.ts'
import { COLUMNS, wrapped } from './columns.ts'
import type { Paint } from './terminal.ts'

export interface Check {
  name: string
  /**
   * `missing`: some runs need it, and it is not there. `bad`: it is there and does not work. `left`: killed runs have left
   * it, and no run needs it.
   */
  state: 'good' | 'missing' | 'bad' | 'left'
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
  /** Of killed runs. */
  leftovers: Leftover[]
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
  /** Throws NoEngine. */
  engine?: () => Promise<Pick<Engine, 'description' | 'leftovers'>>
  /** What killed runs left, containers aside. */
  leftovers?: () => Leftover[]
}

/** As `engines` in package.json says. */
const NODE = 24
/** A whole run of the embedded gateway has about 500 open at a time: each partner listens at an address of its own. */
const OPEN_FILES = 1_024
const REPORT_FOLDER = 'report folder'

/** What this machine can run, and what killed runs have left on it. Leaves nothing behind. */
export async function diagnose(here: Machine = {}): Promise<Diagnosis> {
  const { engine: connect = () => Engine.connect(undefined, undefined, ENGINE_LIMIT) } = here
  const engine = connect()
  engine.catch(() => {})
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
    engineCheck(engine),
  ])
  const usable = needed.every(({ state }) => state === 'good')
  const onMachine = (here.leftovers ?? leftovers)()
  try {
    const left = [...(await onEngine(engine)), ...onMachine]
    return { usable, checks: [...needed, ...others, leftoversCheck(left)], leftovers: left }
  } catch (error) {
    const failed = { ...leftoversCheck(onMachine), state: 'bad' as const, found: reason(error) }
    return { usable, checks: [...needed, ...others, failed], leftovers: onMachine }
  }
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

async function engineCheck(engine: Promise<{ description: string }>): Promise<Check> {
  const common = { name: 'container engine', enables: 'gateways that come as containers' }
  try {
    const { description } = await engine
    return { ...common, state: 'good', found: visibleLine(clipped(description, 200)) }
  } catch (error) {
    if (!(error instanceof NoEngine)) return { ...common, state: 'bad', found: reason(error) }
    const { obstacle, found } = error
    const state = obstacle === 'nothing listens' || obstacle === 'unknown place' ? 'missing' : 'bad'
    return { ...common, state, found, advice: ENGINE_ADVICE[obstacle] }
  }
}

const ENGINE_ADVICE: Record<Obstacle, string> = {
  'unknown place': 'set DOCKER_HOST to unix://PATH or tcp://HOST:PORT',
  'nothing listens':
    'install Docker (https://docs.docker.com/engine/install), start it (sudo systemctl start docker), or set DOCKER_HOST to the socket of another engine such as Podman; "docker context ls" shows the one that the docker command uses',
  'no permission': 'join its group: sudo usermod -aG docker "$USER", then log in again',
  'no answer': 'restart the engine: sudo systemctl restart docker',
  'wrong answer':
    'set DOCKER_HOST to a container engine; where it wants TLS, set DOCKER_TLS_VERIFY=1 and DOCKER_CERT_PATH to the folder with ca.pem, cert.pem and key.pem',
}

/** Nothing where there is no engine; that is a check of its own. */
async function onEngine(engine: Promise<Pick<Engine, 'leftovers'>>): Promise<Leftover[]> {
  const connected = await engine.catch(() => undefined)
  const found = (await connected?.leftovers()) ?? []
  return found.map(({ kind, name, since }) => ({ kind, name, since }))
}

function leftoversCheck(found: readonly Leftover[]): Check {
  const common = { name: 'killed runs', enables: 'memory, addresses and disk space' }
  if (found.length === 0) return { ...common, state: 'good', found: 'nothing is left of them' }
  const advice = 'remove what they left: npx mail-tls clean'
  return { ...common, state: 'left', found: found.map(leftoverText).join('; '), advice }
}

function reason(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException
  return visibleLine(clipped(code ?? message, 100))
}

/** Lines of at most 80 columns that end in a newline. */
export function doctorText({ usable, checks }: Diagnosis, { colour }: { colour: boolean }): string {
  const paint = pc.createColors(colour)
  const looks = {
    good: ['✓', paint.green],
    missing: ['-', paint.yellow],
    bad: ['✗', paint.red],
    left: ['-', paint.yellow],
  } as const
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

/** One JSON document: `{ usable, checks, leftovers }`. */
export function doctorJson(diagnosis: Diagnosis): string {
  return jsonText(diagnosis)
}
