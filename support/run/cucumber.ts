import { Writable } from 'node:stream'
import { loadConfiguration, loadSupport, runCucumber } from '@cucumber/cucumber/api'
import { type Envelope, TimeConversion, type Timestamp } from '@cucumber/messages'
import { type FeatureRule, lanes, locations } from '../catalogue/features.ts'
import { PACKAGE_ROOT } from '../package-root.ts'

/** Where the steps are; the same list as in cucumber.js. */
const STEPS = ['steps/!(*.test).ts']

/**
 * Runs a selection with Cucumber, side by side on `parallel` lanes of this process, which share the run, its lab and
 * its gateway. Returns the messages of all lanes as those of one run; `told` gets those of each lane as they come.
 * What became of each example is in the run's verdicts.
 */
export async function runExamples(
  selection: readonly FeatureRule[],
  parallel: number,
  told: Envelope[][] = [],
): Promise<Envelope[]> {
  const { configuration, support } = await vocabulary()
  // Each lane listens for exceptions that nobody caught while a step of it runs.
  process.setMaxListeners(Math.max(process.getMaxListeners(), 64))
  const own = await Promise.all(
    lanes(selection, parallel).map(async lane => {
      const messages: Envelope[] = []
      told.push(messages)
      const sources = { ...configuration.sources, paths: locations(lane) }
      await runCucumber({ ...configuration, sources, support }, environment, message =>
        messages.push(message),
      )
      return messages
    }),
  )
  return asOneRun(own)
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

/**
 * Messages of several lanes as if one Cucumber had run them all: the first beginning, the last end, and everything
 * that all lanes say alike once. A feature whose Rules ran on several lanes is there in as many parts. A lane that
 * has not ended is there with the examples that have. Nothing for no lanes.
 */
export function asOneRun(told: readonly Envelope[][]): Envelope[] {
  const all = told.map(ended).flatMap(withRulesThatRan)
  const starts = all.flatMap(({ testRunStarted }) => testRunStarted ?? [])
  const ends = all.flatMap(({ testRunFinished }) => testRunFinished ?? [])
  const start = starts.sort(byTime)[0]
  const end = ends.sort(byTime).at(-1)
  const testRunStartedId = start?.id
  if (!start || !end || testRunStartedId === undefined) return []
  const seen = new Set<string>()
  const rest = all
    .filter(message => !message.testRunStarted && !message.testRunFinished && isNew(message, seen))
    .map(({ testCase, testRunHookStarted, ...message }) => ({
      ...message,
      ...(testCase ? { testCase: { ...testCase, testRunStartedId } } : {}),
      ...(testRunHookStarted ? { testRunHookStarted: { ...testRunHookStarted, testRunStartedId } } : {}),
    }))
  const success = ends.every(end => end.success)
  return [
    ...rest.filter(message => !happens(message)),
    { testRunStarted: start },
    ...rest.filter(happens),
    { testRunFinished: { ...end, testRunStartedId, success } },
  ]
}

/** Messages of a lane that was interrupted, with an end, and without what was told of examples that have none. */
function ended(messages: readonly Envelope[]): readonly Envelope[] {
  const start = messages.find(({ testRunStarted }) => testRunStarted)?.testRunStarted
  if (!start || messages.some(({ testRunFinished }) => testRunFinished)) return messages
  const done = new Set(messages.flatMap(({ testCaseFinished }) => testCaseFinished?.testCaseStartedId ?? []))
  const kept = messages.filter(({ testCaseStarted, testStepStarted, testStepFinished, attachment }) => {
    const inside = testStepStarted ?? testStepFinished ?? attachment
    const example = testCaseStarted?.id ?? inside?.testCaseStartedId
    return example === undefined || done.has(example)
  })
  const timestamp = TimeConversion.millisecondsSinceEpochToTimestamp(Date.now())
  return [...kept, { testRunFinished: { success: false, timestamp, testRunStartedId: start.id! } }]
}

/** Each lane reads its features whole and runs some of their Rules: without those that it did not run. */
function withRulesThatRan(messages: readonly Envelope[]): Envelope[] {
  const cases = new Set(messages.flatMap(({ testCase }) => testCase?.pickleId ?? []))
  const pickles = messages.flatMap(({ pickle }) => (pickle && cases.has(pickle.id) ? pickle : []))
  const nodes = new Set(pickles.flatMap(({ astNodeIds }) => astNodeIds))
  return messages.flatMap(message => {
    const { gherkinDocument, pickle } = message
    if (pickle) return cases.has(pickle.id) ? message : []
    if (!gherkinDocument?.feature) return message
    const children = gherkinDocument.feature.children.filter(
      ({ rule }) => !rule || rule.children.some(({ scenario }) => scenario && nodes.has(scenario.id)),
    )
    return { gherkinDocument: { ...gherkinDocument, feature: { ...gherkinDocument.feature, children } } }
  })
}

interface Timed {
  timestamp: Timestamp
}

const byTime = ({ timestamp: a }: Timed, { timestamp: b }: Timed): number =>
  a.seconds - b.seconds || a.nanos - b.nanos

/** Every lane has the same steps, and reads its own features. */
function isNew({ meta, source, hook, stepDefinition, parameterType }: Envelope, seen: Set<string>): boolean {
  const key = meta ? 'meta' : (source?.uri ?? hook?.id ?? stepDefinition?.id ?? parameterType?.name)
  if (key === undefined) return true
  if (seen.has(key)) return false
  seen.add(key)
  return true
}

/** What happens after the beginning; all else describes what may. */
const happens = (message: Envelope): boolean =>
  Object.keys(message).some(kind => /^(test|attachment$)/.test(kind))
