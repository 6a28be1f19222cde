import { SERVICE } from '../../mailflow/domains.ts'
import { covers } from '../../mailflow/mail-flow.ts'
import type { DeliveryResult, TlsFailure } from '../decisions/queue.ts'
import type { ReceiverSituation } from '../decisions/receiver.ts'
import type { CertificateSituation, Situation } from '../decisions/situation.ts'

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

export const LOGIN = `AUTH PLAIN ${Buffer.from('\0me\0secret').toString('base64')}`
