import { constants } from 'node:crypto'
import { clientHelloBytes, type Offer } from '../../wire/tls/craft-hello.ts'
import type { ConnectionSituation } from '../decisions/sender.ts'
import type { TlsSession } from '../decisions/situation.ts'
import type { Mutant } from './mutant.ts'
import { despite, EVERYTHING, first, isHandshakeFailure, weakToo } from './shared.ts'

/** SSL_OP_NO_EXTENDED_MASTER_SECRET of OpenSSL, which Node does not name. */
const NO_EXTENDED_MASTER_SECRET = 1

/** With the lowest security level of the library, old signatures would be offered as well. */
const sigalgs = 'RSA-PSS+SHA256:RSA+SHA256'

const adding = (suite: string): NonNullable<Mutant['sender']> => ({
  tls: (_, correct) => ({
    ...correct,
    suites: [...correct.suites, suite, EVERYTHING],
    more: { sigalgs },
  }),
})

/** After a handshake that failed, the gateway offers this, which no TLS library offers. */
const thenOffers = (offer: Partial<Offer>): NonNullable<Mutant['sender']> => ({
  retriesHandshake: ({ why }) => isHandshakeFailure(why),
  helloInstead: ({ reconnects }) =>
    reconnects
      ? clientHelloBytes({ version: 0x0303, suites: [0xc02f, 0x009c], renegotiationInfo: true, ...offer })
      : undefined,
})

/** A suite of the strongest kind; also in the clear. */
const isStrong = (tls: TlsSession | undefined): boolean => !tls || /AES_256_GCM_SHA384$/.test(tls.suite)

/** In TLS 1.3 the last record of the partner before ours is its Finished, of 69 bytes at most, or a ticket behind it. */
const endsWithTicket = (tls: TlsSession | undefined, records: readonly number[]): boolean =>
  tls?.version === 'TLSv1.3' && (records.at(-1) ?? 0) > 150

const isEncryptionOnly = ({ level }: ConnectionSituation): boolean => level === 'encryption-only'

