import type { Identity } from '../../pki/pki.ts'
import { carries } from '../decisions/situation.ts'
import type { Mutant } from './mutant.ts'
import { goesOnBehind, ISSUER_WITHOUT_CA_FLAG } from './shared.ts'

const withoutIntermediate = ({ key, certificate }: Identity): Identity => ({
  key,
  certificate: certificate.slice(0, certificate.indexOf('-----BEGIN', 1)),
})

export const CERTIFICATE: readonly Mutant[] = [
  {
    name: 'compares names at certificate validation',
    requirement: 'EXO-FRC-09',
    sender: {
      checks: ({ level }, correct) => (level === 'certificate-validation' ? ['chain', 'name'] : correct),
    },
    symptom: /did not arrive: deferred .* certificate names/,
  },
  {
    name: 'compares no names at domain validation',
    requirement: 'EXO-FRC-09',
    sender: { checks: (_, correct) => correct.filter(check => check !== 'name') },
    symptom: 'arrived over TLS',
    explains: ['EXO-FRC-10', 'DGR-03'],
  },
  {
    name: 'compares the configured wildcard by its letters',
    requirement: 'EXO-FRC-10',
    sender: {
      acceptsName: ({ certificate, expected }, correct) =>
        correct ||
        (expected.startsWith('*.') && certificate.names.some(name => name.endsWith(expected.slice(2)))),
    },
    symptom: 'arrived over TLS',
  },
  {
    name: 'compares the configured name by its letters',
    requirement: 'EXO-FRC-10',
    sender: {
      acceptsName: ({ certificate, expected }, correct) =>
        correct || certificate.names.some(name => name.endsWith(expected)),
    },
    symptom: 'arrived over TLS',
    explains: ['EXO-FRC-09', 'DGR-03'],
  },
  {
    name: 'believes the name in any certificate, whoever issued it',
    requirement: 'EXO-FRC-14',
    receiver: { trustsChain: () => true },
    symptom: 'accepted the message',
    explains: ['RFC3207-11'],
  },
  {
    name: 'lets a sender in whose certificate has expired',
    requirement: 'EXO-FRC-14',
    receiver: { trustsChain: ({ chainError }, correct) => correct || chainError === 'CERT_HAS_EXPIRED' },
    symptom: 'accepted the message',
  },
  {
    name: 'lets a sender in whose certificate is for servers',
    requirement: 'EXO-FRC-14',
    receiver: { trustsChain: ({ chainError }, correct) => correct || chainError === 'INVALID_PURPOSE' },
    symptom: 'accepted the message',
  },
  {
    name: 'takes a name that goes on behind the configured one',
    requirement: 'EXO-FRC-10',
    sender: { acceptsName: (at, correct) => correct || goesOnBehind(at) },
    symptom: 'arrived over TLS',
  },
  {
    name: 'takes the name of the mail exchanger for the configured one',
    requirement: 'EXO-FRC-10',
    sender: {
      acceptsName: ({ certificate, host }, correct) => correct || carries(certificate.names, host.hostname),
    },
    symptom: 'arrived over TLS',
  },
  {
    name: 'lets a sender in whose authority nobody trusts',
    requirement: 'EXO-FRC-14',
    receiver: {
      trustsChain: ({ chainError = '' }, correct) => correct || !/EXPIRED|NOT_YET|PURPOSE/.test(chainError),
    },
    symptom: 'accepted the message',
  },
  {
    name: 'lets a sender in whose issuer is no authority',
    requirement: 'EXO-FRC-14',
    receiver: { trustsChain: ({ chainError }, correct) => correct || chainError === ISSUER_WITHOUT_CA_FLAG },
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
