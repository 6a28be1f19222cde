import assert from 'node:assert/strict'
import { loadDimensions } from '../circumstances/dimensions.ts'
import type { InboundConnector } from '../mailflow/mail-flow.ts'
import type { SenderBehaviour } from './client-behaviour.ts'
import {
  CLIENT_MANNERS,
  type ClientManner,
  fits,
  fitting,
  fittingMessage,
  neededKeywords,
} from './client-manner.ts'
import { ADDRESS_MANNERS, MESSAGE_MANNERS } from './message.ts'

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
    [{ extraCommands: 'MAIL and RSET before STARTTLS' }, TLS, true],
    [{ extraCommands: 'MAIL and RSET before STARTTLS' }, UNENCRYPTED, false],
    [{ transfer: 'BDAT with the envelope pipelined' }, { tls: 'uses', cuts: true }, false],
    [{ transfer: 'BDAT in one chunk' }, { tls: 'uses', cuts: true }, true],
    [{ transfer: 'BDAT in one chunk' }, { tls: 'uses', endsTlsIn: 'the message' }, false],
    [{ commandCase: 'lower case' }, { tls: 'uses', endsTlsIn: 'the message' }, true],
  ]
  it('does not fit with a null sender where the mailbox needs a return path', () => {
    const receiving = { connectors: [], domain: 'a.test' }
    assert.equal(fits({ sender: 'null' }, TLS, receiving), true)
    assert.equal(fits({ sender: 'null' }, TLS, { ...receiving, mailbox: { needsReturnPath: true } }), false)
  })
  it('does not fit with HELO and a text of 8 bits', () => {
    const receiving = { connectors: [], domain: 'a.test', message: { text: '8-bit' as const } }
    assert.equal(fits({ greeting: 'HELO in place of EHLO' }, UNENCRYPTED, receiving), false)
    assert.equal(fits({ greeting: 'EHLO twice' }, UNENCRYPTED, receiving), true)
  })

  it('leaves a text of 8 bits out where the mailbox takes none', () => {
    const manner = { text: '8-bit', headerForm: 'folded' } as const
    assert.deepEqual(fittingMessage(manner, undefined), manner)
    assert.deepEqual(fittingMessage(manner, { sevenBitOnly: true }), { headerForm: 'folded' })
    assert.deepEqual(fittingMessage({ text: 'empty' }, { sevenBitOnly: true }), { text: 'empty' })
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

describe('the part of a manner that fits', () => {
  it('leaves out what does not fit, and keeps the rest', () => {
    const manner: ClientManner = {
      greeting: 'HELO in place of EHLO',
      session: 'resumed by ticket',
      commandCase: 'lower case',
      transfer: 'BDAT in one chunk',
    }
    const { greeting, ...others } = manner
    assert.deepEqual(fitting(manner, { tls: 'uses' }), others)
    assert.deepEqual(fitting(manner, { tls: 'does not use' }), { greeting, commandCase: 'lower case' })
  })
})

describe('the dimensions of clients and messages', () => {
  const dimensions = loadDimensions()
  const values = (part: 'client' | 'message', role: 'receiver' | 'sender') =>
    dimensions
      .filter(one => one.role === role)
      .flatMap(one => one.values.flatMap(({ sets }) => Object.entries(sets[part] ?? {})))
      .filter(([key]) => key !== 'size')
  const known = (manners: Record<string, readonly string[]>) =>
    Object.entries(manners).flatMap(([key, all]) => all.map(value => [key, value]))

  it('have every manner that a client can have, and no other', () => {
    assert.deepEqual(values('client', 'receiver'), known(CLIENT_MANNERS))
    assert.deepEqual(values('client', 'sender'), [])
  })

  it('have every manner that a message can have, and no other', () => {
    assert.deepEqual(values('message', 'receiver'), known(MESSAGE_MANNERS))
    assert.deepEqual(values('message', 'sender'), known({ ...ADDRESS_MANNERS, ...MESSAGE_MANNERS }))
  })

  it('name the keyword that a manner needs', () => {
    for (const { values } of dimensions)
      for (const { needs, sets } of values) {
        const needed = neededKeywords((sets.client ?? {}) as ClientManner)
        if (needed.size > 0) assert.ok(needs !== undefined && needed.has(needs), JSON.stringify(sets))
        else if (sets.client) assert.equal(needs, undefined)
      }
  })
})
