import { statSync } from 'node:fs'
import { availableParallelism } from 'node:os'
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
import { type ExternalSource, external } from '../gateway/external.ts'
import { loadGatewayFile } from '../gateway/gateway-file.ts'
import type { GatewaySource } from '../gateway/source.ts'
import { GatewayFailure } from '../gateway-failure.ts'
import { InputError } from '../input-error.ts'
import { findingsOf } from '../report/findings.ts'
import type { RunRecord } from '../report/run-record.ts'
import { mustBeWritable, writeReport } from '../report/write.ts'
import { runExamples } from '../run/cucumber.ts'
import { useRun, withRun } from '../run/current.ts'
import { judgeAll } from '../run/judge-all.ts'
import { Run } from '../run/run.ts'
import { sweep } from '../run/sweep.ts'
import {
  type Deviation,
  loadDeviations,
  proposeDeviations,
  staleDeviations,
  staleVerdicts,
  writeDeviations,
} from '../verdicts/deviations.ts'
import { exitStatus, totals } from '../verdicts/verdict.ts'
import { commit } from './commit.ts'
import { complain } from './complain.ts'
import { never, onInterrupt } from './end.ts'
import { planText } from './plan.ts'
import { progressOn } from './progress.ts'
import { mustBeReachable } from './reachable.ts'
import { lookOf } from './terminal.ts'
import { terminalSummary } from './terminal-summary.ts'

export interface CheckOptions {
  profile?: string[]
  requirement?: string[]
  tags?: string
  parallel?: number
  shard?: string
  report?: string
  deviations?: string
  writeDeviations?: string
  strict?: boolean
  dryRun?: boolean
}

/** Waiting for a gateway costs nothing, so more examples than cores run side by side. */
const LANES_PER_CORE = 3

/**
 * Judges one gateway and writes its report. Returns the exit status; throws InputError for what the user gave, before
 * anything is started.
 */
export async function check(target: string, options: CheckOptions, version: string): Promise<0 | 1 | 2> {
  const catalogue = loadCatalogue()
  const source = sourceOf(target, catalogue)
  const profiles = options.profile ?? profilesOf(source)
  const selection = selectionOf(catalogue, options, profiles)
  const deviations = deviationsOf(source, options, catalogue)
  const dir = options.report ?? join('reports', source.name)
  if (options.dryRun) return await planned(source, selection, catalogue)
  if (options.writeDeviations) mustBeIn(options.writeDeviations, dirname(options.writeDeviations))
  await mustBeWritable(dir)

  const progress = progressOn(process.stdout)
  const clock = { at: new Date(), began: performance.now() }
  sweep()
  progress.doing(`${source.kind === 'external' ? 'connecting to' : 'starting'} ${source.name}`)
  let starting: Promise<Run> | undefined
  let run: Run | undefined
  let stopped: Promise<void> | undefined
  const stop = () => {
    progress.ended()
    useRun(undefined)
    stopped ??= ended(starting)
    return stopped
  }
  const interrupt = onInterrupt(stop, () =>
    run && run.verdicts.length > 0 ? 'no report was written' : 'nothing was judged',
  )
  try {
    if (source.kind === 'external') await mustBeReachable((source as ExternalSource).file)
    starting = Run.start({ source, deviations, listener: progress, signal: interrupt.signal })
    run = await starting
    useRun(run)
    const gateway = await run.gateways.with()
    await run.mustWork()
    progress.planned(selection.reduce((sum, { examples }) => sum + examples.length, 0))
    const parallel = options.parallel ?? LANES_PER_CORE * availableParallelism()
    const messages = await judgeAll(run, selection, parallel)
    // Only a run of everything can tell that a deviation is gone.
    const whole = options.tags === undefined && options.shard === undefined
    const verdicts = run.verdicts.map(verdict => ({ ...verdict }))
    const stale = whole ? staleDeviations(run.deviations, verdicts) : []
    for (const verdict of staleVerdicts(stale, verdicts))
      verdicts.push({ ...verdict, seen: { conversations: [], notes: [], steps: [] } })
    const record: RunRecord = {
      partial: false,
      strict: options.strict ?? false,
      suite: { name: 'mail-tls-conformance', version, commit: commit() },
      gateway: { name: gateway.name, version: gateway.version, library: gateway.library, kind: gateway.kind },
      profiles,
      ...(options.shard === undefined ? {} : { shard: partOf(options.shard) }),
      startedAt: clock.at.toISOString(),
      durationMs: Math.round(performance.now() - clock.began),
      totals: totals(verdicts),
      verdicts,
      command: ['npx', 'mail-tls', ...process.argv.slice(2)].map(quoted).join(' '),
    }
    await stop()
    if (interrupt.signal.aborted) return never
    await writeReport(
      dir,
      record,
      catalogue.requirements,
      messages.map(message => JSON.stringify(message)).join('\n'),
    )
    if (options.writeDeviations)
      writeDeviations(
        options.writeDeviations,
        proposeDeviations(verdicts, gateway, {
          recorded: deviations,
          stale,
          strict: options.strict ?? false,
        }),
      )
    process.stdout.write(
      terminalSummary(findingsOf(record, catalogue.requirements), {
        ...lookOf(process.stdout),
        report: join(dir, 'report.html'),
        chosen: options.requirement !== undefined,
      }),
    )
    return exitStatus(verdicts, { strict: options.strict ?? false })
  } catch (error) {
    await stop()
    if (interrupt.signal.aborted) return never
    if (!(error instanceof GatewayFailure)) throw error
    complain(error.message)
    return 2
  } finally {
    interrupt.undo()
  }
}

