import assert from 'node:assert/strict'
import type { Reply } from '../wire/smtp/smtp.ts'
import { passwordsRefusedAlike } from './session.ts'

describe('judging two unencrypted passwords', () => {
  const reply = (text: string): Reply => ({
    code: Number(text.slice(0, 3)),
    text,
    lines: [text.slice(4)],
    secured: false,
  })
  const kind = (right: string, wrong: string) =>
    passwordsRefusedAlike(
      (['PLAIN', 'LOGIN'] as const).flatMap(mechanism => [
        { mechanism, password: 'right', reply: reply(right) },
        { mechanism, password: 'wrong', reply: reply(wrong) },
      ]),
    ).kind

  it('wants the same refusal of both', () => {
    assert.equal(kind('538 5.7.11 TLS first', '538 5.7.11 TLS first'), 'kept')
    assert.equal(kind('538 5.7.11 TLS first', '535 5.7.8 Wrong'), 'broken')
    assert.equal(kind('538 5.7.11 TLS first (you)', '538 5.7.11 TLS first (who)'), 'broken')
    assert.equal(kind('235 2.7.0 Welcome', '535 5.7.8 Wrong'), 'broken')
  })

  it('does not mind a mark that each reply has of its own', () => {
    const marks = ['(nRdyd3dP1hfIFIVWt6e49A)', '(j63Qv5PajjoOclj4j99TLA)']
    assert.equal(kind(`538 5.7.11 TLS first ${marks[0]}`, `538 5.7.11 TLS first ${marks[1]}`), 'kept')
    assert.equal(kind(`538 5.7.11 TLS first ${marks[0]}`, `535 5.7.8 Wrong ${marks[1]}`), 'broken')
  })
})
