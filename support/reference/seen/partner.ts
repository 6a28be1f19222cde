/** A reply of a partner, as it came. */
export interface SeenReply {
  /** The verb of the command, `greeting` or `content`. */
  to: string
  code: number
  /** Without codes. */
  lines: readonly string[]
  /** Bytes of each read in which it came; none where it came together with something before. */
  reads: readonly number[]
}

/** What a handshake with a partner showed. */
export interface SeenHandshake {
  version: string
  /** OpenSSL's name of an elliptic curve; undefined for another kind of key exchange. */
  curve: string | undefined
  /** Kind of the certificate's key: `rsa 2048`, `ec prime256v1`, `ed25519`. */
  key: string | undefined
  /** Bytes of each read and of each TLS record in which the partner's part came. */
  reads: readonly number[]
  records: readonly number[]
}

/** An earlier message at the same mail exchanger. */
export interface PastMail {
  id: string
  /** Of the recipients, lower case. */
  domain: string
  outcome: 'over TLS' | 'unencrypted' | 'refused' | 'no handshake' | 'no STARTTLS'
}

/** What the gateway knows of a partner before it connects. */
export type PartnerKnown = Pick<PartnerSeen, 'position' | 'address' | 'deep' | 'domain' | 'past'>

/** What the gateway has seen of a partner on one connection. What cannot be seen yet does not hold. */
export class PartnerSeen {
  readonly replies: SeenReply[] = []
  handshake: SeenHandshake | undefined
  /** Among the mail exchangers, from 0. */
  readonly position: number
  readonly address: string
  /** The domain of the recipients is two names below that of the connector, or deeper. */
  readonly deep: boolean

  /** Of the recipients, lower case. */
  readonly domain: string
  /** The last message before at the same mail exchanger. */
  readonly past: PastMail | undefined

  constructor({ position, address, deep, domain, past }: PartnerKnown) {
    this.domain = domain
    this.past = past
    this.position = position
    this.address = address
    this.deep = deep
  }

  /** The first reply to EHLO, which comes unencrypted. */
  get ehlo(): readonly string[] {
    return this.replies.find(({ to }) => to === 'EHLO')?.lines ?? []
  }

  /** Replies to commands that follow EHLO. */
  get answers(): SeenReply[] {
    return this.replies.filter(({ to }) => /^(STARTTLS|MAIL|RCPT)$/.test(to))
  }
}
