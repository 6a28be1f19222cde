import { spawn } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import type { Envelope } from '@cucumber/messages'
import { parseShard } from '../catalogue/features.ts'
import { isExternal } from '../gateway/external.ts'
import type { Gateway } from '../gateway/gateway.ts'
import { GatewayFailure } from '../gateway-failure.ts'
import { jsonText } from '../json-text.ts'
import { sweep, sweepAtExit } from '../leftovers.ts'
import { Interim } from '../report/interim.ts'
import { examplesIn, type RunRecord, verdictsDocument } from '../report/run-record.ts'
import { sarif } from '../report/sarif.ts'
import { sinceOf } from '../report/since.ts'
import { mustBeWritable, writeReport } from '../report/write.ts'
import { asOneRun, runExamples } from '../run/cucumber.ts'
import { useRun, withRun } from '../run/current.ts'
import { SetUpFault } from '../run/first-mail.ts'
import { judgeAll, judgedSoFar } from '../run/judge-all.ts'
import { judgeInCircumstances } from '../run/judge-in-circumstances.ts'
import { judgeOtherConnectors } from '../run/other-connectors.ts'
import { Run } from '../run/run.ts'
import { acceptedIn } from '../verdicts/accepted-tls.ts'
import type { CircumstancesSummary } from '../verdicts/circumstances.ts'
import { proposeDeviations, staleDeviations, staleVerdicts, writeDeviations } from '../verdicts/deviations.ts'
import type { RecordedVerdict } from '../verdicts/recorded-verdict.ts'
import { totals } from '../verdicts/verdict.ts'
import { timeToGreet } from '../wire/smtp/greeting.ts'
import { annotations } from './annotations.ts'
import { commit } from './commit.ts'
import { complain } from './complain.ts'
import { type CheckOptions, type Order, orderOf, quoted } from './order.ts'
import { planText } from './plan.ts'
import { never, onInterrupt } from './process-end.ts'
import { NO_PROGRESS, progressOn } from './progress.ts'
import { mustBeReachable } from './reachable.ts'
import { LEAST, runTime } from './run-time.ts'
import { lookOf } from './terminal.ts'
import { terminalSummary } from './terminal-summary.ts'

const LAUNCHER = join(import.meta.dirname, 'mail-tls.js')

/** Examples mostly wait for the gateway, so more examples than cores run side by side. */
const LANES_PER_CORE = 3
const MOST_LANES = 48

/**
 * Judges one gateway and writes its report. Returns the exit status. Throws InputError for what the user gave, before
 * anything is started.
 *
 * A run that the user or the system interrupts, or in which the gateway cannot be started anew, leaves a report of what
 * was judged until then, which says that it is partial.
 */
