import type { X509Certificate } from 'node:crypto'
import type { TLSSocket } from 'node:tls'
import type { Conversation, EventDetail, Handshake, Party, WireEvent } from './conversation.ts'
import { detailOf, detailText, type PlainKind } from './event-detail.ts'
import type { Tap } from './link.ts'
import { printable } from './printable.ts'
import { PeerLimit } from './smtp/lines.ts'
import { certificateFacts } from './tls/certificate-facts.ts'
import { labelled } from './tls/handshake-keys.ts'
import { RecordReader, type TlsSighting } from './tls/tls-records.ts'
import { WireError } from './wire-error.ts'

/** The most that is kept of one connection, so that no peer can fill the memory. */
const MAX_EVENTS = 400
export const MAX_CLEAR = 160 * 1024
/** Length of an encrypted alert: two bytes, the content type and the tag of TLS 1.3; RFC 8446 s5.2. */
const SEALED_ALERT = 2 + 1 + 16
const PEM_BEGIN = '-----BEGIN CERTIFICATE-----'

let lastId = 0

/**
 * Records one connection at the lab's end: every line, every fact of the handshake, and every byte that crossed
 * unencrypted.
 */
export class Recorder implements Tap {
  readonly conversation: Conversation
  /** What the peer has shown. The TLS library gives it away only once. */
  certificate: X509Certificate | undefined
  readonly #started = performance.now()
  readonly #ours: Party
  readonly #onEvent: ((event: WireEvent) => void) | undefined
  #clear: Record<Party, Buffer[]> = { sender: [], receiver: [] }
  #clearSize: Record<Party, number> = { sender: 0, receiver: 0 }
  #tls: Partial<Record<Party, RecordReader>> = {}
  #endOver: ((limit: PeerLimit) => void) | undefined
  /** For a record of the tap: the sender has sent something under the keys of the session. */
  #sealed = false
  /** The receiver showed a certificate or took part in a key exchange. */
  #keysAgreed = false
  #up = false

  constructor(names: {
    gatewayIs: Conversation['gatewayIs']
    /** The lab's end, where it is not simply the one that is not the gateway's. */
    ours?: Party
    sender: string
    receiver: string
    overheard?: true
    onEvent?: (event: WireEvent) => void
  }) {
    this.#ours = names.ours ?? (names.gatewayIs === 'sender' ? 'receiver' : 'sender')
    this.#onEvent = names.onEvent
    const recorder = this
    this.conversation = {
      id: `c${++lastId}`,
      gatewayIs: names.gatewayIs,
      ...(names.overheard ? { overheard: true } : {}),
      sender: names.sender,
      receiver: names.receiver,
      startedAt: new Date().toISOString(),
      events: [],
      clear: {
        get fromSender() {
          return recorder.#text('sender')
        },
        get fromReceiver() {
          return recorder.#text('receiver')
        },
      },
      closed: false,
    }
  }

  /**
   * Calls `end` once, as soon as the peer has sent more than is kept: the lab would not see what follows, so the connection
   * must end.
   */
  whenFull(end: (limit: PeerLimit) => void): void {
    this.#endOver = end
  }

  /** `text`: a line, a summary or a reason, printable and bounded. */
  event(from: Party, kind: PlainKind, text: string, secured = false): void {
    this.#happened(from, detailOf(kind, text), { text, secured })
  }

