import assert from 'node:assert/strict'
import { mock } from 'node:test'
import { loadCatalogue } from '../catalogue/catalogue.ts'
import { loadFeatures, select } from '../catalogue/features.ts'
import { Pki } from '../pki/pki.ts'
import { reference } from '../reference/gateway.ts'
import { handOver } from '../traffic/delivering.ts'
import { compose } from '../traffic/message.ts'
import type { Deviation } from '../verdicts/deviations.ts'
import { broken, kept, type Observation, refused, unclear } from '../verdicts/observation.ts'
import type { RecordedVerdict } from '../verdicts/record.ts'
import type { VerdictName } from '../verdicts/verdict.ts'
import { greets } from '../wire/smtp/greeting.ts'
import { until } from '../wire/until.ts'
import { runExamples } from './cucumber.ts'
import { currentRun, useRun, withRun } from './current.ts'
import { type Late, Run } from './run.ts'

const MUST = 'EXO-FRC-01'
const catalogue = loadCatalogue()
const examplesOf = (requirement: string) =>
  select(loadFeatures(catalogue), catalogue, { requirements: [requirement] }).flatMap(({ uri, examples }) =>
    examples.map(({ line, control }) => ({ place: `${uri}:${line}`, control })),
  )
const [control, example] = [true, false].map(
  wanted => examplesOf(MUST).find(({ control }) => control === wanted)!.place,
) as [string, string]

const deviation = (changed: Partial<Deviation> = {}): Deviation => ({
  requirement: MUST,
  symptom: 'arrived in clear',
  why: 'it always did',
  since: '2026-11-21',
  ...changed,
})

