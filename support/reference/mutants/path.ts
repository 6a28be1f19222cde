import { type CertificateSituation, carries } from '../decisions/situation.ts'
import type { Mutant } from './mutant.ts'
import { despite, ISSUER_WITHOUT_CA_FLAG, weakToo } from './shared.ts'

// Certificates below a trusted root, and the names in them.

/** The certificate itself is valid today, whatever is wrong with its issuers. */
const datesOfLeafAlone = (
  { chainError = '', certificate }: CertificateSituation,
  correct: boolean,
): boolean =>
  correct ||
  (/^CERT_(HAS_EXPIRED|NOT_YET_VALID)$/.test(chainError) &&
    new Date(certificate.notBefore) < new Date() &&
    new Date() < new Date(certificate.notAfter))

const HOUR = 3_600_000

/** The certificate expired within the last hour: somebody grants it some time, because clocks differ. */
const anHourLonger = ({ chainError, certificate }: CertificateSituation, correct: boolean): boolean =>
  correct ||
  (chainError === 'CERT_HAS_EXPIRED' && Math.abs(Date.parse(certificate.notAfter) - Date.now()) < HOUR)

/** Node has no word for the error of a name that the issuer may not put into certificates. */
const despiteConstraints = ({ certificate }: CertificateSituation, correct: boolean): boolean =>
  correct || certificate.issuer.includes('for other domains')

const matches = (name: string, expected: string, star: string): boolean =>
  new RegExp(`^${name.toLowerCase().split('*').map(RegExp.escape).join(star)}$`).test(expected)

