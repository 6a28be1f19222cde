import { statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { bundledGateway } from '../../containers/index.ts'
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
import type { GatewaySource } from '../gateway/source.ts'
import { InputError } from '../input-error.ts'
import type { CircumstancesOptions } from '../run/judge-in-circumstances.ts'
import { type Deviation, loadDeviations } from '../verdicts/deviations.ts'

export interface CheckOptions {
  profile?: string[]
  requirement?: string[]
  tags?: string
  parallel?: number
  circumstances?: string
  seed?: string
  shard?: string
  report?: string
  deviations?: string
  writeDeviations?: string
  strict?: boolean
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
  /** Absent: plainly alone. */
  circumstances?: Omit<CircumstancesOptions, 'parallel'>
  /** Of the report. */
  dir: string
}

/** Throws InputError for what the user gave. */
export function orderOf(target: string, options: CheckOptions): Order {
  const catalogue = loadCatalogue()
  const source = sourceOf(target, catalogue)
  const profiles = options.profile ?? profilesOf(source)
  const selection = selectionOf(catalogue, options, profiles)
  const file = options.deviations ?? source.deviations
  const deviations = file === undefined ? [] : loadDeviations(file, catalogue)
  const { writeDeviations, dryRun, report } = options
  if (writeDeviations !== undefined && !dryRun) mustBeNew(writeDeviations)
  const circumstances = circumstancesOf(options, source)
  return {
    ...{ catalogue, source, profiles, selection, deviations },
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
const MOST = { receiver: 24, sender: 8 }

/** How long combinations are begun for a user's own gateway, if the user does not say how many, in ms. */
const WITHIN = 150_000

function circumstancesOf(
  { circumstances, seed = SEED }: CheckOptions,
  { kind }: GatewaySource,
): Order['circumstances'] {
  if (circumstances === undefined)
    return kind === 'external' ? { strength: 2, most: MOST, half: true, within: WITHIN, seed } : undefined
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

/** A path, by its slash or ending, or the name of a bundled gateway. */
function sourceOf(target: string, catalogue: Catalogue): GatewaySource {
  if (!/[/\\]|\.ya?ml$/.test(target)) return bundledGateway(target)
  const kind = kindOf(target)
  if (kind === 'nothing')
    throw new InputError(`${target}: there is no such file; mail-tls init ${quoted(target)} writes one`)
  if (kind === 'folder') throw new InputError(`${target}: this is a folder, not a gateway file`)
  return external(loadGatewayFile(target, { catalogue }))
}

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
