import { extname } from 'node:path'
import { Writable } from 'node:stream'
import { loadConfiguration, loadSupport, runCucumber } from '@cucumber/cucumber/api'
import { type Envelope, TimeConversion, type Timestamp } from '@cucumber/messages'
import { type FeatureRule, lanes, locations } from '../catalogue/features.ts'
import { PACKAGE_ROOT } from '../package-root.ts'

/** The step files, as TypeScript in a checkout and as JavaScript in a package. The list in cucumber.js is the same. */
const STEPS = [`steps/!(*.test|*.d)${extname(import.meta.filename)}`]

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

// Cucumber prints nothing: its summary of one lane means nothing to a reader, and the suite writes its own reports.
const environment = {
  cwd: PACKAGE_ROOT,
  stdout: new Writable({ write: (_chunk, _encoding, done) => done() }),
  stderr: process.stderr,
}

let prepared: ReturnType<typeof prepare> | undefined

/** The steps. They are loaded once in a process, because step files register themselves when they are loaded. */
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
 * The messages of several lanes as if one Cucumber had run them all: one beginning, one end, and once what all lanes
 * say alike. A feature whose Rules ran on several lanes is there several times, each time with other Rules. Of a lane
 * that was interrupted, only the examples that have ended are there. Without lanes the result is empty.
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

/** The messages of a lane that was interrupted, with an end, and without those of examples that have not ended. */
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

/** A lane reads whole features and runs some of their Rules: the messages without the other Rules. */
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

/** Whether a message says something that no earlier message has said. */
function isNew({ meta, source, hook, stepDefinition, parameterType }: Envelope, seen: Set<string>): boolean {
  const key = meta ? 'meta' : (source?.uri ?? hook?.id ?? stepDefinition?.id ?? parameterType?.name)
  if (key === undefined) return true
  if (seen.has(key)) return false
  seen.add(key)
  return true
}

/** Whether a message is about something that happens. The others describe features, examples and steps. */
const happens = (message: Envelope): boolean =>
  Object.keys(message).some(kind => /^(test|attachment$)/.test(kind))
