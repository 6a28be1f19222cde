import { SERVICE } from '../../mailflow/domains.ts'
import { covers } from '../../mailflow/mail-flow.ts'
import type { Defect } from '../decisions/defect.ts'
import type { DeliveryResult, TlsFailure } from '../decisions/queue.ts'
import type { ReceiverSituation } from '../decisions/receiver.ts'
import type { CertificateSituation, Situation } from '../decisions/situation.ts'
import type { TlsTerms } from '../tls-options.ts'

// What several defects have in common.

/** Mail comes from a server, not from a user who submits it. */
export const isFromServer = ({ role }: ReceiverSituation): boolean => role === 'inbound'

/** Mail comes from a server of the gateway's own service, or goes to one. */
export const isAmongOwnServers = ({ sender, recipients }: Situation): boolean =>
  [sender, ...recipients].some(address => covers(`*.${SERVICE}`, address.split('@').at(-1)!.toLowerCase()))

/** STARTTLS was begun and no session came of it. */
export const isHandshakeFailure = (why: TlsFailure | undefined): boolean =>
  why === 'handshake failed' || why === 'connection closed' || why === 'no answer'

/** A name goes on behind the expected one: mail.partner.test.other.test for mail.partner.test. */
export const goesOnBehind = ({ certificate, expected }: CertificateSituation): boolean =>
  certificate.names.some(name => name.includes(`${expected.replace(/^\*/, '')}.`))

/** A name ends like this, whole labels or not. */
export const endsLike = ({ certificate }: CertificateSituation, end: string): boolean =>
  certificate.names.some(name => name.endsWith(end))

/** evilpartner.test for *.partner.test. */
export const endsLikeWildcard = (at: CertificateSituation): boolean =>
  at.expected.startsWith('*.') && endsLike(at, at.expected.slice(2))

/** Certificates are accepted although their chain fails with this error, in OpenSSL's word. */
export const despite =
  (error: RegExp) =>
  ({ chainError = '' }: CertificateSituation, correct: boolean): boolean =>
    correct || error.test(chainError)

export const UNKNOWN_ISSUER = /UNABLE_TO|SELF_SIGNED/
/** Node has no word for OpenSSL's error 79. */
export const ISSUER_WITHOUT_CA_FLAG = /^UNSPECIFIED$/

export const TLS_1_3 = { version: 'TLSv1.3', suite: 'TLS_AES_256_GCM_SHA384' }

export const bouncedIfDeferred = (result: DeliveryResult): DeliveryResult =>
  result.kind === 'deferred' ? { ...result, kind: 'bounced' } : result

/** Mail that waits because TLS failed in this way waits for a reason that nobody can make out. */
export const waitsUnexplained = (failure: TlsFailure): Defect['queue'] & object => ({
  result: (_, correct) =>
    correct.tlsFailure === failure ? { ...correct, reason: 'it will be tried again' } : correct,
})

/** A message is refused in the reply to its content, and stored all the same, where this is true of the client. */
export const storesRefused = (holds: (at: ReceiverSituation) => boolean): Defect['receiver'] & object => ({
  refusalOfSender: (at, correct) => (holds(at) ? undefined : correct),
  replyToMessage: (at, correct) =>
    at.connector?.clientCertificate && holds(at) ? '550 5.7.1 The certificate is not accepted' : correct,
})

/** Mail that waits because TLS failed in this way goes back to its author at once. */
export const returnsAfter = (failure: TlsFailure): Defect['queue'] & object => ({
  result: (_, correct) => (correct.tlsFailure === failure ? bouncedIfDeferred(correct) : correct),
})

/** Suites whose name matches go first. */
export const first = (pattern: RegExp, suites: readonly string[]): string[] =>
  suites.toSorted((a, b) => Number(pattern.test(b)) - Number(pattern.test(a)))

/** The lowest security level of OpenSSL: above it the library itself refuses short keys, SHA-1 and what else is weak. */
export const EVERYTHING = '@SECLEVEL=0'
/** What is weak is accepted as well. */
export const weakToo = (more: TlsTerms['more'] & object = {}) => ({
  tls: <Terms extends TlsTerms>(_: unknown, correct: Terms): Terms => ({
    ...correct,
    suites: [...correct.suites, EVERYTHING],
    more,
  }),
})

export const LOGIN = `AUTH PLAIN ${Buffer.from('\0me\0secret').toString('base64')}`
