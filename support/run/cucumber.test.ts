import assert from 'node:assert/strict'
import { Writable } from 'node:stream'
import { runCucumber } from '@cucumber/cucumber/api'
import type { Envelope, Timestamp } from '@cucumber/messages'
import { loadCatalogue } from '../catalogue/catalogue.ts'
import { lanes, loadFeatures, locations } from '../catalogue/features.ts'
import { PACKAGE_ROOT } from '../package-root.ts'
import { asOneRun, vocabulary } from './cucumber.ts'

const LANES = 3
const ns = ({ seconds, nanos }: Timestamp) => seconds * 1e9 + nanos

describe('the messages of several lanes as those of one run', () => {
  let told: Envelope[][]
  let one: Envelope[]
  let ran: string[]

  before(async () => {
    const { configuration, support } = await vocabulary()
    const { sources, runtime } = configuration
    const environment = { cwd: PACKAGE_ROOT, stdout: new Writable({ write: (_c, _e, done) => done() }) }
    const selection = loadFeatures(loadCatalogue()).slice(0, 12)
    ran = selection.map(({ uri, name }) => `${uri}: ${name}`)
    told = await Promise.all(
      lanes(selection, LANES).map(async lane => {
        const messages: Envelope[] = []
        const options = {
          ...configuration,
          sources: { ...sources, paths: locations(lane) },
          runtime: { ...runtime, dryRun: true },
        }
        await runCucumber({ ...options, support }, environment, message => messages.push(message))
        return messages
      }),
    )
    one = asOneRun(told)
  })

  const all = <K extends keyof Envelope>(kind: K, messages = one) =>
    messages.flatMap(message =>
      message[kind] === undefined ? [] : [message[kind] as NonNullable<Envelope[K]>],
    )
  const known = (ids: string[]) => {
    assert.equal(new Set(ids).size, ids.length, 'an id stands there twice')
    return new Set(ids)
  }
  const subset = (ids: Iterable<string>, of: ReadonlySet<string>, what: string) => {
    for (const id of ids) assert.ok(of.has(id), `${what} ${id} is nowhere`)
  }

  it('come from lanes that each ran something', () => {
    assert.equal(told.length, LANES)
    for (const messages of told) assert.ok(all('testCase', messages).length > 0)
  })

  it('have one beginning and one end', () => {
    assert.deepEqual(
      (['meta', 'testRunStarted', 'testRunFinished'] as const).map(kind => all(kind).length),
      [1, 1, 1],
    )
    assert.ok(one[0]?.meta)
    assert.ok(one.at(-1)?.testRunFinished)
  })

  it('begin before everything else, and end after it', () => {
    const at = one.findIndex(({ testRunStarted }) => testRunStarted)
    const first = one.findIndex(
      message => message.testCase ?? message.testCaseStarted ?? message.testRunHookStarted,
    )
    assert.ok(at >= 0 && at < first)
    const times = [...all('testCaseStarted'), ...all('testCaseFinished')].map(({ timestamp }) =>
      ns(timestamp),
    )
    assert.ok(ns(all('testRunStarted')[0]!.timestamp) <= Math.min(...times))
    assert.ok(ns(all('testRunFinished')[0]!.timestamp) >= Math.max(...times))
  })

  it('lose no example and no step', () => {
    const cases = new Set(all('testCase', told.flat()).map(({ pickleId }) => pickleId))
    assert.deepEqual(new Set(all('pickle').map(({ id }) => id)), cases)
    for (const kind of ['gherkinDocument', 'testCase', 'testCaseFinished', 'testStepFinished'] as const)
      assert.equal(all(kind).length, all(kind, told.flat()).length, kind)
  })

  it('have each Rule once, on whatever lanes the Rules of a feature ran', () => {
    const rules = all('gherkinDocument').flatMap(({ uri, feature }) =>
      feature!.children.flatMap(({ rule }) => (rule ? `${uri}: ${rule.name}` : [])),
    )
    assert.deepEqual(rules.sort(), ran.sort())
    const parts = all('gherkinDocument').map(({ uri }) => uri)
    assert.ok(new Set(parts).size < parts.length, 'no feature ran on two lanes')
  })

  it('say only once what all lanes say alike', () => {
    for (const kind of ['stepDefinition', 'hook', 'parameterType'] as const)
      assert.equal(all(kind).length, all(kind, told[0]).length, kind)
    known(all('source').map(({ uri }) => uri))
  })

  it('refer to each other by ids that exist once', () => {
    const run = all('testRunStarted')[0]!.id
    for (const { testRunStartedId } of [
      ...all('testCase'),
      ...all('testRunFinished'),
      ...all('testRunHookStarted'),
    ])
      assert.equal(testRunStartedId, run)
    const pickles = known(all('pickle').map(({ id }) => id))
    const pickleSteps = known(all('pickle').flatMap(({ steps }) => steps.map(({ id }) => id)))
    const definitions = known(all('stepDefinition').map(({ id }) => id))
    const hooks = known(all('hook').map(({ id }) => id))
    known(all('parameterType').map(({ id }) => id))
    const cases = known(all('testCase').map(({ id }) => id))
    const started = known(all('testCaseStarted').map(({ id }) => id))
    const steps = all('testCase').flatMap(({ testSteps }) => testSteps)
    subset(
      all('testCase').map(({ pickleId }) => pickleId),
      pickles,
      'pickle',
    )
    subset(
      steps.flatMap(({ pickleStepId }) => pickleStepId ?? []),
      pickleSteps,
      'step',
    )
    subset(
      steps.flatMap(({ stepDefinitionIds }) => stepDefinitionIds ?? []),
      definitions,
      'definition',
    )
    subset(
      steps.flatMap(({ hookId }) => hookId ?? []),
      hooks,
      'hook',
    )
    subset(
      all('testCaseStarted').map(({ testCaseId }) => testCaseId),
      cases,
      'case',
    )
    subset(
      [...all('testCaseFinished'), ...all('testStepFinished')].map(
        ({ testCaseStartedId }) => testCaseStartedId,
      ),
      started,
      'start',
    )
  })

  it('are those of a run that failed when one lane failed', () => {
    const failed = told.map((messages, lane) =>
      messages.map(message =>
        message.testRunFinished && lane === 0
          ? { testRunFinished: { ...message.testRunFinished, success: false } }
          : message,
      ),
    )
    assert.equal(all('testRunFinished')[0]!.success, true)
    assert.equal(all('testRunFinished', asOneRun(failed))[0]!.success, false)
  })

  it('end when the last lane ends, whichever that is', () => {
    const last = { seconds: 4_000_000_000, nanos: 0 }
    const late = told.map((messages, lane) =>
      messages.map(message =>
        message.testRunFinished && lane === 0
          ? { testRunFinished: { ...message.testRunFinished, timestamp: last } }
          : message,
      ),
    )
    assert.deepEqual(all('testRunFinished', asOneRun(late))[0]!.timestamp, last)
  })

  it('of a lane that was interrupted have an end, and no example without one', () => {
    const [first, ...others] = told
    const at = first!.findLastIndex(({ testCaseStarted }) => testCaseStarted)
    const last = first![at]!.testCaseStarted!.id
    const whole = all('testCaseFinished').length
    const cut = asOneRun([first!.slice(0, at + 2), ...others])
    assert.equal(cut.at(-1)?.testRunFinished?.success, false)
    assert.equal(all('testCaseFinished', cut).length, whole - 1)
    for (const kind of ['testCaseStarted', 'testStepStarted', 'testStepFinished'] as const)
      for (const message of all(kind, cut))
        assert.notEqual('id' in message ? message.id : message.testCaseStartedId, last)
    assert.equal(all('pickle', cut).length, all('pickle').length)
  })

  it('are empty if nothing ran', () => {
    assert.deepEqual(asOneRun([]), [])
  })
})
