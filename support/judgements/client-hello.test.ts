import { conversation, HELLO, OVER_TLS, table } from '../test-bed/fixtures/evidence.ts'
import type { ClientHello, WireEvent } from '../wire/conversation.ts'
import {
  breaksOff,
  breaksOffWithAlert,
  heedsMark,
  namesServer,
  offersNo,
  offersProtection,
} from './client-hello.ts'

const BEGUN = OVER_TLS.slice(0, 7)
const answer: WireEvent = {
  ...{ at: 7, from: 'receiver', secured: false, text: '', kind: 'server-hello', retry: false },
  ...{ version: 'TLSv1.2', suite: 'TLS_RSA_WITH_RC4_128_SHA' },
}
const goesOn: WireEvent = { at: 8, from: 'sender', secured: false, text: '', kind: 'key-exchange' }
const alert: WireEvent = {
  ...{ at: 8, from: 'sender', secured: false, text: '', kind: 'alert', level: 2, description: 47 },
}
const closed: WireEvent = { at: 9, from: 'sender', secured: false, text: '', kind: 'close' }

/** A handshake that the partner answers with what it has crafted. */
function answered(...events: WireEvent[]) {
  const begun = conversation(BEGUN)
  return { ...begun, events: [...begun.events, answer, ...events] }
}

/** A connection with one ClientHello, and with another one after it. */
function offering(...hellos: Partial<ClientHello>[]) {
  const begun = conversation(BEGUN)
  const said = hellos.map((hello): WireEvent => {
    const whole = { ...HELLO, ...hello }
    return { at: 7, from: 'sender', secured: false, text: '', kind: 'hello', hello: whole }
  })
  return [{ ...begun, events: [...begun.events.filter(({ kind }) => kind !== 'hello'), ...said] }]
}

describe('judging the server that a gateway names', () => {
  const { serverName: _, ...nameless } = HELLO
  const naming = (...names: (string | undefined)[]) =>
    namesServer(
      names.map(serverName => {
        const hello = serverName === undefined ? nameless : { ...nameless, serverName }
        const said: WireEvent = { at: 7, from: 'sender', secured: false, text: '', kind: 'hello', hello }
        const begun = conversation(BEGUN)
        return { ...begun, events: [...begun.events.filter(({ kind }) => kind !== 'hello'), said] }
      }),
      'partner.test',
    )
  table([
    ['the mail exchanger', naming('mx.partner.test'), 'kept', /^the gateway named mx\.partner\.test$/],
    ['the mail exchanger in capitals', naming('MX.Partner.test'), 'kept'],
    ['the domain', naming('partner.test'), 'kept'],
    ['nobody', naming(undefined), 'kept', /named no server$/],
    [
      'another host on a later connection',
      naming('mx.partner.test', 'mx2.partner.test'),
      'broken',
      /^to mx\.partner\.test the gateway named the server mx2\.partner\.test$/,
    ],
    ['with a dot at the end', naming('mx.partner.test.'), 'broken'],
    ['an address', naming('127.0.0.1'), 'broken'],
    [
      'there was no ClientHello',
      namesServer([conversation(OVER_TLS.slice(0, 4))], 'partner.test'),
      'unclear',
    ],
  ])
})

describe('judging what a gateway offers in its ClientHellos', () => {
  table([
    ['nothing of the kind', offersNo(offering({}), 'SSL 2 or SSL 3'), 'kept', /its only ClientHello/],
    [
      'the second hello alone',
      offersNo(offering({}, { versions: ['TLSv1', 'SSLv3'] }), 'SSL 2 or SSL 3'),
      'broken',
      /^the gateway offered SSL 2 or SSL 3: SSL 3$/,
    ],
    [
      'triple DES',
      offersNo(offering({ suites: ['TLS_RSA_WITH_3DES_EDE_CBC_SHA'] }), 'suites with 3DES'),
      'broken',
      /DES-CBC3-SHA/,
    ],
    [
      'a suite that encrypts nothing',
      offersNo(
        offering({ suites: ['TLS_RSA_WITH_NULL_SHA256'] }),
        'suites with less than 112 bits of strength',
      ),
      'broken',
      /NULL-SHA256/,
    ],
    [
      'triple DES, which has 112 bits',
      offersNo(
        offering({ suites: ['TLS_RSA_WITH_3DES_EDE_CBC_SHA'] }),
        'suites with less than 112 bits of strength',
      ),
      'kept',
    ],
    [
      'a short curve',
      offersNo(offering({ groups: ['X25519', 'secp192r1'] }), 'curves of less than 224 bits'),
      'broken',
      /secp192r1/,
    ],
    [
      'SHA-1',
      offersNo(
        offering({ signatureAlgorithms: ['rsa_pss_rsae_sha256', 'rsa_pkcs1_sha1'] }),
        'signatures with SHA-1 or MD5',
      ),
      'broken',
      /rsa_pkcs1_sha1/,
    ],
    ['early data', offersNo(offering({ extensions: [42] }), 'a dangerous option'), 'broken', /early data/],
    ['DEFLATE', offersNo(offering({ compressions: [1, 0] }), 'a dangerous option'), 'broken', /compression/],
    ['no connection', offersNo([], 'a dangerous option'), 'unclear'],
    ['what protects', offersProtection(offering({})), 'kept'],
    [
      'none of it',
      offersProtection(offering({ renegotiationInfo: false, extensions: [] })),
      'broken',
      /secure renegotiation and the extended master secret/,
    ],
    [
      'TLS 1.3 alone, which needs none of it',
      offersProtection(offering({ versions: ['TLSv1.3'], renegotiationInfo: false, extensions: [] })),
      'kept',
    ],
    ['nothing at all', offersProtection([]), 'unclear'],
  ])
})

describe('judging what a gateway does with an answer that it must not accept', () => {
  table([
    ['an alert', breaksOff([answered(alert, closed)]), 'refused', /with the alert illegal_parameter/],
    ['a close', breaksOff([answered(closed)]), 'refused', /without an alert/],
    ['a close where an alert is due', breaksOffWithAlert([answered(closed)]), 'broken', /without an alert/],
    ['an alert that is due', breaksOffWithAlert([answered(alert)]), 'refused'],
    ['its share of the key exchange', breaksOff([answered(goesOn)]), 'broken', /went on with the handshake/],
    ['the share on a second connection', breaksOff([answered(alert), answered(goesOn)]), 'broken'],
    ['nothing', breaksOff([answered()]), 'unclear', /neither went on/],
    ['no handshake', breaksOff([conversation(BEGUN)]), 'unclear', /answered no ClientHello/],
    ['an alert at the mark', heedsMark([answered(alert)]), 'refused'],
    [
      'a gateway that has no TLS 1.3',
      heedsMark(offering({ versions: ['TLSv1.2'] })),
      'unclear',
      /says nothing to it/,
    ],
  ])
})
