import { statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { bundledGateway, bundledNames, readerOf } from '../../containers/index.ts'
import {
  CAPABILITY_PROFILES,
  type Catalogue,
  DEFAULT_PROFILES,
  loadCatalogue,
} from '../catalogue/catalogue.ts'
import { loadGaps } from '../catalogue/coverage.ts'
import { type FeatureRule, loadFeatures, parseShard, select } from '../catalogue/features.ts'
import { external } from '../gateway/external.ts'
import { loadGatewayFile } from '../gateway/gateway-file.ts'
import { gatewayAt, isServerAddress } from '../gateway/server-address.ts'
import type { GatewaySource } from '../gateway/source.ts'
import { amongService, serviceText, standIn } from '../gateway/stand-in.ts'
import { InputError } from '../input-error.ts'
import { verdictsIn } from '../report/read.ts'
import type { VerdictsDocument } from '../report/run-record.ts'
import type { CircumstancesOptions } from '../run/judge-in-circumstances.ts'
import { loadDeviations } from '../verdicts/deviations.ts'
import type { Deviation } from '../verdicts/verdict.ts'

export interface CheckOptions {
  recipient?: string
  /** The text of the mail service for which the gateway stands in. */
  as?: string
  partnerAs?: string
  profile?: string[]
  requirement?: string[]
  tags?: string
  parallel?: number
  circumstances?: string
  seed?: string
  shard?: string
  report?: string
  deviations?: string
  /** Folder of an earlier report, or its verdicts.json. */
  since?: string
  writeDeviations?: string
  strict?: boolean
  /** Prints nothing: the exit status and the report tell. */
  quiet?: boolean
  /** Prints verdicts.json and nothing else. */
  json?: boolean
  /** Prints the findings in this format and nothing else. */
  format?: 'sarif'
  dryRun?: boolean
}

/** What a user has ordered with `mail-tls check`, looked up: nothing has been started for it yet. */
export interface Order {
  catalogue: Catalogue
  source: GatewaySource
  profiles: string[]
  selection: FeatureRule[]
  /** All that are recorded, for whatever gateway and version. */
  deviations: Deviation[]
  /** The earlier run with which this one is compared. It may have the same folder, so it is read before the run. */
  since?: VerdictsDocument
  /** Absent: plainly alone. */
  circumstances?: Omit<CircumstancesOptions, 'parallel'>
  /** Of the report. */
  dir: string
}

/** How a run is judged, as options of the command line. */
export const judgingOptions = ({
  strict,
  profile = [],
  deviations,
}: Pick<CheckOptions, 'strict' | 'profile' | 'deviations'>): string[] => [
  ...(strict ? ['--strict'] : []),
  ...profile.flatMap(name => ['--profile', name]),
  ...(deviations === undefined ? [] : ['--deviations', deviations]),
]

/** Throws InputError for what the user gave. */
export function orderOf(target: string, options: CheckOptions): Order {
  const catalogue = loadCatalogue()
  const source = amongPeers(standingIn(target, sourceOf(target, catalogue, options), options), options)
  const profiles = options.profile ?? profilesOf(source)
  const selection = selectionOf(catalogue, options, profiles)
  const file = options.deviations ?? source.deviations
  const deviations = file === undefined ? [] : loadDeviations(file, catalogue)
  const { writeDeviations, dryRun, report } = options
  if (writeDeviations !== undefined && !dryRun) mustBeNew(writeDeviations)
  const circumstances = circumstancesOf(options, target, source)
  return {
    ...{ catalogue, source, profiles, selection, deviations },
    ...(options.since === undefined ? {} : { since: verdictsIn(options.since) }),
    ...(circumstances ? { circumstances } : {}),
    dir: report ?? join('reports', source.name),
  }
}

/** Changes with each release, so that nothing can be written towards a selection. */
const SEED = '0.1.0'

/**
 * Combinations for a user's own gateway, if the user does not say how many: what the gateway receives is judged in
 * milliseconds, what it sends is not. Bundled gateways are judged plainly, unless the user asks for more.
 */
const MOST = { receiver: 24, sender: 10 }

/**
 * For a user's own gateway, if the user does not say how many combinations: so long after the start of the command examples
 * are begun under them, in ms.
 */
const WITHIN = 240_000

function circumstancesOf(
  { circumstances, seed = SEED }: CheckOptions,
  target: string,
  { kind }: GatewaySource,
): Order['circumstances'] {
  if (circumstances === undefined)
    // Who gives an address alone wants an answer in seconds.
    return kind === 'external' && !isServerAddress(target)
      ? { strength: 2, most: MOST, inTurn: true, within: WITHIN, seed }
      : undefined
  if (circumstances === 'none') return undefined
  if (circumstances === 'pairwise') return { strength: 2, seed }
  if (circumstances === 'three-way') return { strength: 3, seed }
  const most = Number(circumstances)
  if (!Number.isInteger(most) || most < 1 || most > 999)
    throw new InputError(
      `--circumstances ${circumstances}: it must be none, pairwise, three-way or a whole number from 1 to 999`,
    )
  return { strength: 2, most: { receiver: most, sender: most }, seed }
}

/** The address of a server, a path, by its slash or ending, or the name of a bundled gateway. */
export function sourceOf(
  target: string,
  catalogue: Catalogue,
  { recipient }: Pick<CheckOptions, 'recipient'>,
): GatewaySource {
  if (isServerAddress(target)) return external(gatewayAt(target, recipient))
  if (recipient !== undefined)
    throw new InputError('--recipient: only with an address, such as smtp://mx.gateway.test')
  if (!/[/\\]|\.ya?ml$/.test(target)) return bundledGateway(target)
  const kind = kindOf(target)
  if (kind === 'nothing')
    throw new InputError(`${target}: there is no such file; mail-tls init ${quoted(target)} writes one`)
  if (kind === 'folder') throw new InputError(`${target}: this is a folder, not a gateway file`)
  return external(loadGatewayFile(target, { catalogue }), readerOf)
}

/** Only of a gateway that the suite starts: of others it does not set the certificate and the suites. */
function standingIn(target: string, source: GatewaySource, { as }: CheckOptions): GatewaySource {
  if (as === undefined) return source
  const text = serviceText(as)
  if (source.standsIn) return standIn(source, text)
  const able = bundledNames().filter(name => !name.includes('@') && bundledGateway(name).standsIn)
  throw new InputError(
    source.kind === 'external'
      ? `--as ${as}: the suite cannot set up ${target}, which it does not start; --profile ${as} judges it by the same requirements, and ${able.join(', ')} can stand in for the service`
      : `--as ${as}: ${source.name} cannot stand in for the service; ${able.join(', ')} can`,
  )
}

/** Of any gateway: partners and clients are played by the suite. */
const amongPeers = (source: GatewaySource, { partnerAs }: CheckOptions): GatewaySource =>
  partnerAs === undefined ? source : amongService(source, serviceText(partnerAs, '--partner-as'))

/** A run takes minutes, so the user hears before it that its file cannot be written. */
function mustBeNew(file: string): void {
  const folder = dirname(file)
  if (kindOf(folder) !== 'folder')
    throw new InputError(`--write-deviations ${file}: there is no folder ${folder}`)
  if (kindOf(file) !== 'nothing')
    throw new InputError(`--write-deviations ${file}: this exists already and is not overwritten`)
}

/** A path that cannot be looked at passes for a file: whoever opens it gets the reason. */
function kindOf(path: string): 'nothing' | 'folder' | 'file' {
  try {
    return statSync(path).isDirectory() ? 'folder' : 'file'
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'nothing' : 'file'
  }
}

/** The default profiles, and those of what this gateway claims. */
function profilesOf(source: GatewaySource): string[] {
  const claimed = Object.entries(CAPABILITY_PROFILES).flatMap(([capability, profile]) =>
    capability === 'submission' && source.lacks('submission') === undefined ? [profile] : [],
  )
  return source.profiles ? [...source.profiles] : [...DEFAULT_PROFILES, ...claimed]
}

function selectionOf(catalogue: Catalogue, options: CheckOptions, profiles: string[]): FeatureRule[] {
  const { requirement, tags, shard } = options
  const selection = select(loadFeatures(catalogue), catalogue, {
    profiles,
    ...(requirement ? { requirements: requirement } : {}),
    ...(tags === undefined ? {} : { tags }),
    ...(shard === undefined ? {} : { shard: parseShard(shard) }),
  })
  if (selection.length > 0) return selection
  throw new InputError(`nothing to run: ${whyNothing(options, profiles)}`)
}

function whyNothing({ requirement, tags, shard }: CheckOptions, profiles: string[]): string {
  const gaps = loadGaps()
  const reasons = (requirement ?? []).flatMap(id => {
    const gap = gaps.get(id)
    return gap ? [`${id} is not tested: ${'later' in gap ? gap.later : gap.impossible}`] : []
  })
  if (reasons.length > 0) return reasons.join('; ')
  if (tags !== undefined) return `no example of the selection has the tags ${tags}`
  if (shard !== undefined) return `shard ${shard} of the selection is empty`
  return `no requirement of ${profiles.join(', ')} is tested yet`
}

/** A word as a shell takes it. */
export function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`
}