  #happened(
    from: Party,
    detail: EventDetail,
    { text = detailText(detail), secured = false }: { text?: string; secured?: boolean } = {},
  ): void {
    const { conversation } = this
    const { kind } = detail
    if (kind === 'close') {
      if (conversation.closed) return
      conversation.closed = true
      // What came in single bytes takes a hundred times its size until here.
      for (const side of ['sender', 'receiver'] as const)
        this.#clear[side] = [Buffer.concat(this.#clear[side])]
    }
    if (conversation.events.length < MAX_EVENTS || kind === 'close') this.#keep(from, detail, text, secured)
    else this.#full(`more than ${MAX_EVENTS} events`)
  }

  #keep(from: Party, detail: EventDetail, text: string, secured: boolean): void {
    const at = Math.round((performance.now() - this.#started) * 100) / 100
    const event: WireEvent = { at, from, secured, text, ...detail }
    this.conversation.events.push(event)
    this.#onEvent?.(event)
  }

  #full(what: string): void {
    this.conversation.truncated = true
    const end = this.#endOver
    if (!end) return
    this.#endOver = undefined
    this.#keep(this.#ours, { kind: 'error' }, `${what}: not kept, so the connection is ended`, false)
    end(new PeerLimit(what))
  }

  get handshake(): Handshake {
    this.conversation.handshake ??= {}
    return this.conversation.handshake
  }

  /** From here on this side should speak TLS; whatever else it sends is recorded as unencrypted bytes. */
  expectTls(party: Party): void {
    this.#tls[party] ??= new RecordReader({ tellsSealed: this.conversation.overheard === true })
  }

  /** A line of Node's `keylog` event. It opens the receiver's encrypted handshake. */
  secret(line: Buffer): void {
    const [label, secret] = labelled(line)
    if (label !== 'SERVER_HANDSHAKE_TRAFFIC_SECRET') return
    for (const sighting of this.#tls.receiver?.unseal(secret) ?? []) this.#sighted('receiver', sighting)
  }

  received(chunk: Buffer): void {
    this.#crossed(this.#ours === 'sender' ? 'receiver' : 'sender', chunk)
  }

  sent(chunk: Buffer): void {
    this.#crossed(this.#ours, chunk)
  }

  #crossed(party: Party, chunk: Buffer): void {
    const reader = this.#tls[party]
    if (!reader) this.#keepClear(party, chunk)
    else for (const sighting of reader.read(chunk)) this.#sighted(party, sighting)
  }

  #keepClear(party: Party, chunk: Buffer): void {
    const room = MAX_CLEAR - this.#clearSize[party]
    if (room > 0) {
      // A copy: a slice would keep the whole read buffer of the socket alive.
      this.#clear[party].push(Buffer.from(chunk.subarray(0, room)))
      this.#clearSize[party] += Math.min(room, chunk.length)
    }
    if (chunk.length <= room) return
    // The lab knows what it sends itself; only the peer can hide something.
    if (party === this.#ours) this.conversation.truncated = true
    else this.#full(`more than ${MAX_CLEAR} unencrypted bytes`)
  }

  #text(party: Party): string {
    return printable(Buffer.concat(this.#clear[party]), MAX_CLEAR)
  }

  #sighted(party: Party, sighting: TlsSighting): void {
    const { handshake } = this
    switch (sighting.kind) {
      case 'client-hello':
        // The second hello of a HelloRetryRequest repeats the offer; keep the first.
        handshake.offered ??= sighting.hello
        handshake.randoms ??= { sender: sighting.random }
        this.#happened(party, { kind: 'hello', hello: sighting.hello })
        break
      case 'server-hello':
        if (sighting.group) handshake.group = sighting.group
        if (sighting.version === 'TLSv1.3') this.#tls.sender?.isTls13()
        if (!sighting.retry) {
          handshake.version = sighting.version
          handshake.suite = sighting.suite
          handshake.randoms = { ...handshake.randoms, receiver: sighting.random }
          // Without a share it is a session that is resumed by its key alone: RFC 8446 s2.2.
          if (sighting.version === 'TLSv1.3' && sighting.group) handshake.ephemeral = true
        }
        this.#happened(party, {
          kind: 'server-hello',
          version: sighting.version,
          suite: sighting.suite,
          ...(sighting.group ? { group: sighting.group } : {}),
          retry: sighting.retry,
        })
        break
      case 'certificate':
        if (party === 'receiver') this.#keysAgreed = true
        break
      case 'group':
        handshake.group = sighting.group
        break
      case 'server-key-exchange':
        // Nobody here offers a key exchange with a pre-shared key, or an anonymous one.
        handshake.ephemeral = true
        this.#keysAgreed = true
        break
      case 'key-exchange':
        break
      case 'sealed':
        this.#overhear(party, sighting.length)
        break
      case 'certificate-request':
        handshake.clientCertificateRequested = true
        this.#happened(party, { kind: 'certificate-request' })
        break
      case 'alert':
        this.#happened(party, sighting)
        break
      case 'not-tls':
        this.#keepClear(party, sighting.bytes)
        this.event(party, 'bytes', `not TLS: ${printable(sighting.bytes, 200)}`)
    }
  }

  /**
   * The tap is not told that the handshake is done. It is done once the receiver answers, under the keys of the session,
   * what the sender has sent under them; alerts do not count.
   */
  #overhear(party: Party, length: number): void {
    if (length <= SEALED_ALERT) return
    if (party === 'sender') {
      this.#sealed = true
      return
    }
    const { version = 'unknown', suite = 'unknown suite' } = this.handshake
    if (!this.#sealed || this.#up) return
    this.#up = true
    this.#noteResumed()
    this.#happened('receiver', { kind: 'established', version, suite }, { secured: true })
  }

  /** RFC 5246 s7.3: an abbreviated handshake has neither Certificate nor ServerKeyExchange. */
  #noteResumed(): void {
    const { handshake } = this
    if (handshake.version !== 'TLSv1.3' && !this.#keysAgreed) handshake.resumed = true
  }

  /** What the peer showed, its own certificate first; as far as the library finds the issuer of each. */
  get certificates(): X509Certificate[] {
    return this.certificate ? issuersFrom(this.certificate) : []
  }

  /** To be called when the TLS library says that the handshake is done. `chain`: PEM, if the lab's end showed one. */
  secured(socket: TLSSocket, chain = ''): void {
    const { handshake } = this
    handshake.version = socket.getProtocol() ?? 'unknown'
    handshake.suite = socket.getCipher().standardName ?? socket.getCipher().name
    this.#noteResumed()
    const peer = socket.getPeerX509Certificate()
    this.certificate = peer
    const own = socket.getX509Certificate()
    const theirs = peer && certificateFacts(peer, issuersFrom(peer).length)
    const ours = own && certificateFacts(own, Math.max(1, chain.split(PEM_BEGIN).length - 1))
    const [server, client] = this.#ours === 'receiver' ? [ours, theirs] : [theirs, ours]
    if (server) handshake.serverCertificate = server
    // The library lists the lab's client certificate even when the server did not ask for one.
    if (client && (this.#ours === 'receiver' || handshake.clientCertificateRequested))
      handshake.clientCertificate = client
    const { version, suite } = handshake
    const other = this.#ours === 'receiver' ? 'sender' : 'receiver'
    this.#happened(other, { kind: 'established', version, suite }, { secured: true })
  }

  /** The sender accepts what the lab has crafted, and goes on with the handshake. */
  goesOn(): void {
    this.#happened('sender', { kind: 'key-exchange' })
  }

  /** The handshake failed. An error that is no WireError is not the peer's fault. */
  failed(error: Error): void {
    if (error instanceof WireError) {
      const why = printable(error.detail, 300)
      this.handshake.error ??= why
      this.handshake.breakdown ??= error.breakdown
      this.event(this.#ours, 'error', `handshake failed: ${why}`)
    } else this.labFailed(error)
  }

  /** The lab could not do its part, which is never the peer's fault. */
  labFailed(error: Error): void {
    this.conversation.labError ??= printable(error.message, 300)
    this.event(this.#ours, 'error', `the lab failed: ${printable(error.message, 300)}`)
  }
}

/** A certificate and its issuers that the peer sent, without roots of the lab. */
function issuersFrom(certificate: X509Certificate): X509Certificate[] {
  const found: X509Certificate[] = []
  for (let next: X509Certificate | undefined = certificate; next; next = next.issuerCertificate)
    found.push(next)
  return found
}
