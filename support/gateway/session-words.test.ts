import assert from 'node:assert/strict'
import type { Adapter } from './adapter.ts'
import { sessionWords } from './session-words.ts'

/** `3 tls TLSv1.3`, `3 verified`, `3 clear`, `3 for NAME`; without a number the line stands for itself. */
const adapter: Pick<Adapter, 'session' | 'sessionOf'> = {
  sessionOf: line => /^\d+/.exec(line)?.[0],
  session(line) {
    const version = /tls (\S+)/.exec(line)?.[1]
    if (version) return { tls: true, version }
    if (line.includes('verified')) return { tls: true, verified: true }
    return line.includes('clear') ? { tls: false } : undefined
  },
}

describe('what a log says about sessions', () => {
  it('has every session of which a line mentions the text, oldest first', () => {
    const lines = ['1 for a.test', '2 for b.test', '2 tls TLSv1.2', '1 tls TLSv1.3', '1 done']
    assert.deepEqual(sessionWords(lines, 'a.test', adapter), [
      { tls: true, version: 'TLSv1.3', line: '1 tls TLSv1.3' },
    ])
  })

  it('is one word if several lines are about one session', () => {
    const lines = ['1 tls TLSv1.3', '2 tls TLSv1.2', '1 verified', '1 for a.test']
    assert.deepEqual(sessionWords(lines, 'a.test', adapter), [
      { tls: true, version: 'TLSv1.3', verified: true, line: '1 tls TLSv1.3 | 1 verified' },
    ])
  })

  it('is two words if a session went on without TLS', () => {
    const lines = ['1 tls TLSv1.3', '1 clear', '1 for a.test']
    assert.deepEqual(
      sessionWords(lines, 'a.test', adapter).map(({ tls }) => tls),
      [true, false],
    )
  })

  it('is one word for each line if the lines name no session', () => {
    const lines = ['tls TLSv1.3 a.test', 'verified a.test']
    assert.equal(sessionWords(lines, 'a.test', adapter).length, 2)
  })
})
