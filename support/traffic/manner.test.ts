import assert from 'node:assert/strict'
import type { InboundConnector } from '../mailflow/mail-flow.ts'
import type { SenderBehaviour } from './client-behaviour.ts'
import { type ClientManner, fits } from './manner.ts'

const CONNECTORS: InboundConnector[] = [
  { from: '*.required.test', tls: 'required' },
  { from: '*.certified.test', tls: 'required', clientCertificate: 'mail.certified.test' },
  { from: '*.open.test', tls: 'opportunistic' },
]

describe('a manner of a client', () => {
  const TLS: SenderBehaviour = { tls: 'uses' }
  const UNENCRYPTED: SenderBehaviour = { tls: 'does not use' }
  const FITTING: [ClientManner, SenderBehaviour, boolean, string?][] = [
    [{}, TLS, true],
    [{ greeting: 'HELO in place of EHLO' }, UNENCRYPTED, true],
    [{ greeting: 'HELO in place of EHLO' }, TLS, false],
    [{ greeting: 'HELO in place of EHLO' }, { tls: 'falls back to clear' }, false],
    [{ greeting: 'HELO in place of EHLO', parameters: 'SIZE' }, UNENCRYPTED, false],
    [{ greeting: 'HELO in place of EHLO', transfer: 'BDAT in one chunk' }, UNENCRYPTED, false],
    [{ greeting: 'EHLO with an address literal' }, TLS, true],
    [{ greeting: 'EHLO with an address literal' }, { tls: 'uses', greetsAs: 'mail.other.test' }, false],
    [{ sender: 'domain in capitals' }, { tls: 'uses', inCapitals: true }, false],
    [{ sender: 'null' }, TLS, false],
    [{ sender: 'null' }, TLS, true, 'a.stranger.test'],
    [{ sender: 'null' }, TLS, true, 'a.open.test'],
    [{ sender: 'null' }, TLS, false, 'a.required.test'],
    [{ sender: 'null' }, TLS, false, 'a.certified.test'],
    [{ transfer: 'DATA with the envelope pipelined' }, { tls: 'uses', leavesAt: 'MAIL' }, false],
    [{ transfer: 'DATA with the envelope pipelined', extraCommands: 'NOOP between commands' }, TLS, false],
    [{ transfer: 'DATA with the envelope pipelined', extraCommands: 'RSET before MAIL' }, TLS, true],
    [{ transfer: 'BDAT with the envelope pipelined' }, { tls: 'uses', cuts: true }, false],
    [{ transfer: 'BDAT in one chunk' }, { tls: 'uses', cuts: true }, true],
  ]
  it('does not fit with a null sender where the mailbox needs a return path', () => {
    const receiving = { connectors: [], domain: 'a.test' }
    assert.equal(fits({ sender: 'null' }, TLS, receiving), true)
    assert.equal(fits({ sender: 'null' }, TLS, { ...receiving, mailbox: { needsReturnPath: true } }), false)
  })
  for (const [manner, behaviour, fit, domain] of FITTING) {
    const what = [manner, behaviour, domain].map(one => JSON.stringify(one)).join(' ')
    it(`${fit ? 'fits' : 'does not fit'}: ${what}`, () =>
      assert.equal(fits(manner, behaviour, domain ? { connectors: CONNECTORS, domain } : undefined), fit))
  }
})

describe('a manner of a client in TLS and over time', () => {
  const FITTING: [ClientManner, SenderBehaviour, boolean][] = [
    [{ tlsVersion: 'TLS 1.2 at most' }, { tls: 'uses' }, true],
    [{ tlsVersion: 'TLS 1.2 at most' }, { tls: 'falls back to clear' }, true],
    [{ tlsVersion: 'TLS 1.2 at most' }, { tls: 'does not use' }, false],
    [{ tlsVersion: 'TLS 1.2 at most' }, { tls: 'uses', maxVersion: 'TLSv1.1' }, false],
    [{ serverName: 'none' }, { tls: 'does not use' }, false],
    [{ serverName: 'none' }, { tls: 'uses', maxVersion: 'TLSv1.1' }, true],
    [{ session: 'resumed by ticket' }, { tls: 'does not use' }, false],
    [{ session: 'resumed by id' }, { tls: 'uses', maxVersion: 'TLSv1.3' }, false],
    [{ clientHello: 'two records' }, { tls: 'does not use' }, false],
    [{ clientHello: 'two records', session: 'resumed by id' }, { tls: 'uses' }, true],
    [{ clientHello: 'of 4,500 bytes', session: 'resumed by id' }, { tls: 'uses' }, false],
    [{ clientHello: 'of 350 bytes', tlsVersion: 'TLS 1.2 at most' }, { tls: 'uses' }, false],
    [{ history: 'a failed handshake of the same client' }, { tls: 'does not use' }, true],
    [{ earlierHistory: 'a failed handshake of the same client' }, { tls: 'uses' }, false],
  ]
  for (const [manner, behaviour, fit] of FITTING)
    it(`${fit ? 'fits' : 'does not fit'}: ${JSON.stringify(manner)} ${JSON.stringify(behaviour)}`, () =>
      assert.equal(fits(manner, behaviour), fit))
})
