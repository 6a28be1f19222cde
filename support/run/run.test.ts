import assert from 'node:assert/strict'
import { mock } from 'node:test'
import { loadCatalogue } from '../catalogue/catalogue.ts'
import { loadFeatures, select } from '../catalogue/features.ts'
import type { MailFlow } from '../mailflow/mail-flow.ts'
import { Pki } from '../pki/pki.ts'
import { reference } from '../reference/gateway.ts'
import { greets } from '../wire/smtp/greeting.ts'
import { runExamples } from './cucumber.ts'
import { currentRun, useRun, withRun } from './current.ts'
import { Run } from './run.ts'

const MUST = 'EXO-FRC-01'
const catalogue = loadCatalogue()
const examplesOf = (requirement: string) =>
  select(loadFeatures(catalogue), catalogue, { requirements: [requirement] }).flatMap(({ uri, examples }) =>
    examples.map(({ line, control }) => ({ place: `${uri}:${line}`, control })),
  )
describe('a run', () => {
  const pki = new Pki()
  const runs: Run[] = []
  afterEach(() => Promise.all(runs.splice(0).map(run => run.stop())))

  async function started(): Promise<Run> {
    const run = await Run.start({ source: reference(), pki, aftermath: 0 })
    runs.push(run)
    return run
  }

  it('knows every example by its place, and no other', async () => {
    const run = await started()
    for (const { place, control } of examplesOf(MUST)) assert.equal(run.example(place).control, control)
    assert.throws(() => run.example('features/nowhere.feature:1'), /is no example of the suite/)
  })

  it('has a lab and a gateway until it is stopped, however often', async () => {
    const run = await started()
    const { inbound } = await run.gateways.with()
    assert.equal(await greets(inbound), true)
    await Promise.all([run.stop(), run.stop()])
    await run.stop()
    assert.equal(await greets(inbound), false)
  })

  it('stops its lab even if its gateways cannot be stopped, and says what may be left', async () => {
    const stuck = async () => {
      throw new Error('stuck')
    }
    for (const [stop, message] of [
      [stuck, /^stuck$/],
      [() => new Promise<void>(() => {}), /^stopping the gateways took longer than 90 s$/],
    ] as const) {
      const run = await Run.start({ source: reference(), pki })
      const [partner] = await run.lab.partners([{ domain: run.lab.freshDomain('*.forced.test') }])
      const endpoint = { host: partner!.hosts[0]!.address, port: run.lab.port }
      const { gateways } = run
      const real = gateways.stop.bind(gateways)
      gateways.stop = stop
      assert.equal(await greets(endpoint), true)
      mock.timers.enable({ apis: ['setTimeout'] })
      const stopped = run.stop()
      mock.timers.tick(90_000)
      mock.timers.reset()
      await assert.rejects(stopped, { message })
      assert.equal(await greets(endpoint), false)
      await real()
    }
  })

  it('has one submission for each gateway', async () => {
    const run = await started()
    const [shared, own] = [await run.gateways.with(), await run.gateways.ofOwn()]
    assert.equal(run.submission(shared), run.submission(shared))
    assert.notEqual(run.submission(shared), run.submission(own))
  })

  it('runs examples, and has a verdict with its evidence for each', async () => {
    const run = await started()
    const rules = select(loadFeatures(catalogue), catalogue, { requirements: [MUST] })
    const messages = await withRun(run, () => runExamples(rules, 2))
    const places = rules.flatMap(({ uri, examples }) => examples.map(({ line }) => `${uri}:${line}`))
    assert.deepEqual(run.verdicts.map(({ scenario }) => scenario).sort(), places.sort())
    for (const { verdict, detail, seen } of run.verdicts) {
      assert.equal(verdict, 'conformant', detail)
      assert.ok(seen.conversations.length > 0 && seen.steps.length > 0)
    }
    assert.equal(messages.filter(({ testCaseFinished }) => testCaseFinished).length, places.length)
  })

  it('judges every refusal as inconclusive if the control failed, and tells Cucumber so', async () => {
    const source = {
      ...reference(),
      // It believes no certificate, good or bad.
      start: (flow: MailFlow) => reference().start({ ...flow, trust: [] }),
    }
    const run = await Run.start({ source, pki, aftermath: 0 })
    runs.push(run)
    const rules = select(loadFeatures(catalogue), catalogue, { requirements: ['EXO-FRC-07'] })
    const messages = await withRun(run, () => runExamples(rules, 1))
    const [control, ...others] = run.verdicts
    assert.deepEqual([control!.control, control!.verdict], [true, 'non-conformant'])
    assert.ok(others.length > 0)
    for (const { verdict, detail } of others) {
      assert.equal(verdict, 'inconclusive')
      assert.match(detail, /; but the control of this Rule failed too, so the refusal proves nothing$/)
    }
    const skipped = messages.filter(
      ({ testStepFinished }) => testStepFinished?.testStepResult.status === 'SKIPPED',
    )
    assert.ok(skipped.length >= others.length)
  })

  it('that is aborted while its lab starts, starts no gateway and leaves nothing', async () => {
    const abort = new AbortController()
    let asked = 0
    const source = {
      ...reference(),
      start: async () => {
        asked++
        throw new Error('started')
      },
    }
    const starting = Run.start({ source, pki, signal: abort.signal })
    abort.abort()
    await assert.rejects(starting, { name: 'AbortError' })
    assert.equal(asked, 0)
  })

  it('that is dry starts nothing, and says what would be judged and what not', async () => {
    let asked = 0
    const source = {
      ...reference(),
      lacks: (capability: string) => (capability === 'retry' ? 'it never tries again' : undefined),
      start: async () => {
        asked++
        throw new Error('started')
      },
    }
    const run = await Run.dry({ source, pki })
    const wanted = { requirements: ['EXO-OPP-05', 'EXO-FRC-04'], tags: 'not @control' }
    const rules = select(loadFeatures(catalogue), catalogue, wanted)
    await withRun(run, () => runExamples(rules, 1))
    const examples = rules.flatMap(({ examples }) => examples)
    assert.equal(run.plan!.length, examples.length)
    // Only the examples of EXO-FRC-04 need it.
    const reasons = new Map(run.plan!.map(({ rule, inapplicable }) => [rule.requirement, inapplicable]))
    assert.deepEqual(Object.fromEntries(reasons), {
      'EXO-OPP-05': undefined,
      'EXO-FRC-04': 'it never tries again',
    })
    assert.deepEqual([asked, run.verdicts], [0, []])
  })
})

describe('the run of the steps', () => {
  const pki = new Pki()
  const dry = () => Run.dry({ source: reference(), pki })

  it('is the one that was set, except for work that has its own run', async () => {
    const [main, beside, another] = await Promise.all([dry(), dry(), dry()])
    useRun(main)
    try {
      const seen = await Promise.all(
        [beside, another].map(run =>
          withRun(run, async () => {
            await Promise.resolve()
            return currentRun()
          }),
        ),
      )
      assert.deepEqual(
        seen.map(run => [beside, another].indexOf(run!)),
        [0, 1],
      )
      assert.ok(currentRun() === main)
    } finally {
      useRun(undefined)
    }
    assert.equal(currentRun(), undefined)
  })
})
