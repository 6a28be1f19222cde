import assert from 'node:assert/strict'
import { printable } from './printable.ts'
import { hidePassword, withoutCredentials, withoutSecrets } from './secrets.ts'

describe('a password of the user', () => {
  before(() => hidePassword('probe', 'p\u00e4ss wörd 1'))
  const coded = (text: string) => Buffer.from(text, 'utf8').toString('base64')

  const cases: [what: string, text: string][] = [
    ['as it is', 'no p\u00e4ss wörd 1 here'],
    ['with more behind it', 'p\u00e4ss wörd 1-not'],
    ['as LOGIN writes it', `334 ${coded('p\u00e4ss wörd 1')}`],
    ['as PLAIN writes it', `AUTH PLAIN ${coded('\0probe\0p\u00e4ss wörd 1')}`],
    ['as PLAIN writes it with more behind it', coded('\0probe\0p\u00e4ss wörd 1-not')],
  ]
  for (const [what, text] of cases)
    it(`is not printed ${what}`, () => {
      const shown = printable(text)
      assert.match(shown, /\*\*\*/)
      assert.doesNotMatch(shown, /ss w|cMOkc3Mgd8O2|AHByb2JlAHDDpHNzIHfDtnJk/)
    })

  it('is not printed in part where the text is cut', () =>
    assert.equal(printable('a p\u00e4ss wörd 1', 6), 'a ***… (15 bytes)'))

  it('changes no other text', () => assert.equal(withoutSecrets('probe pass word 1'), 'probe pass word 1'))

  it('is left out of the line that logs in', () => {
    assert.equal(withoutCredentials('AUTH PLAIN AGEAYg=='), 'AUTH PLAIN ***')
    assert.equal(withoutCredentials('auth login'), 'auth login')
    assert.equal(withoutCredentials('MAIL FROM:<auth plain x>'), 'MAIL FROM:<auth plain x>')
  })
})
