import type { Identity } from '../../pki/pki.ts'
import { acceptsName } from '../decisions/situation.ts'
import type { Mutant } from './mutant.ts'
import {
  despite,
  endsLike,
  endsLikeWildcard,
  goesOnBehind,
  ISSUER_WITHOUT_CA_FLAG,
  UNKNOWN_ISSUER,
} from './shared.ts'

const withoutIntermediate = ({ key, certificate }: Identity): Identity => ({
  key,
  certificate: certificate.slice(0, certificate.indexOf('-----BEGIN', 1)),
})

export const CERTIFICATE: readonly Mutant[] = [
  {
    name: 'compares names at the level certificate-validation',
    requirement: 'EXO-FRC-09',
    sender: { checks: (_, correct) => (correct.includes('chain') ? ['chain', 'name'] : correct) },
    symptom: /did not arrive: deferred .* certificate names/,
  },
  {
    name: 'compares no names at the level domain-validation',
    requirement: 'EXO-FRC-09',
    sender: { checks: (_, correct) => correct.filter(check => check !== 'name') },
    symptom: 'arrived over TLS',
  },
  {
    name: 'accepts any name that ends like the configured wildcard',
    requirement: 'EXO-FRC-10',
    sender: { acceptsName: (at, correct) => correct || endsLikeWildcard(at) },
    symptom: 'arrived over TLS',
  },
  {
    name: 'accepts a certificate for the parent of the configured name',
    requirement: 'EXO-FRC-10',
    sender: {
      acceptsName: (at, correct) =>
        correct || acceptsName({ ...at, expected: at.expected.replace(/^[^*.]+\./, '') }),
    },
    symptom: 'arrived over TLS',
  },
  {
    name: 'accepts any name that ends like the configured name',
    requirement: 'EXO-FRC-10',
    sender: { acceptsName: (at, correct) => correct || endsLike(at, at.expected) },
    symptom: 'arrived over TLS',
  },
  {
    name: 'accepts the right name in any certificate, whoever issued it',
    requirement: 'EXO-FRC-14',
    receiver: { trustsChain: () => true },
    symptom: 'accepted the message',
  },
  {
    name: 'accepts a client whose certificate has expired',
    requirement: 'EXO-FRC-14',
    receiver: { trustsChain: despite(/^CERT_HAS_EXPIRED$/) },
    symptom: 'accepted the message',
  },
  {
    name: 'accepts any name that begins like the configured name',
    requirement: 'EXO-FRC-10',
    sender: { acceptsName: (at, correct) => correct || goesOnBehind(at) },
    symptom: 'arrived over TLS',
  },
  {
    name: 'accepts the name of the mail exchanger in place of the configured name',
    requirement: 'EXO-FRC-10',
    sender: { acceptsName: (at, correct) => correct || acceptsName({ ...at, expected: at.host.hostname }) },
    symptom: 'arrived over TLS',
  },
  {
    name: 'accepts a client whose authority nobody trusts',
    requirement: 'EXO-FRC-14',
    receiver: { trustsChain: despite(UNKNOWN_ISSUER) },
    symptom: 'accepted the message',
  },
  {
    name: 'accepts a client whose certificate comes from no authority',
    requirement: 'EXO-FRC-14',
    receiver: { trustsChain: despite(ISSUER_WITHOUT_CA_FLAG) },
    symptom: 'accepted the message',
  },
  {
    name: 'shows its certificate without the intermediate',
    requirement: 'PKIX-06',
    receiver: { tls: (_, correct) => ({ ...correct, identity: withoutIntermediate(correct.identity) }) },
    symptom: 'a chain of 1 certificate leads to no trusted root: UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  },
  {
    name: 'fills a gap in the chain with an intermediate that another partner showed',
    requirement: 'PKIX-06',
    sender: {
      trustsChain: ({ chainError = '', certificate, issuers }, correct) =>
        correct || (chainError.startsWith('UNABLE_TO') && issuers.includes(certificate.issuer)),
    },
    symptom: 'arrived over TLS',
  },
]
