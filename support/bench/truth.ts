import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import { exim } from '../../containers/exim/adapter.ts'
import { ContainerFailure, type Dockerode, Engine, folderFiles } from '../engine/engine.ts'
import type { ContainerProduct } from '../gateway/adapter.ts'
import { container } from '../gateway/container.ts'
import type { GatewaySource } from '../gateway/source.ts'
import { reference } from '../reference/gateway.ts'
import { MUTANTS } from '../reference/mutants/index.ts'
import { Run } from '../run/run.ts'
import { enumerate } from '../traffic/enumerate.ts'
import { opensslName } from '../wire/tls/tls-names.ts'

/** What the prober and other tools find out of one server, in pairs such as `TLSv1.2 AES128-SHA`. */
export interface Truth {
  server: string
  /** How long each tool took, in ms. */
  took: { [tool in Tool]?: number }
  /** Why a tool was not asked. */
  without: { [tool in Tool]?: string }
  /** How many pairs each tool names. */
  pairs: { readonly [tool in Tool]?: number }
  /** Pairs that some tools name and others do not, though they could. */
  differences: readonly Disputed[]
}

export interface Disputed {
  pair: string
  by: readonly Tool[]
  notBy: readonly Tool[]
  /** Why the prober does not count it, where the prober says why; or why the others cannot know it. */
  why?: string
}

export const TOOLS = ['probe', 'sslscan', 'testssl.sh', 's_client', 'sslyze'] as const
export type Tool = (typeof TOOLS)[number]

const COMMANDS: Readonly<Record<Exclude<Tool, 'probe'>, (server: string) => string[]>> = {
  sslscan: server => ['sslscan', '--starttls-smtp', '--no-colour', server],
  'testssl.sh': server => [
    'sh',
    '-c',
    `testssl --starttls smtp -E --quiet --warnings off --color 0 --jsonfile /tmp/all.json ${server} >/dev/null 2>&1; cat /tmp/all.json`,
  ],
  s_client: server => ['s_client', server],
  sslyze: server => [
    '/opt/sslyze/bin/sslyze',
    ...['--starttls', 'smtp', '--mozilla_config', 'disable', '--json_out', '-'],
    ...['--sslv2', '--sslv3', '--tlsv1', '--tlsv1_1', '--tlsv1_2', '--tlsv1_3'],
    server,
  ],
}

/** Pairs in what each tool prints, in OpenSSL's names. */
export const PAIRS: Readonly<Record<Exclude<Tool, 'probe'>, (text: string) => string[]>> = {
  // `Accepted  TLSv1.0  128 bits  AES128-SHA`; suites that its OpenSSL does not have are in IANA's names.
  sslscan: text =>
    [...text.matchAll(/^(?:Accepted|Preferred) +(\S+) +\d+ bits +(\S+)/gm)].map(
      ([, version, suite]) => `${version === 'TLSv1.0' ? 'TLSv1' : version} ${opensslName(suite!)}`,
    ),
  // A finding `TLSv1.2   xc030   ECDHE-RSA-AES256-GCM-SHA384 … TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384` of an id `cipher-…`.
  'testssl.sh': text =>
    [...text.matchAll(/"id" *: *"cipher[-_]([a-z\d_]+)_x[^"]*"[^}]*?"finding" *: *"[^"]*?(\S+) *"/g)].map(
      ([, version, suite]) => `${VERSIONS[version!] ?? version} ${opensslName(suite!)}`,
    ),
  // `tls1_2 ECDHE-RSA-AES256-GCM-SHA384`
  s_client: text =>
    [...text.matchAll(/^(tls\S+) (\S+)\r?$/gm)].map(
      ([, version, suite]) => `${VERSIONS[version!] ?? version} ${suite}`,
    ),
  // One document; `tls_1_2_cipher_suites` has what is accepted, in IANA's names.
  sslyze: text => {
    const [server] = (JSON.parse(text) as SslyzeReport).server_scan_results
    return Object.entries(server?.scan_result ?? {}).flatMap(([key, one]) => {
      const version = SSLYZE_VERSIONS[key.replace('_cipher_suites', '')]
      const accepted = (version && one?.result?.accepted_cipher_suites) || []
      return accepted.map(({ cipher_suite: { name } }) => `${version} ${opensslName(name)}`)
    })
  },
}

interface SslyzeReport {
  server_scan_results: {
    scan_result: Record<
      string,
      { result?: { accepted_cipher_suites?: { cipher_suite: { name: string } }[] } | null } | null
    > | null
  }[]
}

const SSLYZE_VERSIONS: Readonly<Record<string, string>> = {
  ssl_2_0: 'SSLv2',
  ssl_3_0: 'SSLv3',
  tls_1_0: 'TLSv1',
  tls_1_1: 'TLSv1.1',
  tls_1_2: 'TLSv1.2',
  tls_1_3: 'TLSv1.3',
}

const VERSIONS: Readonly<Record<string, string>> = {
  tls1: 'TLSv1',
  tls1_1: 'TLSv1.1',
  tls1_2: 'TLSv1.2',
  tls1_3: 'TLSv1.3',
  ssl3: 'SSLv3',
  ssl2: 'SSLv2',
}

/** Starts a gateway and asks it with all tools, one after another. Throws ContainerFailure and GatewayFailure. */
export const truth = async (source: GatewaySource): Promise<Truth> =>
  compared(source, await scanners(), TOOLS)

/** The reference gateway with each setting of TLS that a mutant has, asked by the prober, by sslscan and by sslyze. */
export async function* oddSettings(): AsyncGenerator<Truth> {
  const tools = await scanners()
  const asked: Tool[] = ['probe', 'sslscan', 'sslyze']
  for (const mutant of MUTANTS)
    if (mutant.receiver?.tls)
      yield { ...(await compared(reference(mutant, mutant.as), tools, asked)), server: mutant.name }
}

