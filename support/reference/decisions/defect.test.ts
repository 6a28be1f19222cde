import assert from 'node:assert/strict'
import { onlyWhere, overridden } from './defect.ts'
import { carries } from './situation.ts'

describe('the decisions of a gateway with a defect', () => {
  const correct = {
    mayPass: ({ size }: { size: number }): boolean => size < 10,
    greeting: (_at: { size: number }): string => 'welcome',
  }

  it('are the correct ones without an override', () => {
    assert.deepEqual(overridden(correct), correct)
  })

  it('override one decision, told the situation and what is correct in it', () => {
    const { mayPass, greeting } = overridden(correct, { mayPass: ({ size }, right) => right || size > 100 })
    assert.deepEqual(
      [5, 50, 500].map(size => mayPass({ size })),
      [true, false, true],
    )
    assert.equal(greeting({ size: 50 }), 'welcome')
  })

  it('are correct where the condition of an override does not hold', () => {
    const large = onlyWhere(({ size }: { size: number }) => size > 100, { greeting: () => 'go away' })
    const { greeting } = overridden(correct, large)
    assert.deepEqual([greeting({ size: 5 }), greeting({ size: 500 })], ['welcome', 'go away'])
  })
})

describe('a certificate', () => {
  const CARRIES: [names: string[], expected: string, carries: boolean][] = [
    [['mail.partner.test'], 'mail.partner.test', true],
    [['MAIL.partner.test'], 'mail.Partner.test', true],
    [['*.partner.test'], 'mail.partner.test', true],
    [['mail.partner.test'], '*.partner.test', true],
    [['*.partner.test'], '*.partner.test', true],
    [['partner.test', 'a.mail.partner.test', 'evilpartner.test'], '*.partner.test', false],
    [['*.partner.test'], 'partner.test', false],
    [['*.partner.test'], 'a.mail.partner.test', false],
    [['evilmail.partner.test', 'mail.partner.test.other.test'], 'mail.partner.test', false],
    [[], 'mail.partner.test', false],
  ]
  for (const [names, expected, answer] of CARRIES)
    it(`for ${names.join(', ') || 'no name'} ${answer ? 'carries' : 'does not carry'} ${expected}`, () => {
      assert.equal(carries(names, expected), answer)
    })
})