export const PATH: readonly Mutant[] = [
  {
    name: 'checks the dates of the certificate and not those of its issuers',
    requirement: 'PKIX-01',
    sender: { trustsChain: datesOfLeafAlone },
    symptom: 'arrived over TLS',
  },
  {
    name: 'checks no signature',
    requirement: 'PKIX-01',
    sender: { trustsChain: despite(/SIGNATURE_FAILURE$/) },
    symptom: 'arrived over TLS',
  },
  {
    name: "checks the dates of a client's certificate and not those of its issuers",
    requirement: 'PKIX-01',
    receiver: { trustsChain: datesOfLeafAlone },
    symptom: 'accepted the message',
  },
  {
    name: 'accepts a certificate for an hour longer than it is valid',
    requirement: 'PKIX-01',
    sender: { trustsChain: anHourLonger },
    symptom: 'arrived over TLS',
  },
  {
    name: 'accepts the certificate of a client for an hour longer than it is valid',
    requirement: 'PKIX-01',
    receiver: { trustsChain: anHourLonger },
    symptom: 'accepted the message',
  },
  {
    name: 'refuses a certificate in its first hour',
    requirement: 'PKIX-01',
    sender: {
      trustsChain: ({ certificate }, correct) =>
        correct && Date.parse(certificate.notBefore) < Date.now() - HOUR,
    },
    symptom: /did not arrive: deferred/,
  },
  {
    name: 'accepts certificates that a server has issued',
    requirement: 'PKIX-02',
    sender: { trustsChain: despite(ISSUER_WITHOUT_CA_FLAG) },
    symptom: 'arrived over TLS',
  },
  {
    name: 'looks at no path length',
    requirement: 'PKIX-02',
    sender: { trustsChain: despite(/^PATH_LENGTH_EXCEEDED$/) },
    symptom: 'arrived over TLS',
  },
  {
    name: 'looks at no path length of clients',
    requirement: 'PKIX-02',
    receiver: { trustsChain: despite(/^PATH_LENGTH_EXCEEDED$/) },
    symptom: 'accepted the message',
  },
  {
    name: 'accepts partners whose certificate is for clients only',
    requirement: 'PKIX-03',
    sender: { trustsChain: despite(/^INVALID_PURPOSE$/) },
    symptom: 'arrived over TLS',
  },
  {
    name: 'lets every authority issue for every domain',
    requirement: 'PKIX-04',
    sender: { trustsChain: despiteConstraints },
    symptom: 'arrived over TLS',
  },
  {
    name: 'lets every authority of a client issue for every domain',
    requirement: 'PKIX-04',
    receiver: { trustsChain: despiteConstraints },
    symptom: 'accepted the message',
  },
  {
    name: 'refuses every authority whose domains are limited',
    requirement: 'PKIX-04',
    sender: {
      trustsChain: ({ certificate }, correct) => correct && !/for its domains/.test(certificate.issuer),
    },
    symptom: /did not arrive: deferred/,
  },
  {
    name: 'accepts short keys',
    requirement: 'EXO-CRT-05',
    receiver: weakToo(),
    symptom: 'accepted the message',
  },
  {
    name: 'accepts certificates that are signed with SHA-1',
    requirement: 'EXO-CRT-11',
    sender: weakToo(),
    symptom: 'arrived over TLS',
  },
  {
    name: 'accepts certificates of clients that are signed with SHA-1',
    requirement: 'EXO-CRT-11',
    receiver: weakToo(),
    symptom: 'accepted the message',
  },
  {
    name: 'compares names byte by byte',
    requirement: 'EXO-CRT-07',
    sender: {
      acceptsName: ({ certificate, expected }, correct) =>
        correct && certificate.names.some(name => name === expected || name.startsWith('*.')),
    },
    symptom: /did not arrive: deferred .* certificate names/,
  },
  {
    name: 'accepts the common name beside other names',
    requirement: 'ID-01',
    sender: {
      acceptsName: ({ certificate, expected }, correct) =>
        correct || carries([certificate.subject.replace('CN=', '')], expected),
    },
    symptom: 'arrived over TLS',
  },
  {
    name: "accepts the common name of a client's certificate beside other names",
    requirement: 'ID-01',
    receiver: {
      acceptsName: ({ certificate, expected }, correct) =>
        correct || carries([certificate.subject.replace('CN=', '')], expected),
    },
    symptom: 'accepted the message',
  },
  {
    name: 'lets a wildcard in the certificate of a client stand for several labels',
    requirement: 'ID-02',
    receiver: {
      acceptsName: ({ certificate, expected }, correct) =>
        correct || certificate.names.some(name => name.startsWith('*.') && matches(name, expected, '.+')),
    },
    symptom: 'accepted the message',
  },
  {
    name: 'ends a name at a NUL byte',
    requirement: 'ID-01',
    sender: {
      acceptsName: ({ certificate, expected }, correct) =>
        correct ||
        carries(
          certificate.names.map(name => name.replace(/^"|\\+u0000.*$/g, '')),
          expected,
        ),
    },
    symptom: 'arrived over TLS',
  },
  {
    name: 'wants a subject in every certificate',
    requirement: 'ID-01',
    sender: { acceptsName: ({ certificate }, correct) => correct && certificate.subject !== '' },
    symptom: /did not arrive: deferred .* certificate names/,
  },
  {
    name: 'lets a certificate for * as the whole name stand for every name',
    requirement: 'ID-02',
    sender: { acceptsName: ({ certificate }, correct) => correct || certificate.names.includes('*') },
    symptom: 'arrived over TLS',
  },
  {
    name: 'lets a wildcard stand for several labels',
    requirement: 'ID-02',
    sender: {
      acceptsName: ({ certificate, expected }, correct) =>
        correct || certificate.names.some(name => name.startsWith('*.') && matches(name, expected, '.+')),
    },
    symptom: 'arrived over TLS',
  },
  {
    name: 'lets a wildcard stand for a part of a label',
    requirement: 'ID-02',
    sender: {
      acceptsName: ({ certificate, expected }, correct) =>
        correct || certificate.names.some(name => matches(name, expected, '[^.]+')),
    },
    symptom: 'arrived over TLS',
  },
  {
    name: 'accepts no wildcard in certificates',
    requirement: 'ID-02',
    sender: {
      acceptsName: ({ certificate, expected }, correct) =>
        correct && (expected.startsWith('*.') || certificate.names.some(name => !name.startsWith('*.'))),
    },
    symptom: /did not arrive: deferred .* certificate names/,
  },
  {
    name: 'trusts the root that a partner sends',
    requirement: 'EXO-ROOT-02',
    sender: { trustsChain: despite(/^SELF_SIGNED_CERT_IN_CHAIN$/) },
    symptom: 'arrived over TLS',
  },
  {
    name: 'trusts whatever bears the name of a trusted authority',
    requirement: 'EXO-ROOT-02',
    sender: { trustsChain: ({ certificate }, correct) => correct || /test former/.test(certificate.issuer) },
    symptom: 'arrived over TLS',
  },
  {
    name: 'goes on with the roots that it had at its start',
    requirement: 'EXO-ROOT-02',
    sender: {
      tls: ({ attempt }, correct) => ({
        ...correct,
        trust: attempt > 1 ? correct.trust.slice(0, 1) : correct.trust,
      }),
    },
    symptom: /did not arrive: deferred .* not accepted/,
  },
  {
    name: 'trusts everything that stands beside a trusted root',
    requirement: 'EXO-ROOT-02',
    sender: { trustsChain: ({ attempt }, correct) => correct || attempt > 1 },
    symptom: 'arrived over TLS',
  },
]