/** Exim with 3DES and old versions, asked by all tools. Of the libraries in Debian, GnuTLS alone still has these suites. */
export async function* tripleDes(): AsyncGenerator<Truth> {
  const product: ContainerProduct = {
    ...exim,
    render: (flow, place) => {
      const { files, ...rest } = exim.render(flow, place)
      return { ...rest, files: files.map(file => ({ ...file, content: withTripleDes(file.content) })) }
    },
  }
  const tools = await scanners()
  for (const { name } of product.releases) {
    const source = container(product, name)
    yield { ...(await compared(source, tools, TOOLS)), server: `${source.name} with 3DES` }
  }
}

/** In the priority strings of GnuTLS. */
const withTripleDes = (text: string): string =>
  text
    .replaceAll('+AES-128-CBC', '+AES-128-CBC:+3DES-CBC')
    .replaceAll('+VERS-TLS1.2', '+VERS-TLS1.2:+VERS-TLS1.1:+VERS-TLS1.0')

interface Scanners {
  docker: Dockerode
  image: string
  /** Of sslyze, or why there is none: it comes from PyPI, which not every machine reaches. */
  sslyze: { image: string } | { why: string }
}

async function scanners(): Promise<Scanners> {
  const engine = await Engine.connect()
  const files = folderFiles(join(import.meta.dirname, 'scanners'), ['Dockerfile', 's_client'])
  const image = await engine.image({ name: 'scanners', files })
  const own = folderFiles(join(import.meta.dirname, 'scanners', 'sslyze'), ['Dockerfile'])
  const sslyze = await engine.image({ name: 'sslyze', files: own }).then(
    built => ({ image: built }),
    (error: unknown) => {
      if (error instanceof ContainerFailure) return { why: error.message.split('\n')[0]! }
      throw error
    },
  )
  return { docker: engine.docker, image, sslyze }
}

async function compared(source: GatewaySource, scanners: Scanners, tools: readonly Tool[]): Promise<Truth> {
  const run = await Run.start({ source })
  try {
    const { host, port } = (await run.gateways.with()).inbound
    const server = `${host}:${port}`
    const took: Truth['took'] = {}
    const without: Truth['without'] = {}
    const found: Found = {}
    const unfinished = new Map<string, string>()
    for (const tool of tools) {
      if (tool === 'sslyze' && 'why' in scanners.sslyze) {
        without[tool] = scanners.sslyze.why
        continue
      }
      const began = performance.now()
      if (tool === 'probe') {
        const { offer } = await enumerate({ host, port, service: 'smtp', helo: 'probe.invalid' })
        found[tool] = offer.versions.flatMap(({ version, suites }) =>
          suites.all.map(({ openssl }) => `${version} ${openssl}`),
        )
        for (const { version, unfinished: one } of offer.versions)
          for (const suite of one?.suites ?? [])
            unfinished.set(`${version} ${opensslName(suite)}`, `it is chosen, and then ${one!.said}`)
      } else found[tool] = PAIRS[tool](await printed(scanners, tool, COMMANDS[tool](server)))
      took[tool] = performance.now() - began
    }
    const pairs = Object.fromEntries(Object.entries(found).map(([tool, all]) => [tool, all.length]))
    return { server: source.name, took, without, pairs, differences: disputed(found, unfinished) }
  } finally {
    await run.stop()
  }
}

/** Of the tools that were asked. */
type Found = { [tool in Tool]?: readonly string[] }

/** Pairs that a tool cannot name, whatever the server accepts. */
const UNKNOWN_TO: readonly [tool: Tool, pairs: RegExp, why: string][] = [
  ['s_client', /DES-CBC3/, 'the OpenSSL of Debian has no 3DES'],
  ['sslscan', /SEED/, 'sslscan has no SEED'],
  ['sslyze', /ADH-CAMELLIA\d+-SHA256/, 'sslyze has no anonymous Camellia with SHA-256'],
]

/** Pairs that not all tools name. */
export function disputed(found: Found, whyNot: ReadonlyMap<string, string> = new Map()): Disputed[] {
  const tools = TOOLS.filter(tool => found[tool])
  return [...new Set(Object.values(found).flat())].flatMap(pair => {
    const by = tools.filter(tool => found[tool]!.includes(pair))
    const notBy = tools.filter(tool => !by.includes(tool))
    const unknown = UNKNOWN_TO.filter(([tool, pairs]) => notBy.includes(tool) && pairs.test(pair))
    const all = unknown.length === notBy.length ? unknown.map(([, , why]) => why).join(', ') : ''
    const why = notBy.includes('probe') ? whyNot.get(pair) : all || undefined
    return notBy.length > 0 ? { pair, by, notBy, ...(why === undefined ? {} : { why }) } : []
  })
}

/** What a command prints in a container on the network of the host. */
async function printed({ docker, image, sslyze }: Scanners, tool: Tool, Cmd: string[]): Promise<string> {
  const Image = tool === 'sslyze' && 'image' in sslyze ? sslyze.image : image
  const container = await docker.createContainer({
    Image,
    Cmd,
    HostConfig: { NetworkMode: 'host', AutoRemove: true },
  })
  try {
    const both = await container.attach({ stream: true, stdout: true, stderr: true })
    const [out, rest] = [new PassThrough(), new PassThrough()]
    docker.modem.demuxStream(both, out, rest)
    rest.resume()
    both.once('end', () => out.end())
    const all = text(out)
    await container.start()
    return await all
  } finally {
    await container.remove({ force: true }).catch(() => {})
  }
}
