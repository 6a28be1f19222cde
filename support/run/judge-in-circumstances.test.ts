import assert from 'node:assert/strict'
import { loadCatalogue } from '../catalogue/catalogue.ts'
import { loadFeatures, select } from '../catalogue/features.ts'
import { loadDimensions } from '../circumstances/dimensions.ts'
import type { Defect } from '../reference/decisions/defect.ts'
import { reference } from '../reference/gateway.ts'
import { withRun } from './current.ts'
import { judgeAll } from './judge-all.ts'
import { judgeInCircumstances, judgeUnder } from './judge-in-circumstances.ts'
import { Run, type RunListener } from './run.ts'

const AFTER_HELO: Defect = {
  receiver: { refusalOfSender: ({ greeting }, correct) => (greeting === 'HELO' ? undefined : correct) },
}
const HELO = 'how the client greets: HELO in place of EHLO'

describe('judging in circumstances', () => {
  async function judged(
    defect: Defect,
    requirements = ['EXO-FRC-11'],
    count = 8,
    within = 60_000,
    listener?: RunListener,
  ) {
    const run = await Run.start({ source: reference(defect), ...(listener ? { listener } : {}) })
    try {
      const catalogue = loadCatalogue()
      const rules = select(loadFeatures(catalogue), catalogue, { requirements })
      const most = { receiver: count, sender: count }
      const tried = await withRun(run, async () => {
        await judgeAll(run, rules, 4)
        return judgeInCircumstances(run, rules, { strength: 2, most, seed: 'one', parallel: 4, within })
      })
      return { verdicts: run.verdicts, ofControls: run.record.ofFailedControls(), tried: tried! }
    } finally {
      await run.stop()
    }
  }

  it('finds nothing in a gateway without a defect, and tells what it tried', async () => {
    const { verdicts, tried } = await judged({})
    for (const { verdict, circumstances, seen } of verdicts) {
      assert.equal(verdict, 'conformant')
      assert.deepEqual(circumstances, { tried: 8, broken: 0, unclear: 0, cells: [] })
      assert.deepEqual([seen.cells?.length, seen.cells?.[0]?.circumstances], [9, []])
    }
    assert.deepEqual(tried.combinations, { receiver: 8, sender: 0 })
    assert.deepEqual([tried.examples, tried.judgements], [verdicts.length, verdicts.length * 8])
    const lower = tried.values.find(({ value }) => value === 'lower case')!
    assert.deepEqual([lower.examples, lower.broken, lower.unclear], [verdicts.length, 0, 0])
    const left = tried.values.filter(({ notOffered }) => notOffered)
    assert.ok(left.length > 0 && left.every(({ examples }) => examples === 0))
  })

  it('begins no further example when the time is over', async () => {
    const { tried } = await judged({}, ['EXO-FRC-11'], 8, 1)
    assert.ok(tried.notTried! > 0)
  })

  it('keeps a finding that shows again when the time is over, with the circumstances that are known by then', async () => {
    const { now } = performance
    const listener = {
      doing(what: string) {
        if (what === 'circumstances: 24 of 24 passes') performance.now = () => now.call(performance) + 600_000
      },
      ...{ began() {}, judged() {} },
    }
    try {
      const { verdicts } = await judged(AFTER_HELO, ['EXO-FRC-11'], 24, 60_000, listener)
      const broken = verdicts.filter(({ verdict }) => verdict !== 'conformant')
      assert.ok(broken.length > 0)
      for (const { verdict, detail, circumstances } of broken) {
        assert.equal(verdict, 'non-conformant', detail)
        assert.ok(circumstances!.only!.includes(HELO) && circumstances!.only!.length > 1, detail)
      }
    } finally {
      performance.now = now
    }
  })

  it('names the fewest circumstances that break an example, and keeps what it saw plainly', async () => {
    // HELO does not go with every other circumstance.
    const { verdicts, tried } = await judged(AFTER_HELO, ['EXO-FRC-11'], 24)
    const only = [HELO]
    const broken = verdicts.filter(({ verdict }) => verdict !== 'conformant')
    assert.ok(broken.length > 0)
    for (const { verdict, detail, circumstances, seen } of broken) {
      assert.equal(verdict, 'non-conformant', detail)
      assert.ok(detail.endsWith(`(only when ${only})`), detail)
      assert.deepEqual(circumstances!.only, only)
      assert.deepEqual(circumstances!.cells[0]!.circumstances, only)
      assert.ok(circumstances!.broken > 0)
      assert.equal(seen.cells![0]!.verdict, 'conformant')
      assert.match(seen.cells![0]!.detail, /refused/)
    }
    const helo = tried.values.find(({ value }) => value === 'HELO in place of EHLO')!
    assert.equal(helo.broken, broken.length)
  })

  describe('by the recipients of the sent message', () => {
    const values = loadDimensions().find(({ name }) => name === 'the recipients of the sent message')!.values
    const catalogue = loadCatalogue()

    async function under(value: string, defect: Defect, requirements: string[]) {
      const run = await Run.start({ source: reference(defect) })
      try {
        const rules = select(loadFeatures(catalogue), catalogue, { requirements })
        const combination = values.filter(one => one.value === value)
        return await withRun(run, () => judgeUnder(run, rules, combination, 4))
      } finally {
        await run.stop()
      }
    }
    const APART: Defect = { queue: { sendsApart: () => true } }
    const [TWO, OTHER_FIRST, OTHER_LAST] = values.map(({ value }) => value) as [string, string, string]
    /** A recipient for whom TLS is optional, or the last one. */
    const WRONG: Record<string, Defect> = {
      [TWO]: {
        ...APART,
        sender: {
          mayGoInClear: ({ recipients: [own], allRecipients }, correct) =>
            correct || allRecipients.indexOf(own!) > 0,
        },
      },
      [OTHER_FIRST]: {
        sender: { level: ({ levels }, correct) => (levels.length > 1 ? levels[0]! : correct) },
      },
      [OTHER_LAST]: { sender: { level: ({ levels }, correct) => levels[1] ?? correct } },
    }

    for (const [value, defect] of Object.entries(WRONG))
      it(`finds a gateway that decides by another one: ${value}`, async () => {
        const verdicts = await under(value, defect, ['EXO-FRC-01'])
        const broken = verdicts.filter(({ verdict }) => verdict === 'non-conformant')
        assert.ok(broken.length > 0)
        assert.ok(broken.every(({ detail }) => /unencrypted/.test(detail)))
      })

    it('soon leaves a gateway alone that takes one recipient at a time', async () => {
      let refused = 0
      const oneAtATime: Defect = {
        receiver: {
          replyInstead: ({ verb, recipients }, correct) => {
            if (verb !== 'RCPT' || recipients.length === 0) return correct
            refused++
            return '552 5.5.3 Too many recipients'
          },
        },
      }
      const verdicts = await under(TWO, oneAtATime, ['EXO-FRC-01', 'EXO-FRC-04', 'EXO-OPP-04', 'EXO-FRC-07'])
      assert.ok(!verdicts.some(({ verdict }) => verdict === 'non-conformant'))
      assert.ok(refused >= 2 && refused < 8, `${refused}`)
      assert.ok(verdicts.filter(({ verdict }) => verdict === 'conformant').length > refused)
    })

    for (const value of [TWO, OTHER_FIRST, OTHER_LAST])
      it(`finds nothing in a gateway that sends to each apart: ${value}`, async () => {
        const verdicts = await under(value, APART, ['EXO-FRC-01', 'EXO-OPP-04', 'EXO-OPP-06'])
        for (const { verdict, detail } of verdicts) assert.equal(verdict, 'conformant', detail)
        const came = verdicts.filter(({ seen }) => seen.held?.length === 1)
        assert.ok(came.length > 1, `${came.length}`)
      })
  })

  it('holds a control that fails under some circumstances against the requirement that it breaks', async () => {
    const { verdicts, ofControls } = await judged(
      {
        receiver: {
          answersHello: ({ helo, role }) =>
            role === 'inbound' && helo.startsWith('[') ? 'with a reset' : 'with TLS',
        },
      },
      ['EXO-FRC-11', 'EXO-FRC-15', 'EXO-OPP-07'],
    )
    const only = /\(only when .*address literal.*\)/
    const [finding, ...more] = ofControls
    assert.deepEqual([finding?.requirement, finding?.verdict, more], ['RFC3207-01', 'non-conformant', []])
    assert.match(finding!.detail, only)
    const failed = verdicts.filter(({ failed }) => failed)
    assert.ok(failed.length > 0)
    for (const { control, verdict, detail } of failed) {
      assert.deepEqual([control, verdict], [true, 'inconclusive'])
      assert.match(detail, only)
    }
    assert.ok(verdicts.every(({ verdict }) => verdict === 'conformant' || verdict === 'inconclusive'))
  })

  describe('of a gateway that refuses messages', () => {
    const refusing = (fits: (content: string) => boolean): Defect => {
      let refused = false
      return {
        receiver: {
          stored: ({ content }, correct) => {
            refused = fits(content)
            return refused ? undefined : correct
          },
          replyToMessage: (_, correct) => (refused ? '554 5.6.0 not such a message' : correct),
        },
      }
    }
    const text = 'the text of the delivered message'

    it('finds one that reads the text as commands', async () => {
      const { verdicts, ofControls } = await judged(
        refusing(content => content.includes('STARTTLS')),
        ['EXO-OPP-07'],
        9,
      )
      const [finding] = [...verdicts, ...ofControls].filter(({ verdict }) => verdict === 'non-conformant')
      assert.equal(finding!.requirement, 'EXO-MSG-04')
      assert.match(finding!.detail, /554 5\.6\.0.* \(only when .*: a line that says STARTTLS\)/)
    })

    it('leaves alone one that takes no message without a text', async () => {
      const { verdicts, ofControls, tried } = await judged(
        refusing(content => /\r\n\r\n(\r\n)*$/.test(content)),
        ['EXO-OPP-07'],
        9,
      )
      const named = ({ dimension, value }: { dimension: string; value: string }) =>
        dimension === text && value === 'empty'
      assert.ok(tried.values.find(named)!.examples > 0)
      assert.deepEqual(
        [...verdicts, ...ofControls].filter(({ verdict }) => verdict === 'non-conformant'),
        [],
      )
    })
  })

  it('finds a gateway that ends by itself under some circumstances', async () => {
    const { verdicts } = await judged(
      {
        receiver: {
          refusalOfSender: ({ greeting }, correct) => {
            if (greeting === 'HELO' && correct) throw new Error('a defect')
            return correct
          },
        },
      },
      ['EXO-FRC-11'],
      24,
    )
    const broken = verdicts.filter(({ verdict }) => verdict !== 'conformant')
    assert.ok(broken.length > 0)
    for (const { verdict, detail, control } of broken) {
      assert.deepEqual([verdict, control], ['non-conformant', false], detail)
      assert.match(detail, /ended by itself .* \(only when how the client greets: HELO in place of EHLO\)$/)
    }
  })
})
