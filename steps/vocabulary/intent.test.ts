import assert from 'node:assert/strict'
import { Intent } from './intent.ts'

interface Subjects {
  partner: {
    starttls?: { hides?: boolean; refuses?: number }
    tls?: { maxVersion?: string; flaws?: Set<string> }
  }
  client: { tls?: string; cuts?: true }
}

describe('the intent of an example', () => {
  let intent: Intent<Subjects>
  beforeEach(() => {
    intent = new Intent()
  })

  type Patch = Parameters<Intent<Subjects>['add']>
  const say = (sentence: string, ...[subject, patch]: Patch) => {
    intent.sentence = sentence
    intent.add(subject, patch)
  }

  it('adds up what several Givens say of one subject', () => {
    say('it hides STARTTLS', 'partner', { starttls: { hides: true } })
    say('it supports TLS 1.2 at most', 'partner', { tls: { maxVersion: 'TLSv1.2' } })
    say('it refuses STARTTLS', 'partner', { starttls: { refuses: 454 } })
    assert.deepEqual(intent.read('partner'), {
      starttls: { hides: true, refuses: 454 },
      tls: { maxVersion: 'TLSv1.2' },
    })
  })

  it('adds up the elements of a set', () => {
    say('it is expired', 'partner', { tls: { flaws: new Set(['expired']) } })
    say('it is self-signed', 'partner', { tls: { flaws: new Set(['self-signed']) } })
    assert.deepEqual(intent.read('partner').tls?.flaws, new Set(['expired', 'self-signed']))
  })

  it('tells of what was said, which does not count as read', () => {
    say('it supports TLS 1.2 at most', 'partner', { tls: { maxVersion: 'TLSv1.2' } })
    assert.deepEqual([intent.said('partner'), intent.said('client')], [['tls.maxVersion'], []])
    assert.deepEqual(intent.unread, ['it supports TLS 1.2 at most'])
  })

  it('refuses a Given that contradicts an earlier one', () => {
    say('one', 'partner', { tls: { maxVersion: 'TLSv1.2' } })
    assert.throws(() => say('other', 'partner', { tls: { maxVersion: 'TLSv1.1' } }), {
      message: '"other" contradicts what "one" says',
    })
  })

  it('refuses a Given that says again what an earlier one says', () => {
    say('one', 'client', { cuts: true })
    assert.throws(() => say('other', 'client', { cuts: true }), {
      message: '"other" says again what "one" says',
    })
    say('is expired', 'partner', { tls: { flaws: new Set(['expired']) } })
    assert.throws(() => say('is expired, too', 'partner', { tls: { flaws: new Set(['expired']) } }), {
      message: '"is expired, too" says again what "is expired" says',
    })
  })

  it('refuses a Given that changes nothing', () => {
    assert.throws(() => say('it offers STARTTLS', 'partner', {}), {
      message: '"it offers STARTTLS" changes nothing',
    })
  })

  it('knows which sentences nothing has read', () => {
    say('it does not use TLS and cuts', 'client', { tls: 'does not use', cuts: true })
    say('it hides STARTTLS', 'partner', { starttls: { hides: true } })
    assert.deepEqual(intent.unread, ['it does not use TLS and cuts', 'it hides STARTTLS'])
    intent.read('partner')
    // Half of a sentence is not enough.
    assert.deepEqual(intent.read('client', 'tls'), { tls: 'does not use' })
    assert.deepEqual(intent.unread, ['it does not use TLS and cuts'])
    intent.read('client', 'cuts')
    assert.deepEqual(intent.unread, [])
  })
})
