import type { ClientHello } from '../conversation.ts'
import { HandshakeKeys } from './handshake-keys.ts'
import { clientHello, type ServerHello, serverHello } from './read-hellos.ts'
import { groupName } from './tls-names.ts'

/** What the unencrypted part of TLS records says; RFC 8446 s5.1, RFC 5246 s6.2. */
export type TlsSighting =
  | { kind: 'client-hello'; hello: ClientHello; random: string }
  | ServerHello
  | { kind: 'certificate' }
  | { kind: 'certificate-request' }
  | { kind: 'group'; group: string }
  /** The receiver's share of an ephemeral key exchange, up to TLS 1.2. */
  | { kind: 'server-key-exchange' }
  /** The sender's share of the key exchange, up to TLS 1.2: it accepts what the receiver has answered. */
  | { kind: 'key-exchange' }
  /** Where asked for: a record under the keys of the session; `length` in bytes, with the tag. */
  | { kind: 'sealed'; length: number }
  /** Where asked for: a handshake message that is not encrypted, `body` without its 4-byte header. */
  | { kind: 'message'; type: number; body: Buffer }
  /** RFC 8446 s6; level 2 is fatal. */
  | { kind: 'alert'; level: number; description: number }
  /** Bytes that are no TLS record at all. */
  | { kind: 'not-tls'; bytes: Buffer }

const MAX_HANDSHAKE = 64 * 1024
/** Encrypted handshake records that are kept until their keys are known; a usual handshake has one to four. */
const MAX_SEALED = 8

/**
 * Reads the TLS records of one direction and reports what is not encrypted. With a secret of the lab's end it reads the
 * handshake of TLS 1.3 too. Handshake bytes are kept up to MAX_HANDSHAKE, then ignored.
 */
export class RecordReader {
  #bytes: Buffer = Buffer.alloc(0)
  #handshake: Buffer = Buffer.alloc(0)
  /** Handshake messages are encrypted from here on. */
  #encrypted = false
  #tls13 = false
  #ecdhe = true
  #lost = false
  /** Of TLS 1.3, from the ServerHello of this direction. */
  #suite: string | undefined
  /** Records of an encrypted handshake that wait for their keys; undefined when the handshake is over. */
  #sealed: { header: Buffer; body: Buffer }[] | undefined
  #keys: HandshakeKeys | undefined
  readonly #tellsSealed: boolean
  readonly #tellsMessages: boolean

  /**
   * `tellsSealed`: for a record of the tap, which learns from nothing else that there is a session. `tellsMessages`: for
   * the prober, which reads messages that the lab leaves to the TLS library.
   */
  constructor({ tellsSealed = false, tellsMessages = false } = {}) {
    this.#tellsSealed = tellsSealed
    this.#tellsMessages = tellsMessages
  }

  /**
   * In TLS 1.3 a ChangeCipherSpec means nothing (RFC 8446 appendix D.4): after a HelloRetryRequest a second unencrypted
   * hello follows it. The reader of the receiver's direction knows the version; the one of the sender's must be told.
   */
  isTls13(): void {
    this.#tls13 = true
  }

  /** `secret`: the handshake traffic secret of this direction, with which its handshake can be read up to Finished. */
  unseal(secret: Buffer): TlsSighting[] {
    const seen: TlsSighting[] = []
    if (!this.#suite || !this.#sealed) return seen
    this.#keys = HandshakeKeys.from(this.#suite, secret)
    for (const { header, body } of this.#sealed.splice(0)) this.#open(header, body, seen)
    return seen
  }

  read(chunk: Buffer): TlsSighting[] {
    const seen: TlsSighting[] = []
    if (this.#lost) return [{ kind: 'not-tls', bytes: chunk }]
    this.#bytes = Buffer.concat([this.#bytes, chunk])
    for (;;) {
      if (!this.#bytes.length) return seen
      const [type, major] = this.#bytes
      const alien = type! < 20 || type! > 24 || (this.#bytes.length > 1 && major !== 3)
      const length = this.#bytes.length >= 5 ? this.#bytes.readUInt16BE(3) : 0
      if (alien || length > 16384 + 2048) {
        this.#lost = true
        seen.push({ kind: 'not-tls', bytes: this.#bytes })
        return seen
      }
      if (this.#bytes.length < 5 || this.#bytes.length < 5 + length) return seen
      if (type === 23 && this.#tellsSealed) seen.push({ kind: 'sealed', length })
      if (type === 23 && this.#sealed) this.#sealedRecord(5 + length, seen)
      this.#record(type!, this.#bytes.subarray(5, 5 + length), seen)
      this.#bytes = this.#bytes.subarray(5 + length)
    }
  }

  #record(type: number, body: Buffer, seen: TlsSighting[]): void {
    if (type === 23 || (type === 20 && !this.#tls13)) this.#encrypted = true
    // An encrypted alert is longer than its two bytes.
    else if (type === 21 && body.length === 2)
      seen.push({
        kind: 'alert',
        level: body[0]!,
        description: body[1]!,
      })
    else if (type === 22 && !this.#encrypted && this.#handshake.length < MAX_HANDSHAKE) {
      this.#handshake = Buffer.concat([this.#handshake, body])
      this.#messages(seen)
    }
  }

  #sealedRecord(length: number, seen: TlsSighting[]): void {
    const [header, body] = [this.#bytes.subarray(0, 5), this.#bytes.subarray(5, length)]
    if (this.#keys) this.#open(header, body, seen)
    else if (this.#sealed!.length < MAX_SEALED)
      this.#sealed!.push({ header: Buffer.from(header), body: Buffer.from(body) })
  }

  #open(header: Buffer, body: Buffer, seen: TlsSighting[]): void {
    const opened = this.#keys?.open(header, body)
    if (opened?.type !== 22) return
    this.#handshake = Buffer.concat([this.#handshake, opened.content]).subarray(0, MAX_HANDSHAKE)
    this.#messages(seen)
  }

  #messages(seen: TlsSighting[]): void {
    while (this.#handshake.length >= 4) {
      const length = this.#handshake.readUIntBE(1, 3)
      if (this.#handshake.length < 4 + length) return
      const type = this.#handshake[0]!
      const body = this.#handshake.subarray(4, 4 + length)
      this.#handshake = this.#handshake.subarray(4 + length)
      if (this.#tellsMessages) seen.push({ kind: 'message', type, body })
      try {
        if (type === 1)
          seen.push({
            kind: 'client-hello',
            hello: clientHello(body),
            random: body.subarray(2, 34).toString('hex'),
          })
        else if (type === 2) {
          const hello = serverHello(body)
          this.#tls13 = hello.version === 'TLSv1.3'
          this.#ecdhe = !/_DHE?_/.test(hello.suite)
          if (this.#tls13 && !hello.retry) {
            this.#suite = hello.suite
            this.#sealed = []
          }
          seen.push(hello)
        } else if (type === 11) seen.push({ kind: 'certificate' })
        else if (type === 12) {
          seen.push({ kind: 'server-key-exchange' })
          // RFC 8422 s5.4: named_curve
          if (body[0] === 3 && this.#ecdhe)
            seen.push({ kind: 'group', group: groupName(body.readUInt16BE(1)) })
        } else if (type === 16) seen.push({ kind: 'key-exchange' })
        else if (type === 13) seen.push({ kind: 'certificate-request' })
        // After Finished, records are under other keys.
        else if (type === 20 && this.#tls13) this.#sealed = undefined
      } catch {
        // A hello with wrong lengths: the TLS library refuses it and says so.
      }
    }
  }
}