export async function check(target: string, options: CheckOptions, version: string): Promise<0 | 1 | 2> {
  const order = orderOf(target, options)
  if (options.dryRun) return await planned(order, options)
  await mustBeWritable(order.dir)
  const { source, selection } = order
  const progress = options.quiet || options.json || options.format ? NO_PROGRESS : progressOn(process.stdout)
  const began = { at: new Date(), clock: performance.now() }
  const messages: Envelope[][] = []
  const examples = selection.reduce((sum, rule) => sum + rule.examples.length, 0)
  sweep()
  sweepAtExit()
  let cleared = source.kind !== 'container'
  process.once('exit', () => {
    if (!cleared) cleanLater()
  })
  progress.doing(`${source.kind === 'external' ? 'connecting to' : 'starting'} ${source.name}`)
  let starting: Promise<Run> | undefined
  let running: { run: Run; gateway: Gateway } | undefined
  let finished: Promise<0 | 1 | 2> | undefined
  let circumstances: CircumstancesSummary | undefined
  let result = 'nothing was judged, and no report was written'

  const recorded = (verdicts: RecordedVerdict[], more: Pick<RunRecord, 'partial' | 'planned' | 'setUp'>) =>
    recordOf(order, options, {
      ...{ version, gateway: running!.gateway, verdicts, ...more },
      startedAt: began.at.toISOString(),
      durationMs: Math.round(performance.now() - began.clock),
      ...(circumstances ? { circumstances } : {}),
      ...(running!.run.offer ? { accepted: acceptedIn(running!.run.offer) } : {}),
    })
  const interim = new Interim(order.dir, () => {
    const verdicts = running ? judgedSoFar(running.run) : []
    if (verdicts.length === 0) return undefined
    const record = recorded(verdicts, { partial: true, planned: examples })
    return jsonText(verdictsDocument(record, order.catalogue.requirements))
  })

  /** Ends the run and writes its report, once: for whoever asks first, the end of all examples or an interrupt. */
  const finish = (partial: boolean, setUp?: string) => {
    finished ??= finishing(partial, setUp)
    return finished
  }
  const finishing = async (partial: boolean, setUp?: string) => {
    const verdicts = !running
      ? []
      : partial
        ? judgedSoFar(running.run)
        : running.run.verdicts.map(verdict => ({ ...verdict }))
    progress.ended()
    await interim.end()
    useRun(undefined)
    await stopped(starting)
    cleared = true
    if (!running || (verdicts.length === 0 && setUp === undefined)) return 2
    const { run, gateway } = running
    verdicts.push(...run.record.ofFailedControls())
    const stale = partial || setUp !== undefined ? [] : staleIn(run, verdicts, options)
    for (const verdict of staleVerdicts(stale, verdicts))
      verdicts.push({ ...verdict, seen: { conversations: [], notes: [], steps: [] } })
    const record = recorded(verdicts, {
      ...(partial ? { partial, planned: examples } : { partial }),
      ...(setUp === undefined ? {} : { setUp }),
    })
    const status = await reported(order, options, { ...record, ...sinceIn(order, options, record) }, messages)
    result = partial
      ? `the report is partial, with ${examplesIn(verdicts)} of ${examples} examples`
      : 'the report was complete already'
    const { strict = false, writeDeviations: file } = options
    if (file !== undefined && !partial && setUp === undefined) {
      const recorded = order.deviations
      writeDeviations(file, proposeDeviations(verdicts, gateway, { recorded, stale, strict }))
    }
    return status
  }

  const interrupt = onInterrupt(
    () => finish(true),
    () => result,
  )
  try {
    const file = isExternal(source) ? source.file : undefined
    // With the key lab, its names are those of containers, which are known later.
    if (file && !file.lab) await mustBeReachable(file)
    const { deviations } = order
    starting = Run.start({ source, deviations, listener: progress, signal: interrupt.signal })
    const run = await starting
    useRun(run)
    running = { run, gateway: await run.gateways.with() }
    await run.mustWork(new Set(selection.map(({ role }) => role)))
    progress.planned(examples)
    const parallel = options.parallel ?? (await lanesFor(running.gateway, source))
    await judgeAll(run, selection, parallel, messages)
    if (source.kind === 'external') await judgeOtherConnectors(run, selection, parallel)
    if (order.circumstances) {
      const { within, ...asked } = order.circumstances
      circumstances = await judgeInCircumstances(run, selection, {
        ...{ ...asked, parallel },
        ...(within === undefined ? {} : { within: left(within, began.clock) }),
      })
    }
    // A gateway of the user's may send mail late that it held back.
    if (source.kind === 'external') await run.aftermath.lookAgain()
    return await finish(false)
  } catch (error) {
    if (interrupt.signal.aborted) return never
    if (error instanceof GatewayFailure) {
      complain(error.message)
      return error instanceof SetUpFault ? await finish(false, error.message) : await finish(true)
    }
    await stopped(starting)
    cleared = true
    throw error
  } finally {
    interrupt.undo()
    await interim.end()
  }
}

/** What is left of a time that began then, in ms. */
const left = (time: number, began: number) => Math.max(LEAST, time - (performance.now() - began))

/** So many times as many where messages count as held back after a silence, or examples wait for the address of a partner. */
const SILENT = 4

/** More where all wait: for that silence, or for a gateway that is slow to greet. */
async function lanesFor(gateway: Gateway, source: Order['source']): Promise<number> {
  const time = isExternal(source) && !source.untested('receiver') ? await timeToGreet(gateway.inbound) : 0
  return lanesOf(source, Math.max(1, Math.ceil(time / 1_000)))
}

