import type { Smuggled } from '../../support/evidence/session.ts'
import type { Interference, WayToHost } from '../../support/lab/lab.ts'
import type { Behaviour, TlsVersion } from '../../support/lab/partner/behaviour.ts'
import type { SecondServerKind } from '../../support/mailflow/capabilities.ts'
import type { ChangeName } from '../../support/mailflow/changes.ts'
import type { CertificateFlaw } from '../../support/pki/flaws.ts'
import type { AnswerName, ListName } from '../../support/pki/status-words.ts'
import type { SenderBehaviour } from '../../support/traffic/client-behaviour.ts'
import type { Distributed, Installed } from './parameters.ts'

/** A copy of a message that goes to several partners. */
export interface Copy {
  partner: string
  domain: string
  behaviour: Behaviour
}

/** What a partner does: always, and only on some connections. */
export interface PartnerSaid {
  always: Behaviour
  limited: Behaviour
}

/** What a client does when it talks to the gateway; absent: it uses TLS and shows no certificate. */
export interface ClientSaid {
  tls: 'does not use' | 'falls back to unencrypted'
  maxVersion: TlsVersion
  /** In its ClientHello, in the words of `offer-questions.ts`. */
  offers: string
  certificate: { names: string[]; flaws: Set<CertificateFlaw> }
  /** The certificate bears the name that the connector requires. */
  showsCertificate: true
  greetsAs: string
  /** Sender of a message that the client begins before its own and takes back with RSET. */
  beginsAs: string
  inCapitals: true
  cuts: true
  /** The client ends TLS in the middle of this and goes on unencrypted. */
  endsTlsIn: NonNullable<SenderBehaviour['endsTlsIn']>
  failsHandshake: true
  staysAfterFailedHandshake: true
  injects: Smuggled
  starttlsParameter: true
  /** The client says MAIL before STARTTLS. */
  beginsBeforeTls: 'and again inside TLS' | 'and continues inside TLS'
  /** The client greets before TLS alone. */
  greetsOnce: true
  /** Its TLS begins with the connection: RFC 8314 s3.3. */
  beginsWithTls: true
  /** It resumes a session that it has had before, or wants to with a ticket that the gateway does not know. */
  resumes: 'by ticket' | 'by an unknown ticket'
  /** Its hello has no SNI: RFC 6066 s3. */
  namesNoServer: true
  /** The client has started TLS before the example's own act. */
  insideTls: true
}

export interface MessageSaid {
  /** In bytes, about. */
  size: number
  withoutReturnPath: true
  inCapitals: true
  /** The partner has an internationalised domain: RFC 5890 s2.3.2.3. */
  international: true
  /** The domains of recipients are written with U-labels. */
  uLabels: true
  submitted: 'over TLS' | 'unencrypted'
  /** So many others go to the partner at the same time. */
  others: number
  encrypted: true
  headers: string[]
}

/** What the Givens of an example can speak of. */
export interface Subjects {
  gateway: {
    changes: Set<ChangeName>
    /** The certificate is exchanged while clients deliver messages. */
    certificateChanges: true
    /** The domain has another server, which shows such a certificate. */
    another: 'as usual' | 'former'
    /** It has sent a message to the same mail exchanger, for which TLS is optional, in a session that can be resumed. */
    resumable: true
    /** What the administrator installs as a trusted root between the first attempt and the second. */
    installs: Installed
    /** What the machine of the gateway fetches as trusted roots in between. */
    fetches: Distributed
  }
  connector: {
    /** Domain of the partner, under the pattern of the connector that applies. */
    partnerDomain: string
    /** Domain of the client, likewise. */
    clientDomain: string
    /** The client hands over mail for the partner, and not for the gateway's own domain. */
    relays: true
    /** The name that an inbound connector requires in the client's certificate. */
    certificateName: string
  }
  partner: PartnerSaid
  /** The authority of the partner's certificate tells its status, and what it says. */
  authority: {
    tells: true
    revoked: true
    /** In its certificates there is no address of such a source. */
    without: 'list' | 'responder'
    /** Its list is behind https, with such a certificate. */
    https: 'independent' | 'circular' | 'untrusted'
    /** Its hosts say to everybody that they have none. */
    silent: true
    /** What stands between the gateway and its hosts, and that it goes away between the first attempt and the second. */
    ways: Partial<Record<'list' | 'responder' | 'issuer', Exclude<WayToHost, 'open'> | 'to a proxy'>>
    opens: true
    answer: AnswerName
    list: ListName
  }
  /** Several mail exchangers of the partner, in order of preference, or several servers behind one name. */
  exchangers: { list: Behaviour[]; oneName: true }
  /** The MX record of the partner leads to a host of an attacker. */
  mx: { forged: true }
  onward: { unencrypted: true }
  copies: { list: Copy[] }
  /** Extensions that the partner offers before TLS and not inside TLS. */
  extensions: { beforeTlsOnly: string[] }
  /** What the partner sends unencrypted behind its go-ahead. */
  injected: { by: 'reply' | 'line' }
  client: ClientSaid
  message: MessageSaid
  secondServer: { kind: SecondServerKind }
  /** What the tap does with all mail, with mail that comes in to the gateway, and with mail that goes out. */
  tap: { always: Interference; in: Interference; out: Interference }
}
