import { Writable } from 'node:stream'
import { loadConfiguration, loadSupport, runCucumber } from '@cucumber/cucumber/api'
import type { Envelope } from '@cucumber/messages'
import { type FeatureRule, lanes, locations, PACKAGE_ROOT } from '../verdicts/features.ts'

/** Where the steps are; the same list as in cucumber.js. */
const STEPS = ['steps/!(*.test).ts']

/**
 * Runs a selection with Cucumber, side by side on `parallel` lanes of this process, which share the run, its lab and
 * its gateway. Returns the messages of all lanes as those of one run. What became of each example is in the run's
 * verdicts.
 */
export async function runExamples(selection: readonly FeatureRule[], parallel: number): Promise<Envelope[]> {
  const { configuration, support } = await vocabulary()
  // Each lane listens for exceptions that nobody caught while a step of it runs.
  process.setMaxListeners(Math.max(process.getMaxListeners(), 64))
  const told = await Promise.all(
    lanes(selection, parallel).map(async lane => {
      const messages: Envelope[] = []
      const sources = { ...configuration.sources, paths: locations(lane) }
      await runCucumber({ ...configuration, sources, support }, environment, message =>
        messages.push(message),
      )
      return messages
    }),
  )
  return asOneRun(told)
}

// What Cucumber would print of a lane means nothing to a reader; the reports are ours.
const environment = {
  cwd: PACKAGE_ROOT,
  stdout: new Writable({ write: (_chunk, _encoding, done) => done() }),
  stderr: process.stderr,
}

let prepared: ReturnType<typeof prepare> | undefined

/** The steps, loaded once in a process: step files register themselves, and modules are loaded once. */
export function vocabulary(): ReturnType<typeof prepare> {
  prepared ??= prepare()
  return prepared
}

async function prepare() {
  const { runConfiguration } = await loadConfiguration(
    { file: false, provided: { import: STEPS, publish: false, format: ['summary'] } },
    { cwd: PACKAGE_ROOT },
  )
  return { configuration: runConfiguration, support: await loadSupport(runConfiguration, environment) }
}

/** Messages of several lanes as if one Cucumber had run them all: one beginning, one end, everything else once. */
export function asOneRun(told: readonly Envelope[][]): Envelope[] {
  const id = told.flat().find(({ testRunStarted }) => testRunStarted)?.testRunStarted?.id
  const seen = new Set<string>()
  const body: Envelope[] = []
  let started: Envelope | undefined
  let finished: Envelope | undefined
  let success = true
  for (const message of told.flat()) {
    if (message.testRunStarted) started ??= message
    else if (message.testRunFinished) {
      success &&= message.testRunFinished.success
      finished = message
    } else if (message.testCase) body.push({ testCase: { ...message.testCase, testRunStartedId: id! } })
    else {
      const { hook, stepDefinition, parameterType, meta, source } = message
      // Every lane has the same steps, and reads its own features.
      const once =
        hook ?? stepDefinition ?? (parameterType && { name: parameterType.name }) ?? (meta && 'meta')
      const key = once === undefined ? source && `source ${source.uri}` : JSON.stringify(once)
      if (key !== undefined) {
        if (seen.has(key)) continue
        seen.add(key)
      }
      body.push(message)
    }
  }
  const ordered = [
    ...body.filter(isDefinition),
    ...(started ? [started] : []),
    ...body.filter(not(isDefinition)),
  ]
  if (finished?.testRunFinished)
    ordered.push({ testRunFinished: { ...finished.testRunFinished, testRunStartedId: id!, success } })
  return ordered
}

const isDefinition = (message: Envelope): boolean =>
  !(message.testCase || message.testCaseStarted || message.testCaseFinished || message.testStepStarted) &&
  !(
    message.testStepFinished ||
    message.attachment ||
    message.testRunHookStarted ||
    message.testRunHookFinished
  )

const not =
  <T>(holds: (value: T) => boolean) =>
  (value: T) =>
    !holds(value)
