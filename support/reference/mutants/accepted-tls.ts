import { opensslName } from '../../wire/tls/tls-names.ts'
import type { ReceiverDecisions, ReceiverSituation } from '../decisions/receiver.ts'
import { SUITES } from '../tls-options.ts'
import type { Mutant } from './mutant.ts'
import { EVERYTHING, weakToo } from './shared.ts'

type Terms = ReturnType<ReceiverDecisions['tls']>

/** Besides the suites by name: the list of the library rules out what is weak for good. */
const adding = (suite: string, more: Terms['more'] = {}): NonNullable<Mutant['receiver']> => ({
  tls: (_, correct) => ({ ...correct, suites: [...SUITES, suite, EVERYTHING], more }),
})

/** A record of TLS, in hex without its header. */
const record = (type: number, version: number, body: string): Buffer => {
  const bytes = Buffer.from(body, 'hex')
  return Buffer.concat([Buffer.from([type, 3, version, bytes.length >> 8, bytes.length & 0xff]), bytes])
}
/** ServerHello of SSL 3 with TLS_RSA_WITH_AES_128_CBC_SHA, and ServerHelloDone. RFC 6101 s5.6.1. */
const SSL3_HELLO = record(22, 0, `020000260300${'42'.repeat(32)}00002f000e000000`)
/** ServerHello of TLS 1.2 with TLS_RSA_WITH_3DES_EDE_CBC_SHA, and ServerHelloDone. */
const TRIPLE_DES_HELLO = record(22, 3, `020000260303${'42'.repeat(32)}00000a000e000000`)
/** RFC 6066 s3. */
const UNRECOGNIZED_NAME = record(21, 3, '0270')
const NOTHING = Buffer.alloc(0)

const offersOnly = (pattern: RegExp, { hello }: ReceiverSituation): boolean =>
  hello?.versions.every(version => pattern.test(version)) ?? false

/** SSL_OP_NO_EXTENDED_MASTER_SECRET of OpenSSL, which Node does not name. */
const NO_EXTENDED_MASTER_SECRET = 1

/** The gateway has a key of RSA. */
const SERVED = SUITES.filter(name => !name.includes('ECDSA'))

/** A hello of TLS 1.2 that offers triple DES, and nothing that the gateway wants more. */
const hasToTakeTripleDes = ({ hello }: ReceiverSituation): boolean =>
  hello?.legacyVersion === 'TLSv1.2' &&
  hello.suites.includes('TLS_RSA_WITH_3DES_EDE_CBC_SHA') &&
  !hello.suites.some(suite => SERVED.includes(opensslName(suite)))

