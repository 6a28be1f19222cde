import { createPrivateKey, createPublicKey } from 'node:crypto'
import { certificate } from '../../pki/certificate.ts'
import type { Identity } from '../../pki/pki.ts'
import { withALabels } from '../../wire/smtp/a-labels.ts'
import type { SenderDecisions } from '../decisions/sender.ts'
import { acceptsName, carries } from '../decisions/situation.ts'
import type { Mutant } from './mutant.ts'
import {
  despite,
  endsLike,
  endsLikeWildcard,
  goesOnBehind,
  ISSUER_WITHOUT_CA_FLAG,
  storesRefused,
  UNKNOWN_ISSUER,
  waitsUnexplained,
} from './shared.ts'

const withoutIntermediate = ({ key, certificate }: Identity): Identity => ({
  key,
  certificate: certificate.slice(0, certificate.indexOf('-----BEGIN', 1)),
})

/** Signed by its own key. */
function issuedByItself(
  { key }: Identity,
  about: { names: string[]; until: number; role?: 'client' },
): Identity {
  const own = createPrivateKey(key)
  const [commonName] = about.names
  return {
    key,
    certificate: certificate({
      ...{ role: 'server', from: -60, publicKey: createPublicKey(own), commonName: commonName! },
      ...{ issuer: { commonName: commonName!, key: own }, ...about },
    }),
  }
}

/** The recipient's domain was written with U-labels. */
const isInULabels = ({ domain }: Parameters<SenderDecisions['connector']>[0]): boolean =>
  withALabels(domain) !== domain

export const CERTIFICATE: readonly Mutant[] = [
  {
    name: 'compares U-labels with the A-labels in a certificate, letter by letter',
    requirement: 'ID-03',
    sender: {
      acceptsName: (at, correct) => (isInULabels(at) ? carries(at.certificate.names, at.domain) : correct),
    },
    symptom: /did not arrive: deferred .* certificate names/,
  },
  {
    name: 'takes all names with other letters than those of ASCII for the same',
    requirement: 'ID-03',
    sender: {
      acceptsName: ({ expected, certificate }, correct) =>
        correct || (expected.startsWith('xn--') && certificate.names.some(name => name.startsWith('xn--'))),
    },
    symptom: 'arrived over TLS',
  },
  {
    name: 'finds no connector for a domain that was written with U-labels',
    requirement: 'ID-03',
    sender: { connector: (at, correct) => (isInULabels(at) ? undefined : correct) },
    symptom: 'arrived unencrypted',
  },
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
    name: 'shows a certificate that has expired',
    requirement: 'PKIX-07',
    receiver: {
      tls: ({ flow }, correct) => ({
        ...correct,
        identity: issuedByItself(correct.identity, { names: [flow.hostname], until: -3 }),
      }),
    },
    symptom: "the gateway's certificate expired",
  },
  {
    name: 'shows a certificate for localhost',
    requirement: 'PKIX-08',
    receiver: {
      tls: (_, correct) => ({
        ...correct,
        identity: issuedByItself(correct.identity, { names: ['localhost'], until: 300 }),
      }),
    },
    symptom: 'is for localhost, and not for mx.gateway.test',
  },
  {
    name: 'shows a certificate that is for clients alone',
    requirement: 'PKIX-07',
    receiver: {
      tls: ({ flow }, correct) => ({
        ...correct,
        identity: issuedByItself(correct.identity, { names: [flow.hostname], until: 300, role: 'client' }),
      }),
    },
    symptom: "the gateway's certificate is not for servers",
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
  {
    name: 'does not say that mail waits for a certificate with the right name',
    requirement: 'EXO-FRC-09',
    queue: waitsUnexplained('certificate not accepted'),
    symptom: 'its reason does not name the certificate',
  },
  {
    name: 'accepts for a wildcard only names that a mail exchanger has',
    requirement: 'EXO-FRC-10',
    sender: {
      acceptsName: ({ expected, certificate }, correct) =>
        correct && (!expected.startsWith('*.') || certificate.names.some(name => name.startsWith('mx.'))),
    },
    symptom: /did not arrive: deferred .* certificate names/,
  },
  {
    name: 'accepts for a wildcard any name that shares no label but the last with it',
    requirement: 'EXO-FRC-10',
    sender: {
      acceptsName: ({ expected, certificate }, correct) =>
        correct || (expected.startsWith('*.') && !certificate.names.some(name => /partner\.test/.test(name))),
    },
    symptom: 'arrived over TLS',
  },
  {
    name: 'stores mail that it refuses because of an expired certificate',
    requirement: 'EXO-FRC-14',
    receiver: storesRefused(({ tls }) => tls?.chainError === 'CERT_HAS_EXPIRED'),
    symptom: 'the message reached the mailbox',
  },
  {
    name: 'accepts a certificate for whatever host the MX record leads to',
    requirement: 'ID-04',
    sender: { acceptsName: (at, correct) => correct || acceptsName({ ...at, expected: at.host.hostname }) },
    symptom: 'arrived over TLS',
  },
  {
    name: 'accepts a certificate for the host of an MX record that is in another domain than the recipient',
    requirement: 'ID-04',
    sender: {
      acceptsName: (at, correct) =>
        correct ||
        (!at.host.hostname.endsWith(`.${at.expected}`) && acceptsName({ ...at, expected: at.host.hostname })),
    },
    symptom: 'arrived over TLS',
  },
  {
    name: 'calls a session verified if the certificate is for the host that the MX record leads to',
    requirement: 'ID-04',
    words: {
      session: ({ tls, host = '' }, correct) =>
        correct.tls && tls?.certificate && !tls.chainError && carries(tls.certificate.names, host)
          ? { ...correct, verified: true }
          : correct,
    },
    symptom: 'calls a session without a good certificate verified',
  },
  {
    name: 'checks a certificate only at the last server behind a name',
    requirement: 'EXO-HYB-04',
    sender: { checks: ({ isLast }, correct) => (isLast ? correct : []) },
    symptom: 'whose certificate is not that of the other servers',
  },
  {
    name: 'stops to check the certificates of servers that it has found to be good ten times',
    requirement: 'EXO-HYB-04',
    sender: { checks: ({ messages }, correct) => (messages < 10 ? correct : []) },
    symptom: 'whose certificate is not that of the other servers',
  },
  {
    name: 'shows another certificate at its second server',
    requirement: 'EXO-HYB-04',
    receiver: {
      tls: ({ server, flow }, correct) =>
        server === 1
          ? correct
          : {
              ...correct,
              identity: issuedByItself(correct.identity, { names: [flow.hostname], until: 300 }),
            },
    },
    symptom: 'shows a certificate of',
  },
]