export const OFFERED_TLS: readonly Mutant[] = [
  {
    name: 'offers SSL 3 after a handshake that failed',
    requirement: 'EXO-VER-07',
    sender: thenOffers({ version: 0x0300, suites: [0x0035, 0x002f] }),
    symptom: 'the gateway offered SSL 2 or SSL 3',
  },
  {
    name: 'leaves a partner whose session ticket comes early',
    requirement: 'RFC8446-02',
    sender: { leavesAfterHandshake: ({ tls, records }) => endsWithTicket(tls, records) },
    symptom: 'the message arrived unencrypted',
  },
  {
    name: 'returns a message to its author where the session ticket comes early and TLS is required',
    requirement: 'RFC8446-02',
    sender: {
      leavesAfterHandshake: ({ level, tls, records }) =>
        level !== 'opportunistic' && endsWithTicket(tls, records),
    },
    symptom: 'the message did not arrive',
  },
  {
    name: 'names itself as the server in its ClientHello',
    requirement: 'ID-05',
    sender: { serverName: ({ flow }) => flow.hostname },
    symptom: 'the gateway named the server mx.gateway.test',
  },
  {
    name: 'names the first mail exchanger at every one',
    requirement: 'ID-05',
    sender: { serverName: ({ host: { hostname } }) => hostname.replace(/^mx\d*\./, 'mx1.') },
    symptom: 'the gateway named the server mx1.',
  },
  {
    name: 'names the server with a dot at the end where it verifies the partner',
    requirement: 'ID-05',
    sender: { serverName: ({ validates }, correct) => (validates ? `${correct}.` : correct) },
    symptom: 'the gateway named the server ',
  },
  {
    name: 'offers triple DES after a handshake that failed',
    requirement: 'EXO-VER-08',
    sender: thenOffers({ suites: [0xc02f, 0x000a] }),
    symptom: 'the gateway offered suites with 3DES: DES-CBC3-SHA',
  },
  {
    name: 'takes TLS 1.1 from a partner that has nothing newer',
    requirement: 'RFC8996-02',
    sender: { tls: (_, correct) => ({ ...correct, minVersion: 'TLSv1.1' }) },
    symptom: /accepted the answer of the partner and went on with the handshake|offered TLS 1\.1/,
  },
  {
    name: 'overlooks the mark of a downgrade',
    requirement: 'RFC8996-02',
    sender: { overlooks: () => 'DOWNGRD\x01' },
    symptom: 'accepted the answer of the partner and went on with the handshake',
  },
  {
    name: 'offers a suite that encrypts nothing',
    requirement: 'BCP-02',
    sender: adding('NULL-SHA256'),
    symptom: 'the gateway offered suites with less than 112 bits of strength: NULL-SHA256',
  },
  {
    name: 'offers a suite that encrypts nothing where any certificate will do',
    requirement: 'BCP-02',
    sender: {
      tls: (at, correct) =>
        isEncryptionOnly(at)
          ? { ...correct, suites: [...correct.suites, 'ECDHE-RSA-NULL-SHA', EVERYTHING] }
          : correct,
    },
    symptom: /went on with the handshake|the gateway offered suites with less than 112 bits of strength/,
  },
  {
    name: 'takes a finite field of 1024 bits',
    requirement: 'BCP-04',
    sender: adding('DHE-RSA-AES128-GCM-SHA256'),
    symptom: 'accepted the answer of the partner and went on with the handshake',
  },
  {
    name: 'takes a signature with SHA-1',
    requirement: 'BCP-04',
    sender: weakToo({ sigalgs: 'RSA-PSS+SHA256:RSA+SHA256:RSA+SHA1' }),
    symptom: 'the gateway offered signatures with SHA-1 or MD5: rsa_pkcs1_sha1',
  },
  {
    name: 'offers a curve of 192 bits',
    requirement: 'BCP-04',
    sender: weakToo({ sigalgs, ecdhCurve: 'X25519:P-256:P-192' }),
    symptom: 'the gateway offered curves of less than 224 bits',
  },
  {
    name: 'takes a certificate with a key of 1024 bits',
    requirement: 'BCP-04',
    sender: { ...weakToo({ sigalgs }), trustsChain: despite(/TOO_SMALL|UNSPECIFIED/) },
    symptom: 'the message arrived over TLS',
  },
  {
    name: 'offers no extended master secret',
    requirement: 'BCP-05',
    sender: {
      tls: (_, correct) => ({ ...correct, more: { secureOptions: NO_EXTENDED_MASTER_SECRET } }),
    },
    symptom: 'the gateway did not offer the extended master secret',
  },
  {
    name: 'goes on with a partner that does not know secure renegotiation',
    requirement: 'BCP-05',
    sender: {
      tls: (_, correct) => ({
        ...correct,
        more: { secureOptions: constants.SSL_OP_LEGACY_SERVER_CONNECT },
      }),
    },
    symptom: 'accepted the answer of the partner and went on with the handshake',
  },
  {
    name: 'offers TLS 1.2 alone where TLS is optional',
    requirement: 'BCP-01',
    sender: {
      tls: ({ level }, correct) =>
        level === 'opportunistic' ? { ...correct, maxVersion: 'TLSv1.2' } : correct,
    },
    symptom: 'offers TLS 1.2 at most as a sender, and has TLS 1.3 as a receiver',
  },
  {
    name: 'has nothing but TLS 1.3 as a sender',
    requirement: 'BCP-01',
    sender: { tls: (_, correct) => ({ ...correct, minVersion: 'TLSv1.3' }) },
    symptom: 'arrived unencrypted',
  },
  {
    name: 'wants key exchange by RSA first',
    requirement: 'BCP-03',
    sender: { tls: (_, correct) => ({ ...correct, suites: first(/^AES/, correct.suites) }) },
    symptom: /over TLS with TLS_RSA_WITH_AES_256_GCM_SHA384, not|without forward secrecy/,
  },
  {
    name: 'wants CBC before GCM where TLS is optional',
    requirement: 'BCP-03',
    sender: {
      tls: ({ level }, correct) =>
        level === 'opportunistic'
          ? { ...correct, suites: first(/^(?!.*GCM).*SHA384$/, correct.suites) }
          : correct,
    },
    symptom: 'over TLS with TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384, not',
  },
  {
    name: 'leaves a partner that chose another suite than the one that it wants most',
    requirement: 'EXO-CIP-03',
    sender: {
      checks: ({ tls }, correct) => (isStrong(tls) ? correct : ['chain']),
      trustsChain: ({ tls }, correct) => isStrong(tls) && correct,
    },
    symptom: 'the message arrived unencrypted',
  },
  {
    name: 'keeps mail for a partner without STARTTLS, for which TLS is optional',
    requirement: 'EXO-CIP-03',
    sender: { mayGoInClear: ({ why }, correct) => correct && why !== 'no STARTTLS' },
    symptom: 'the message did not arrive: deferred',
    explains: ['EXO-OPP-04'],
  },
  {
    name: 'sends with key exchange by RSA where TLS is optional',
    requirement: 'M3-01',
    sender: {
      tls: ({ level }, correct) =>
        level === 'opportunistic'
          ? {
              ...correct,
              maxVersion: 'TLSv1.2',
              suites: correct.suites.filter(name => name.startsWith('AES')),
            }
          : correct,
    },
    symptom: 'without forward secrecy',
  },
  {
    name: 'takes key exchange by RSA first where it receives mail',
    requirement: 'M3-01',
    receiver: {
      tls: (_, correct) => ({ ...correct, suites: correct.suites.filter(name => /^(TLS_)?AES/.test(name)) }),
    },
    symptom: 'without forward secrecy',
  },
  {
    name: 'takes TLS 1.0 so that mail is not unencrypted',
    requirement: 'EXO-VER-05',
    receiver: { tls: (_, correct) => ({ ...correct, minVersion: 'TLSv1' }) },
    symptom: /accepted the (unencrypted )?message over TLS 1.0|accepted the unencrypted message/,
  },
  {
    name: 'refuses unencrypted mail of everybody',
    requirement: 'EXO-VER-05',
    receiver: {
      refusalOfSender: ({ tls, role }, correct) =>
        role === 'inbound' && !tls ? '530 5.7.0 Must issue a STARTTLS command first' : correct,
    },
    symptom: 'the gateway refused the message at MAIL: 530',
    explains: ['RFC3207-02'],
  },
  {
    name: 'sends unencrypted to partners with TLS 1.0 although TLS is required',
    requirement: 'EXO-VER-05',
    sender: { mayGoInClear: ({ why }, correct) => correct || isHandshakeFailure(why) },
    symptom: 'the message arrived unencrypted',
  },
  {
    name: 'uses TLS 1.0 rather than none',
    requirement: 'EXO-VER-05',
    sender: { tls: (_, correct) => ({ ...correct, minVersion: 'TLSv1' }) },
    symptom: 'the message arrived over TLS',
  },
  {
    name: 'knows the group X25519 alone',
    requirement: 'RFC8446-01',
    sender: { tls: (_, correct) => ({ ...correct, more: { ecdhCurve: 'X25519' } }) },
    symptom: 'the message arrived unencrypted',
  },
  {
    name: 'has elliptic curves alone where it sends mail',
    requirement: 'PQC-01',
    sender: { tls: (_, correct) => ({ ...correct, more: { ecdhCurve: 'X25519:P-256:P-384' } }) },
    symptom: 'the message arrived unencrypted',
  },
]