/** What cannot be cleared away changes no verdict: it is said, and the run counts. */
async function ended(starting: Promise<Run> | undefined): Promise<void> {
  const run = await starting?.catch(() => undefined)
  await run?.stop().catch(error => complain(`something of the run may be left: ${(error as Error).message}`))
}

/** A path, by its slash or ending, or the name of a bundled gateway. */
function sourceOf(target: string, catalogue: Catalogue): GatewaySource {
  if (!/[/\\]|\.ya?ml$/.test(target)) return bundledGateway(target)
  const kind = kindOf(target)
  if (kind === 'nothing')
    throw new InputError(`${target}: there is no such file; mail-tls init ${quoted(target)} writes one`)
  if (kind === 'folder') throw new InputError(`${target}: is a folder, not a gateway file`)
  return external(loadGatewayFile(target, { catalogue }))
}

/** Said before a run, not after it. */
function mustBeIn(file: string, folder: string): void {
  if (kindOf(folder) !== 'folder')
    throw new InputError(`--write-deviations ${file}: there is no folder ${folder}`)
  if (kindOf(file) !== 'nothing')
    throw new InputError(`--write-deviations ${file}: is there already and is not overwritten`)
}

/** What cannot be looked at passes for a file: who opens it says why not. */
function kindOf(path: string): 'nothing' | 'folder' | 'file' {
  try {
    return statSync(path).isDirectory() ? 'folder' : 'file'
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'nothing' : 'file'
  }
}

async function planned(
  source: GatewaySource,
  selection: FeatureRule[],
  catalogue: Catalogue,
): Promise<0 | 2> {
  const run = await Run.dry({ source })
  await withRun(run, () => runExamples(selection, 1))
  process.stdout.write(planText(run.plan!, catalogue, lookOf(process.stdout)))
  return run.plan!.some(({ inapplicable }) => inapplicable === undefined) ? 0 : 2
}

/** Profiles of every gateway, and those of what this one claims. */
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

function partOf(text: string): NonNullable<RunRecord['shard']> {
  const { index, of: count } = parseShard(text)
  return { index, count }
}

function deviationsOf(
  source: GatewaySource,
  { deviations }: CheckOptions,
  catalogue: Catalogue,
): Deviation[] {
  const file = deviations ?? source.deviations
  return file === undefined ? [] : loadDeviations(file, catalogue)
}

/** As a shell wants to hear it. */
function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`
}
