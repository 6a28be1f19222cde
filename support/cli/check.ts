import { spawn } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import type { Envelope } from '@cucumber/messages'
import { parseShard } from '../catalogue/features.ts'
import type { ExternalSource } from '../gateway/external.ts'
import type { Gateway } from '../gateway/gateway.ts'
import { GatewayFailure } from '../gateway-failure.ts'
import { sweep, sweepAtExit } from '../leftovers.ts'
import { findingsOf } from '../report/findings.ts'
import { examplesIn, type RunRecord } from '../report/run-record.ts'
import { mustBeWritable, writeReport } from '../report/write.ts'
import { asOneRun, runExamples } from '../run/cucumber.ts'
import { useRun, withRun } from '../run/current.ts'
import { judgeAll, judgedSoFar } from '../run/judge-all.ts'
import { judgeInCircumstances } from '../run/judge-in-circumstances.ts'
import { Run } from '../run/run.ts'
import type { CircumstancesSummary } from '../verdicts/circumstances.ts'
import { proposeDeviations, staleDeviations, staleVerdicts, writeDeviations } from '../verdicts/deviations.ts'
import type { RecordedVerdict } from '../verdicts/recorded-verdict.ts'
import { totals } from '../verdicts/verdict.ts'
import { whyNoGreeting } from '../wire/smtp/greeting.ts'
import { commit } from './commit.ts'
import { complain } from './complain.ts'
import { type CheckOptions, type Order, orderOf, quoted } from './order.ts'
import { planText } from './plan.ts'
import { never, onInterrupt } from './process-end.ts'
import { progressOn } from './progress.ts'
import { mustBeReachable } from './reachable.ts'
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
  if (options.dryRun) return await planned(order)
  await mustBeWritable(order.dir)
  const { source, selection } = order
  const progress = progressOn(process.stdout)
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

  /** Ends the run and writes its report, once: for whoever asks first, the end of all examples or an interrupt. */
  const finish = (partial: boolean) => {
    finished ??= finishing(partial)
    return finished
  }
  const finishing = async (partial: boolean) => {
    const verdicts = !running
      ? []
      : partial
        ? judgedSoFar(running.run)
        : running.run.verdicts.map(verdict => ({ ...verdict }))
    progress.ended()
    useRun(undefined)
    await stopped(starting)
    cleared = true
    if (!running || verdicts.length === 0) return 2
    const { run, gateway } = running
    verdicts.push(...run.record.ofFailedControls())
    const stale = partial ? [] : staleIn(run, verdicts, options)
    for (const verdict of staleVerdicts(stale, verdicts))
      verdicts.push({ ...verdict, seen: { conversations: [], notes: [], steps: [] } })
    const record = recordOf(order, options, {
      ...{ version, gateway, verdicts },
      ...(partial ? { partial, planned: examples } : { partial }),
      startedAt: began.at.toISOString(),
      durationMs: Math.round(performance.now() - began.clock),
      ...(circumstances ? { circumstances } : {}),
    })
    const status = await reported(order, options, record, messages)
    result = partial
      ? `the report is partial, with ${examplesIn(verdicts)} of ${examples} examples`
      : 'the report was complete already'
    const { strict = false, writeDeviations: file } = options
    if (file !== undefined && !partial) {
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
    if (source.kind === 'external') await mustBeReachable((source as ExternalSource).file)
    const { deviations } = order
    starting = Run.start({ source, deviations, listener: progress, signal: interrupt.signal })
    const run = await starting
    useRun(run)
    running = { run, gateway: await run.gateways.with() }
    await run.mustWork()
    progress.planned(examples)
    const parallel = options.parallel ?? (await lanesFor(running.gateway, source))
    await judgeAll(run, selection, parallel, messages)
    if (order.circumstances)
      circumstances = await judgeInCircumstances(run, selection, { ...order.circumstances, parallel })
    // A gateway of the user's may send mail late that it held back.
    if (source.kind === 'external') await run.aftermath.lookAgain()
    return await finish(false)
  } catch (error) {
    if (interrupt.signal.aborted) return never
    if (error instanceof GatewayFailure) {
      complain(error.message)
      return await finish(true)
    }
    await stopped(starting)
    cleared = true
    throw error
  } finally {
    interrupt.undo()
  }
}

/** More where all wait for a gateway that is slow to greet. */
async function lanesFor(gateway: Gateway, { kind, untested }: Order['source']): Promise<number> {
  const usual = LANES_PER_CORE * availableParallelism()
  if (kind !== 'external' || untested?.('receiver')) return usual
  const began = performance.now()
  await whyNoGreeting(gateway.inbound)
  const seconds = (performance.now() - began) / 1_000
  return Math.min(usual * Math.ceil(seconds), Math.max(usual, MOST_LANES))
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
    .catch(error => complain(`not everything of this run could be removed: ${(error as Error).message}`))
}

async function planned({ source, selection, catalogue }: Order): Promise<0 | 2> {
  const run = await Run.dry({ source })
  await withRun(run, () => runExamples(selection, 1))
  process.stdout.write(planText(run.plan!, catalogue, lookOf(process.stdout)))
  return run.plan!.some(({ inapplicable }) => inapplicable === undefined) ? 0 : 2
}

/** Only a run of all examples can show that a deviation is gone. */
function staleIn(run: Run, verdicts: readonly RecordedVerdict[], { tags, shard }: CheckOptions) {
  return tags === undefined && shard === undefined ? staleDeviations(run.record.deviations, verdicts) : []
}

function recordOf(
  { profiles }: Order,
  { shard, strict = false }: CheckOptions,
  {
    version,
    gateway,
    verdicts,
    ...more
  }: Pick<RunRecord, 'partial' | 'planned' | 'startedAt' | 'durationMs' | 'circumstances'> & {
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
    gateway: { name: gateway.name, version: gateway.version, library: gateway.library, kind: gateway.kind },
    profiles,
    ...(index === undefined || count === undefined ? {} : { shard: { index, count } }),
    totals: totals(verdicts),
    verdicts,
  }
}

async function reported(
  { catalogue: { requirements }, dir }: Order,
  { requirement }: CheckOptions,
  record: RunRecord,
  messages: readonly Envelope[][],
): Promise<0 | 1 | 2> {
  const lines = asOneRun(messages).map(message => JSON.stringify(message))
  await writeReport(dir, record, requirements, lines.join('\n'))
  const findings = findingsOf(record, requirements)
  process.stdout.write(
    terminalSummary(findings, {
      ...lookOf(process.stdout),
      report: join(dir, 'report.html'),
      chosen: requirement !== undefined,
    }),
  )
  return findings.exit
}
