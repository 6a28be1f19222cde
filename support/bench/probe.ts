import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { enumerate } from '../traffic/enumerate.ts'
import { type Spread, spread } from './statistics.ts'
import { PAIRS } from './truth.ts'

/** What `mail-tls probe` costs at one server, beside sslscan at the same server in the same run. */
export interface ProbeCosts {
  /** Accepted pairs of version and suite, and the connections that finding out took. */
  pairs: number
  connections: number
  /** In ms. */
  newProcess: Spread
  warm: Spread
  /** Absent where sslscan is not installed. */
  sslscan?: Spread
  /** Pairs that one of both names and the other does not, such as `sslscan only: TLSv1.2 AES128-SHA`. */
  differences: string[]
}

const COMMAND = fileURLToPath(new URL('../cli/mail-tls.js', import.meta.url))
const ROUNDS = 5

/** `server`: HOST:PORT of a server with STARTTLS. Throws where it cannot be probed. */
export async function probeCosts(server: string): Promise<ProbeCosts> {
  const [host = '', port = '25'] = server.split(':')
  const target = { host, port: Number(port), service: 'smtp', helo: 'probe.invalid' } as const
  const times = { newProcess: [] as number[], warm: [] as number[], sslscan: [] as number[] }
  const timed = async <T>(list: number[], work: () => Promise<T>): Promise<T> => {
    const began = performance.now()
    const result = await work()
    list.push(performance.now() - began)
    return result
  }
  let { offer } = await enumerate(target)
  if (offer.unreachable !== undefined) throw new Error(`${server}: ${offer.unreachable}`)
  let scanned: string | undefined
  // In turn, since other work on the machine slows all of them.
  for (let round = 0; round < ROUNDS; round++) {
    await timed(times.newProcess, () => output(process.execPath, [COMMAND, 'probe', server, '--json']))
    offer = (await timed(times.warm, () => enumerate(target))).offer
    scanned = await timed(times.sslscan, () => output('sslscan', ['--starttls-smtp', '--no-colour', server]))
  }
  const ours = offer.versions.flatMap(({ version, suites }) =>
    suites.all.map(({ openssl }) => `${version} ${openssl}`),
  )
  return {
    pairs: ours.length,
    connections: offer.connections,
    newProcess: spread(times.newProcess),
    warm: spread(times.warm),
    ...(scanned === undefined ? {} : { sslscan: spread(times.sslscan) }),
    differences: scanned === undefined ? [] : differing(ours, PAIRS.sslscan(scanned)),
  }
}

const differing = (ours: readonly string[], theirs: readonly string[]): string[] => [
  ...ours.filter(one => !theirs.includes(one)).map(one => `probe only: ${one}`),
  ...theirs.filter(one => !ours.includes(one)).map(one => `sslscan only: ${one}`),
]

/** What a program prints; nothing where it is not installed. */
function output(program: string, args: readonly string[]): Promise<string | undefined> {
  return new Promise(resolve => {
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'ignore'] })
    let text = ''
    child.stdout.on('data', chunk => {
      text += chunk
    })
    child.on('error', () => resolve(undefined))
    child.on('close', () => resolve(text))
  })
}