export const ACCEPTED_TLS: readonly Mutant[] = [
  {
    name: 'takes the first suite of the client, be it last in the list',
    requirement: 'EXO-CIP-01',
    receiver: { tls: (_, correct) => ({ ...correct, more: { honorCipherOrder: false } }) },
    symptom: 'the gateway chooses in the order of the client',
  },
  {
    name: 'accepts anonymous Diffie-Hellman',
    requirement: 'EXO-CIP-02',
    receiver: adding('ADH-AES256-GCM-SHA384', { dhparam: 'auto' }),
    symptom: 'the gateway accepts only suites without authentication',
  },
  {
    name: 'accepts a suite that is not in the list',
    requirement: 'EXO-CIP-02',
    receiver: adding('ECDHE-RSA-CHACHA20-POLY1305'),
    symptom: 'the gateway accepts suites that the profile does not list',
  },
  {
    name: 'accepts triple DES',
    requirement: 'EXO-VER-08',
    receiver: { answersHello: (at, correct) => (hasToTakeTripleDes(at) ? TRIPLE_DES_HELLO : correct) },
    symptom: 'the gateway accepts only suites with 3DES',
  },
  {
    name: 'answers a hello of SSL 3 with SSL 3',
    requirement: 'EXO-VER-07',
    receiver: { answersHello: (at, correct) => (offersOnly(/^SSLv3$/, at) ? SSL3_HELLO : correct) },
    symptom: 'the gateway accepts only SSL 3',
  },
  {
    name: 'closes without an alert where a client has only TLS 1.0',
    requirement: 'RFC8996-01',
    receiver: {
      answersHello: (at, correct) => (offersOnly(/^(TLSv1|SSLv3)$/, at) ? NOTHING : correct),
    },
    symptom: 'refuses only TLS 1.0 without the alert protocol_version: closed without an alert',
  },
  {
    name: 'accepts TLS 1.1 from a client that has nothing newer',
    requirement: 'RFC8996-01',
    receiver: { tls: (_, correct) => ({ ...correct, minVersion: 'TLSv1.1' }) },
    symptom: 'the gateway accepts only TLS 1.1',
  },
  {
    name: 'chooses TLS 1.2 although both sides have TLS 1.3',
    requirement: 'BCP-01',
    receiver: {
      tls: ({ hello }, correct) =>
        hello?.versions.includes('TLSv1.2') ? { ...correct, maxVersion: 'TLSv1.2' } : correct,
    },
    symptom: 'chooses TLS 1.2, although it accepts TLS 1.3',
  },
  {
    name: 'accepts a suite that encrypts nothing',
    requirement: 'BCP-02',
    receiver: adding('ECDHE-RSA-NULL-SHA'),
    symptom: 'the gateway accepts only suites that encrypt nothing',
  },
  {
    name: 'takes the first suite of the client, whatever it is',
    requirement: 'BCP-03',
    receiver: { tls: (_, correct) => ({ ...correct, more: { honorCipherOrder: false } }) },
    symptom: 'where a client offers suites with ECDHE and AEAD after it',
  },
  {
    name: 'uses a finite field of 1024 bits',
    requirement: 'BCP-04',
    // The library takes this field for suites of 128 bits without authentication.
    receiver: adding('ADH-AES128-GCM-SHA256', { dhparam: 'auto' }),
    symptom: 'the gateway accepts only finite fields of less than 2048 bits',
  },
  {
    name: 'signs with SHA-1 where a client asks for it',
    requirement: 'BCP-04',
    receiver: weakToo({ sigalgs: 'RSA-PSS+SHA256:RSA+SHA256:RSA+SHA1' }),
    symptom: 'the gateway accepts only signatures with SHA-1 or MD5',
  },
  {
    name: 'has no extended master secret',
    requirement: 'BCP-05',
    receiver: weakToo({ secureOptions: NO_EXTENDED_MASTER_SECRET }),
    symptom: 'the gateway does not accept the extended master secret',
  },
  {
    name: 'refuses a server name that it does not know',
    requirement: 'ID-05',
    receiver: {
      answersHello: ({ hello, flow }, correct) =>
        hello?.serverName && !hello.serverName.endsWith(flow.domain) ? UNRECOGNIZED_NAME : correct,
    },
    symptom: 'the gateway does not accept an unknown server name',
  },
  {
    name: 'closes at a ClientHello of more than 1900 bytes',
    requirement: 'RFC8446-01',
    receiver: { answersHello: ({ hello }, correct) => (hello && hello.length > 1_900 ? NOTHING : correct) },
    symptom: 'the gateway does not accept only TLS 1.2, in several records and segments',
  },
  {
    name: 'has elliptic curves alone where it receives mail',
    requirement: 'PQC-01',
    receiver: { tls: (_, correct) => ({ ...correct, more: { ecdhCurve: 'X25519:P-256:P-384' } }) },
    symptom: 'the gateway does not accept only hybrid groups',
  },
  {
    name: "sends a session ticket before the client's Finished",
    requirement: 'RFC8446-02',
    receiver: { sendsTicketEarly: () => true },
    symptom: "sends a session ticket before the client's Finished",
  },
  {
    name: "sends a session ticket before the client's Finished, to clients with hybrid groups alone",
    requirement: 'RFC8446-02',
    receiver: {
      sendsTicketEarly: ({ hello }) => hello?.groups.some(name => name.includes('MLKEM')) ?? false,
    },
    symptom: "sends a session ticket before the client's Finished",
  },
  {
    name: 'refuses a server name with capitals',
    requirement: 'ID-05',
    receiver: {
      answersHello: ({ hello }, correct) =>
        /[A-Z]/.test(hello?.serverName ?? '') ? UNRECOGNIZED_NAME : correct,
    },
    symptom: 'the gateway does not accept an odd server name',
  },
  {
    name: 'refuses a client that names no server',
    requirement: 'ID-05',
    receiver: {
      answersHello: ({ hello }, correct) => (hello && !hello.serverName ? UNRECOGNIZED_NAME : correct),
    },
    symptom: 'the gateway does not accept no server name',
  },
]
