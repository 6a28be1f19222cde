import type { StatusSaid } from '../decisions/sender.ts'
import type { Mutant } from './mutant.ts'

// Whether a certificate is revoked, and who says so.

/** A source of the partner's own certificate says this. */
const says = (
  [own]: readonly StatusSaid[],
  kind: StatusSaid['sources'][number]['kind'],
  what: string,
): boolean => own?.sources.some(source => source.kind === kind && source.outcome === what) ?? false

const areGood = (statuses: readonly StatusSaid[]): boolean =>
  statuses.every(({ status }) => status === 'good')

/** A certificate is accepted although a source says this. */
const despite =
  (...said: [kind: StatusSaid['sources'][number]['kind'], what: string]) =>
  ({ statuses }: { statuses: readonly StatusSaid[] }, correct: boolean): boolean =>
    correct || says(statuses, ...said)

/** Domains of partners whose authority was not found once; no domain is used twice. */
const NAMELESS = new Set<string>()

export const REVOCATION: readonly Mutant[] = [
  {
    name: 'takes an answer with the status 200 for a list',
    requirement: 'EXO-REV-04',
    sender: { acceptsStatus: despite('list', 'wrong content') },
    symptom: 'and the gateway sent the message',
  },
  {
    name: 'takes a list for good that was current once',
    requirement: 'EXO-REV-04',
    sender: { acceptsStatus: despite('list', 'expired') },
    symptom: 'and the gateway sent the message',
  },
  {
    name: 'names the same cause for every status that it cannot learn',
    requirement: 'EXO-REV-05',
    queue: {
      result: (_, correct) =>
        correct.reason.includes('status is not known')
          ? { ...correct, reason: 'mx (address): its certificate cannot be checked' }
          : correct,
    },
    symptom: 'does not name the cause',
  },
  {
    name: 'calls a firewall that drops a host without a name',
    requirement: 'EXO-REV-05',
    queue: {
      result: (_, correct) => ({ ...correct, reason: correct.reason.replace('filtered', 'no such host') }),
    },
    symptom: 'does not name the cause (filtered)',
  },
  {
    name: 'takes a list behind https although the status of its host is in it',
    requirement: 'EXO-REV-06',
    sender: { acceptsStatus: despite('list', 'circular') },
    symptom: 'and the gateway sent the message',
  },
  {
    name: 'fetches no list behind https',
    requirement: 'EXO-REV-06',
    sender: {
      acceptsStatus: ({ statuses: [own] }, correct) =>
        correct && !own?.sources.some(({ address }) => address?.startsWith('https:')),
    },
    symptom: 'did not arrive: deferred',
  },
  {
    name: 'takes a certificate for good where a firewall drops the connections to its authority',
    requirement: 'EXO-REV-02',
    sender: { acceptsStatus: despite('list', 'filtered') },
    symptom: 'arrived over TLS',
  },
  {
    name: 'takes a page of a proxy for a list',
    requirement: 'EXO-REV-02',
    sender: { acceptsStatus: despite('list', 'wrong content') },
    symptom: 'arrived over TLS',
  },
  {
    name: 'requires the status of certificates although nobody told it so',
    requirement: 'EXO-REV-02',
    sender: { acceptsStatus: ({ statuses }, correct) => correct && areGood(statuses) },
    symptom: /did not arrive: deferred .* its status is not known/,
  },
  {
    name: 'asks for the status of opportunistic partners and waits for it',
    requirement: 'EXO-REV-02',
    sender: {
      asksForStatus: () => true,
      acceptsStatus: ({ level, statuses }, correct) =>
        correct && (level !== 'opportunistic' || areGood(statuses)),
    },
    symptom: 'arrived unencrypted',
  },
  {
    name: 'does not warn of a status that it cannot learn',
    requirement: 'EXO-REV-02',
    sender: { warnsOfStatus: () => false },
    symptom: 'does not say that the status of the certificate is not known',
  },
  {
    name: 'learns no status where the list cannot be reached',
    requirement: 'EXO-REV-03',
    sender: { acceptsStatus: ({ statuses }, correct) => correct && !says(statuses, 'list', 'refused') },
    symptom: /did not arrive: deferred .* is not accepted/,
  },
  {
    name: 'succeeds although everything is blocked',
    requirement: 'EXO-REV-03',
    sender: { acceptsStatus: despite('responder', 'refused') },
    symptom: 'arrived over TLS',
  },
  {
    name: 'does not fetch the issuer that a partner leaves out',
    requirement: 'EXO-REV-03',
    sender: { fetchesIssuers: () => false },
    symptom: /did not arrive: deferred .* UNABLE_TO_VERIFY_LEAF_SIGNATURE/,
  },
  {
    name: 'does not require the status where the partner leaves out its intermediate',
    requirement: 'EXO-REV-03',
    sender: {
      trustsChain: ({ chainError }, correct) => correct || chainError === 'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
      acceptsStatus: ({ statuses }, correct) => correct || says(statuses, 'list', 'not asked'),
    },
    symptom: 'arrived over TLS',
  },
  {
    name: 'keeps a status that it could not learn',
    requirement: 'EXO-REV-07',
    sender: { acceptsStatus: ({ attempt }, correct) => correct && attempt === 1 },
    symptom: 'did not arrive: deferred',
  },
  {
    name: 'keeps for later that the name of an authority was not found',
    requirement: 'EXO-REV-07',
    sender: {
      acceptsStatus: ({ statuses, domain }, correct) => {
        if (says(statuses, 'list', 'name resolution')) NAMELESS.add(domain)
        return correct && !NAMELESS.has(domain)
      },
    },
    symptom: 'did not arrive: deferred',
  },
  {
    name: 'sends waiting mail at the second attempt whatever the status is',
    requirement: 'EXO-REV-07',
    sender: { acceptsStatus: ({ attempt }, correct) => correct || attempt > 1 },
    symptom: 'arrived over TLS',
  },
  {
    name: 'takes an expired list as a proof',
    requirement: 'PKIX-05',
    sender: { acceptsStatus: despite('list', 'expired') },
    symptom: 'arrived over TLS',
  },
  {
    name: 'does not look at who has made a list',
    requirement: 'PKIX-05',
    sender: { acceptsStatus: despite('list', 'wrong issuer') },
    symptom: 'arrived over TLS',
  },
  {
    name: 'does not verify the signature of a list',
    requirement: 'PKIX-05',
    sender: { acceptsStatus: despite('list', 'wrong signature') },
    symptom: 'arrived over TLS',
  },
  {
    name: 'refuses a certificate because of an expired list although the status is not required',
    requirement: 'PKIX-05',
    sender: { acceptsStatus: ({ statuses }, correct) => correct && !says(statuses, 'list', 'expired') },
    symptom: /did not arrive: deferred .* its status is not known/,
  },
  {
    name: 'takes a certificate for good that a responder does not know',
    requirement: 'OCSP-01',
    sender: { acceptsStatus: despite('responder', 'unknown') },
    symptom: 'arrived over TLS',
  },
  {
    name: 'takes a certificate for good that a stapled answer does not know',
    requirement: 'OCSP-01',
    sender: { acceptsStatus: despite('stapled', 'unknown') },
    symptom: 'arrived over TLS',
  },
  {
    name: 'takes a certificate for good where the responder has no answer now',
    requirement: 'OCSP-01',
    sender: { acceptsStatus: despite('responder', 'no answer') },
    symptom: 'arrived over TLS',
  },
  {
    name: 'accepts answers that any certificate of the authority has signed',
    requirement: 'OCSP-02',
    sender: { acceptsStatus: despite('responder', 'wrong issuer') },
    symptom: 'arrived over TLS',
  },
  {
    name: 'accepts stapled answers about other certificates',
    requirement: 'OCSP-02',
    sender: { acceptsStatus: despite('stapled', 'wrong certificate') },
    symptom: 'arrived over TLS',
  },
  {
    name: 'accepts answers from the future',
    requirement: 'OCSP-02',
    sender: { acceptsStatus: despite('responder', 'not yet valid') },
    symptom: 'arrived over TLS',
  },
  {
    name: 'accepts revoked certificates',
    requirement: 'EXO-FRC-08',
    sender: { acceptsStatus: () => true },
    symptom: 'arrived over TLS',
  },
  {
    name: 'asks the authority although the partner has sent the status along',
    requirement: 'OCSP-03',
    sender: { usesStapled: () => 'beside asking' },
    symptom: 'for the status that the partner had sent along',
  },
  {
    name: 'does not look at what comes along with a certificate in TLS 1.2',
    requirement: 'OCSP-03',
    sender: { usesStapled: ({ tls }, correct) => (tls?.version === 'TLSv1.2' ? 'not at all' : correct) },
    symptom: 'arrived over TLS',
  },
  {
    name: 'ignores a stapled answer that says revoked',
    requirement: 'OCSP-03',
    sender: { acceptsStatus: despite('stapled', 'revoked') },
    symptom: 'arrived over TLS',
  },
  {
    name: 'takes a stapled answer that has expired',
    requirement: 'OCSP-03',
    sender: { acceptsStatus: despite('stapled', 'expired') },
    symptom: 'arrived over TLS',
  },
  {
    name: 'does not know that certificates can promise a stapled answer',
    requirement: 'OCSP-04',
    sender: { acceptsBrokenPromise: () => true },
    symptom: 'arrived over TLS',
  },
  {
    name: 'does not miss a promised answer in TLS 1.2',
    requirement: 'OCSP-04',
    sender: { acceptsBrokenPromise: ({ tls }, correct) => correct || tls?.version === 'TLSv1.2' },
    symptom: 'arrived over TLS',
  },
  {
    name: 'asks nobody whether a certificate is revoked',
    requirement: 'EXO-REV-01',
    sender: { asksForStatus: () => false },
    symptom: 'asked nobody whether the certificate is revoked',
  },
]