/** `seconds`: until the gateway greets. */
function lanesOf(source: Order['source'], seconds: number): number {
  const usual = LANES_PER_CORE * availableParallelism()
  if (!isExternal(source)) return usual
  const { names, lab, commands } = source.file
  const waits = !commands?.reader || !(names || lab)
  const times = waits ? Math.max(SILENT, seconds) : seconds
  return Math.min(usual * times, Math.max(usual, MOST_LANES))
}

/** Nothing can be awaited while the process ends, so another process removes what is still on the engine. */
function cleanLater(): void {
  spawn(process.execPath, [LAUNCHER, 'clean'], { detached: true, stdio: 'ignore' }).unref()
}

/** What cannot be removed changes no verdict: the user is told, and the run counts. */
async function stopped(starting: Promise<Run> | undefined): Promise<void> {
  const run = await starting?.catch(() => undefined)
  await run
    ?.stop()
    .catch(error =>
      complain(`not everything of this run could be removed or put back: ${(error as Error).message}`),
    )
}

async function planned(order: Order, { parallel, requirement }: CheckOptions): Promise<0 | 2> {
  const { source, selection, catalogue, profiles, circumstances } = order
  const run = await Run.dry({ source })
  await withRun(run, () => runExamples(selection, 1))
  const time = runTime(run.plan!, order, parallel ?? lanesOf(source, 1))
  process.stdout.write(
    planText(run.plan!, catalogue, {
      ...lookOf(process.stdout),
      profiles: requirement ? [] : profiles,
      time,
      more: circumstances !== undefined && circumstances.within === undefined,
    }),
  )
  return run.plan!.some(({ inapplicable }) => inapplicable === undefined) ? 0 : 2
}

/** Only a run of all examples can show that a deviation is gone. */
function staleIn(run: Run, verdicts: readonly RecordedVerdict[], { tags, shard }: CheckOptions) {
  return tags === undefined && shard === undefined ? staleDeviations(run.record.deviations, verdicts) : []
}

/** What changed since the run that the user has named. */
function sinceIn(
  { since, selection, catalogue }: Order,
  { tags, shard }: CheckOptions,
  record: RunRecord,
): Pick<RunRecord, 'since'> {
  if (!since) return {}
  return {
    since: sinceOf(since, verdictsDocument(record, catalogue.requirements), {
      requirements: new Set(selection.map(({ requirement }) => requirement)),
      whole: tags === undefined && shard === undefined && !record.partial && record.setUp === undefined,
    }),
  }
}

function recordOf(
  { profiles, source }: Order,
  { shard, strict = false }: CheckOptions,
  {
    version,
    gateway,
    verdicts,
    ...more
  }: Pick<
    RunRecord,
    'partial' | 'planned' | 'setUp' | 'startedAt' | 'durationMs' | 'circumstances' | 'accepted'
  > & {
    version: string
    gateway: Gateway
    verdicts: RecordedVerdict[]
  },
): RunRecord {
  const { index, of: count } = shard === undefined ? {} : parseShard(shard)
  return {
    ...more,
    strict,
    command: ['npx', 'mail-tls', ...process.argv.slice(2)].map(quoted).join(' '),
    suite: { name: 'mail-tls-conformance', version, commit: commit() },
    gateway: { name: source.name, version: gateway.version, library: gateway.library, kind: gateway.kind },
    profiles,
    ...(index === undefined || count === undefined ? {} : { shard: { index, count } }),
    totals: totals(verdicts),
    verdicts,
  }
}

async function reported(
  { catalogue: { requirements }, dir }: Order,
  { requirement, quiet, json, format }: CheckOptions,
  record: RunRecord,
  messages: readonly Envelope[][],
): Promise<0 | 1 | 2> {
  const lines = asOneRun(messages).map(message => JSON.stringify(message))
  const findings = await writeReport(dir, record, requirements, lines.join('\n'))
  if (json) process.stdout.write(await readFile(join(dir, 'verdicts.json')))
  else if (format) process.stdout.write(jsonText(sarif(findings)))
  else if (!quiet)
    process.stdout.write(
      terminalSummary(findings, {
        ...lookOf(process.stdout),
        report: join(dir, 'report.html'),
        chosen: requirement !== undefined,
      }),
    )
  if (process.env['GITHUB_ACTIONS'] === 'true' && !json && !format)
    process.stdout.write(annotations(findings))
  return findings.exit
}
