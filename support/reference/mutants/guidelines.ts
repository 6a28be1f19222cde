import type { Mutant } from './mutant.ts'
import { EVERYTHING } from './shared.ts'

type Tls = 'receiver' | 'sender'

/** One side of the gateway takes more than it was told to. `more`: OpenSSL's names. */
const alsoTakes = (side: Tls, more: readonly string[], groups?: string): Pick<Mutant, Tls> => ({
  [side]: {
    tls: (_: unknown, correct: { suites: readonly string[]; more?: object }) => ({
      ...correct,
      suites: [...correct.suites, ...more],
      more: { ...correct.more, ...(groups ? { ecdhCurve: groups } : {}) },
    }),
  },
})

/** SSL_OP_NO_EXTENDED_MASTER_SECRET of OpenSSL, which Node does not name. */
const NO_EXTENDED_MASTER_SECRET = 1

const CHACHA20 = 'ECDHE-RSA-CHACHA20-POLY1305'
const WITH_SHA1 = 'RSA-PSS+SHA256:RSA+SHA256:RSA+SHA1'

export const GUIDELINES: readonly Mutant[] = [
  {
    name: 'accepts ChaCha20, which NIST has not approved',
    requirement: 'NIST-01',
    ...alsoTakes('receiver', [CHACHA20]),
    symptom: 'the gateway accepts what NIST forbids: ECDHE-RSA-CHACHA20-POLY1305 with TLS 1.2',
  },
  {
    name: 'offers ChaCha20, which NIST has not approved',
    requirement: 'NIST-01',
    ...alsoTakes('sender', [CHACHA20]),
    symptom: 'the gateway offers what NIST forbids: ECDHE-RSA-CHACHA20-POLY1305',
  },
  {
    name: 'has no TLS 1.3 where TLS is optional',
    requirement: 'NIST-01',
    sender: {
      tls: ({ level }, correct) =>
        level === 'opportunistic' ? { ...correct, maxVersion: 'TLSv1.2' } : correct,
    },
    symptom: 'the gateway offers what NIST forbids: no TLS 1.3',
  },
  {
    name: 'signs with SHA-1, which NIST forbids',
    requirement: 'NIST-02',
    receiver: {
      tls: (_, correct) => ({
        ...correct,
        suites: [...correct.suites, EVERYTHING],
        more: { ...correct.more, sigalgs: WITH_SHA1 },
      }),
    },
    symptom: 'the gateway accepts what NIST forbids: rsa_pkcs1_sha1',
  },
  {
    name: 'has no extended master secret, which NIST demands',
    requirement: 'NIST-02',
    receiver: {
      tls: (_, correct) => ({
        ...correct,
        more: { ...correct.more, secureOptions: NO_EXTENDED_MASTER_SECRET },
      }),
    },
    symptom: 'the gateway accepts what NIST forbids: no extended master secret',
  },
  {
    name: 'offers signatures with SHA-1, which NIST forbids',
    requirement: 'NIST-02',
    sender: {
      tls: (_, correct) => ({
        ...correct,
        suites: [...correct.suites, EVERYTHING],
        more: { ...correct.more, sigalgs: WITH_SHA1 },
      }),
    },
    symptom: 'the gateway offers what NIST forbids: rsa_pkcs1_sha1',
  },
  {
    name: 'accepts key exchange by RSA, which BSI does not list',
    requirement: 'BSI-02',
    ...alsoTakes('receiver', ['AES256-GCM-SHA384']),
    symptom: 'the gateway accepts what BSI forbids: AES256-GCM-SHA384 with TLS 1.2',
  },
  {
    name: 'offers key exchange by RSA, which BSI does not list',
    requirement: 'BSI-02',
    ...alsoTakes('sender', ['AES256-GCM-SHA384']),
    symptom: 'the gateway offers what BSI forbids: AES256-GCM-SHA384',
  },
  {
    name: 'accepts a suite without encryption, which NCSC calls insufficient',
    requirement: 'NCSC-01',
    ...alsoTakes('receiver', ['ECDHE-RSA-NULL-SHA', EVERYTHING]),
    symptom: 'the gateway accepts what NCSC forbids: ECDHE-RSA-NULL-SHA',
  },
  {
    name: 'accepts a curve of 192 bits, which NCSC calls insufficient',
    requirement: 'NCSC-02',
    ...alsoTakes('receiver', [EVERYTHING], 'X25519:P-256:P-192'),
    symptom: /the gateway accepts what NCSC forbids: .*secp192r1|forbids: secp192r1/,
  },
]
