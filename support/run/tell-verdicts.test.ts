import assert from 'node:assert/strict'
import { mock } from 'node:test'
import { sampleRun } from '../test-bed/fixtures/sample-run.ts'
import type { VerdictName } from '../verdicts/verdict.ts'
import { Telling } from './tell-verdicts.ts'

describe('telling of verdicts', () => {
  const [sample] = sampleRun().verdicts
  const told: [key: string, held: boolean][] = []
  const telling = new Telling((key, _, held) => told.push([key, held]))
  let ended = false
  const judged = (key: string, verdict: VerdictName) =>
    telling.judged(key, { ...sample!, verdict }, () => ended)

  beforeEach(() => {
    told.length = 0
    ended = false
    mock.timers.enable({ apis: ['setTimeout'] })
  })
  afterEach(() => mock.timers.reset())

  it('is at once of what is kept', () => {
    judged('a', 'conformant')
    assert.deepEqual(told, [['a', false]])
  })

  it('holds what was found with a gateway that has ended, also if that is known later', () => {
    judged('a', 'non-conformant')
    assert.deepEqual(told, [])
    ended = true
    mock.timers.tick(500)
    judged('b', 'non-conformant')
    assert.deepEqual(told, [
      ['a', true],
      ['b', true],
    ])
  })

  it('does not hold what was found with a gateway that goes on', () => {
    judged('a', 'declined')
    mock.timers.tick(500)
    assert.deepEqual(told, [['a', false]])
  })

  it('tells of everything when it is told to, and of nothing twice', () => {
    judged('a', 'non-conformant')
    telling.flush()
    mock.timers.tick(500)
    assert.deepEqual(told, [['a', false]])
  })
})