describe('a run', () => {
  const pki = new Pki()
  const runs: Run[] = []
  afterEach(() => Promise.all(runs.splice(0).map(run => run.stop())))

  async function started(deviations: Deviation[] = [], told: string[] = []): Promise<Run> {
    const listener = {
      began: () => {},
      judged: (key: string, { verdict }: RecordedVerdict) => void told.push(`${key} ${verdict}`),
    }
    const run = await Run.start({ source: reference(), pki, deviations, listener, aftermath: 0 })
    runs.push(run)
    return run
  }
  /** A verdict as it is before anything became of it later. */
  function recorded(
    run: Run,
    place: string,
    seen: Observation,
    late?: () => Observation | undefined,
    more: Partial<Late> = {},
  ) {
    const located = run.example(place)
    const { level } = run.catalogue.get(located.rule.requirement)
    const verdict: RecordedVerdict = {
      ...{ requirement: located.rule.requirement, level, actor: 'sender', scenario: place },
      ...{ title: located.title, control: located.control, durationMs: 1 },
      ...run.judge(located, seen),
      seen: { conversations: [], notes: [], steps: [] },
    }
    run.record('key', located, verdict, {
      tested: [],
      all: [],
      ...(late ? { late: { partners: [], observed: late, ...more } } : {}),
    })
    return verdict
  }

  it('knows every example by its place, and no other', async () => {
    const run = await started()
    for (const { place, control } of examplesOf(MUST)) assert.equal(run.example(place).control, control)
    assert.throws(() => run.example('features/nowhere.feature:1'), /is no example of the suite/)
  })

  it('has a lab and a gateway while it lasts, and nothing of them afterwards, whoever ends it', async () => {
    const run = await started()
    const { inbound } = await run.gateways.with()
    assert.equal(await greets(inbound), true)
    await Promise.all([run.stop(), run.stop()])
    await run.stop()
    assert.equal(await greets(inbound), false)
  })

  it('stops its lab, too, where its gateways cannot be stopped, and tells what may be left', async () => {
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

  it('hands messages over on one submission for each gateway', async () => {
    const run = await started()
    const [shared, own] = [await run.gateways.with(), await run.gateways.ofOwn()]
    assert.equal(run.submission(shared), run.submission(shared))
    assert.notEqual(run.submission(shared), run.submission(own))
  })

  describe('judges', () => {
    const cases: [what: string, deviations: Deviation[], seen: Observation, verdict: VerdictName][] = [
      ['what is kept', [], kept('it was held back'), 'conformant'],
      ['what is broken', [], broken('the message arrived in clear'), 'non-conformant'],
      ['what is not clear', [], unclear('nothing was seen'), 'inconclusive'],
      ['what is recorded', [deviation()], broken('the message arrived in clear'), 'deviates'],
      [
        'what is broken in another way than is recorded',
        [deviation()],
        broken('it was lost'),
        'non-conformant',
      ],
      [
        'what is recorded of another requirement',
        [deviation({ requirement: 'EXO-FRC-02' })],
        broken('the message arrived in clear'),
        'non-conformant',
      ],
      [
        'what is recorded of another version',
        [deviation({ versions: '>=2' })],
        broken('the message arrived in clear'),
        'non-conformant',
      ],
    ]
    for (const [what, deviations, seen, verdict] of cases)
      it(`${what}: ${verdict}`, async () => {
        const run = await started(deviations)
        assert.equal(run.judge(run.example(example), seen).verdict, verdict)
      })

    for (const held of [true, false])
      it(`a refusal after a control that ${held ? 'held' : 'did not hold'}`, async () => {
        const run = await started()
        recorded(run, control, held ? kept('it arrived') : unclear('nothing came'))
        assert.equal(
          run.judge(run.example(example), refused('it was held back')).verdict,
          held ? 'conformant' : 'inconclusive',
        )
        // What is seen on the wire counts whatever became of the control.
        assert.equal(run.judge(run.example(example), broken('in clear')).verdict, 'non-conformant')
      })

    it('a refusal by the control of its own rule alone', async () => {
      const run = await started()
      const foreign = examplesOf('EXO-FRC-02').find(({ control }) => control)!.place
      recorded(run, foreign, unclear('nothing came'))
      assert.equal(run.judge(run.example(example), refused('it was held back')).verdict, 'conformant')
    })
  })

  it('tells each verdict as it is recorded', async () => {
    const told: string[] = []
    const run = await started([], told)
    recorded(run, control, kept('it arrived'))
    recorded(run, example, broken('it arrived in clear'))
    assert.deepEqual(told, ['key conformant', 'key non-conformant'])
    assert.equal(run.verdicts.length, 2)
  })

  describe('settles', () => {
    const HELD = refused('deferred after 1 connection')
    const LATE = broken('the message arrived in clear after the gateway had said that it is held back')

    it('what was held back and has gone out since', async () => {
      const run = await started()
      const verdict = recorded(run, example, HELD, () => LATE)
      assert.equal(verdict.verdict, 'conformant')
      await run.settle(0)
      assert.deepEqual([verdict.verdict, verdict.detail], ['non-conformant', LATE.detail])
      assert.deepEqual([run.verdicts.length, run.verdicts[0]], [1, verdict])
    })

    it('that as recorded where it is', async () => {
      const run = await started([deviation()])
      const verdict = recorded(run, example, HELD, () => LATE)
      await run.settle(0)
      assert.equal(verdict.verdict, 'deviates')
    })

    it('what stayed as what it was', async () => {
      const run = await started()
      const verdict = recorded(run, example, HELD, () => undefined)
      await run.settle(0)
      assert.deepEqual([verdict.verdict, verdict.detail], ['conformant', HELD.detail])
    })

    it('nothing that was broken already, and nothing twice', async () => {
      const run = await started()
      let asked = 0
      const late = () => {
        asked++
        return undefined
      }
      recorded(run, example, broken('in clear'), late)
      recorded(run, example, HELD, late)
      await run.settle(0)
      await run.settle(0)
      assert.equal(asked, 1)
    })

    it('what was still under way, once that is over', async () => {
      const run = await started()
      const [partner] = await run.lab.partners([{ domain: run.lab.freshDomain('*.forced.test') }])
      const message = compose({ from: 'a@gateway.test', to: [`b@${partner!.domain}`] })
      const delivered = handOver(message, {
        endpoint: { host: partner!.hosts[0]!.address, port: run.lab.port },
        hostname: partner!.hosts[0]!.hostname,
        behaviour: { tls: 'uses' },
        pki,
      })
      assert.ok(await until(() => partner!.conversations.length > 0, [partner!], 10_000))
      const late = () => (partner!.messages.length > 0 ? LATE : undefined)
      const verdict = recorded(run, example, HELD, late, { partners: [partner!] })
      await run.settle(0)
      assert.equal(verdict.verdict, 'non-conformant')
      await delivered
    })

    it('what others wait behind as soon as it can be, and gives it back then', async () => {
      const run = await started()
      let given = ''
      const verdict = recorded(run, example, HELD, () => LATE, {
        over: async () => {
          given = verdict.verdict
        },
      })
      await run.settle(0)
      assert.deepEqual([verdict.verdict, given], ['non-conformant', 'non-conformant'])
    })

    it('as a fault of the lab what cannot be given back', async () => {
      const run = await started()
      const over = () => Promise.reject(new Error('it cannot be stopped'))
      const verdict = recorded(run, example, HELD, () => undefined, { over })
      await run.settle(0)
      assert.deepEqual([verdict.verdict, verdict.detail], ['lab-error', 'it cannot be stopped'])
    })

    it('at once where nothing was held back', async () => {
      const run = await started()
      recorded(run, example, HELD)
      const began = performance.now()
      await run.settle(5_000)
      assert.ok(performance.now() - began < 4_000)
    })
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

  it('on paper starts nothing, and says what would be judged and what not', async () => {
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
    const wanted = { requirements: [MUST, 'EXO-FRC-04'], tags: 'not @control' }
    const rules = select(loadFeatures(catalogue), catalogue, wanted)
    await withRun(run, () => runExamples(rules, 1))
    const examples = rules.flatMap(({ examples }) => examples)
    assert.equal(run.plan!.length, examples.length)
    const reasons = new Set(
      examples.map(({ tags }) => (tags.has('retry') ? 'it never tries again' : undefined)),
    )
    assert.deepEqual(new Set(run.plan!.map(({ inapplicable }) => inapplicable)), reasons)
    assert.deepEqual([asked, run.verdicts], [0, []])
  })
})

describe('the run of the steps', () => {
  const pki = new Pki()
  const dry = () => Run.dry({ source: reference(), pki })

  it('is the one that was set, but for what runs beside it', async () => {
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
