import assert from 'node:assert/strict'
import { MAX_WAIT, patience } from './patience.ts'

describe('patience', () => {
  const cases: [text: string | undefined, ms: number][] = [
    [undefined, 10_000],
    ['', 10_000],
    ['2500', 2_500],
    ['1', 100],
    ['100', 100],
    ['60000', 60_000],
    ['3600000', 60_000],
    ['-5', 10_000],
    ['1e3', 10_000],
    ['soon', 10_000],
  ]
  for (const [text, ms] of cases)
    it(`is ${ms} ms where ${text === undefined ? 'nothing' : `"${text}"`} is said`, () =>
      assert.equal(patience(text), ms))

  it('is what the environment says', () => {
    assert.equal(MAX_WAIT, patience(process.env['MAIL_TLS_PATIENCE']))
  })
})
