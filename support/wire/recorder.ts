import type { TLSSocket } from 'node:tls'
import { certificateFacts } from '../pki/facts.ts'
import type { ClientHello, Conversation, Handshake, Party, WireEvent } from './conversation.ts'
import type { Tap } from './link.ts'
import { printable } from './printable.ts'
import { RecordReader, type TlsSighting } from './tls-records.ts'
import { spoken } from './tls-names.ts'

/** Bounds on what is kept of one connection, so that a talkative peer cannot fill the memory. */
const MAX_EVENTS = 400
const MAX_CLEAR = 64 * 1024

let lastId = 0

/**
 * Writes down one connection from our end of it: every line and every handshake fact, and, from below TLS, every byte
 * that crossed in clear.
 */
export class Recorder implements Tap {
  readonly conversation: Conversation
  readonly #started = performance.now()
  readonly #ours: Party
  readonly #onEvent: ((event: WireEvent) => void) | undefined
  #clear: Record<Party, Buffer[]> = { sender: [], receiver: [] }
  #clearSize: Record<Party, number> = { sender: 0, receiver: 0 }
  #tls: Partial<Record<Party, RecordReader>> = {}

  constructor(names: {
    gatewayIs: Party
    sender: string
    receiver: string
    onEvent?: (event: WireEvent) => void
  }) {
    this.#ours = names.gatewayIs === 'sender' ? 'receiver' : 'sender'
    this.#onEvent = names.onEvent
    const recorder = this
    this.conversation = {
      id: `c${++lastId}`,
      gatewayIs: names.gatewayIs,
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

  event(from: Party, kind: WireEvent['kind'], text: string, secured = false): void {
    const { events } = this.conversation
    const at = Math.round((performance.now() - this.#started) * 100) / 100
    const event: WireEvent = { at, from, kind, secured, text }
    if (kind === 'close') this.conversation.closed = true
    if (events.length < MAX_EVENTS || kind === 'close') events.push(event)
    this.#onEvent?.(event)
  }

  get handshake(): Handshake {
    this.conversation.handshake ??= {}
    return this.conversation.handshake
  }

  /** From here on this party is expected to speak TLS; anything else it says is noted as clear text. */
  expectTls(party: Party): void {
    this.#tls[party] ??= new RecordReader()
  }

  received(chunk: Buffer): void {
    this.#crossed(this.#ours === 'sender' ? 'receiver' : 'sender', chunk)
  }

  sent(chunk: Buffer): void {
    this.#crossed(this.#ours, chunk)
  }

  #crossed(party: Party, chunk: Buffer): void {
    const reader = this.#tls[party]
    if (!reader) return this.#keepClear(party, chunk)
    for (const sighting of reader.read(chunk)) this.#sighted(party, sighting)
  }

  #keepClear(party: Party, chunk: Buffer): void {
    const room = MAX_CLEAR - this.#clearSize[party]
    if (room <= 0) return
    this.#clear[party].push(chunk.subarray(0, room))
    this.#clearSize[party] += Math.min(room, chunk.length)
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
        this.event(party, 'handshake', clientHelloText(sighting.hello))
        break
      case 'server-hello':
        if (sighting.group) handshake.group = sighting.group
        if (!sighting.retry) {
          handshake.version = sighting.version
          handshake.suite = sighting.suite
        }
        this.event(
          party,
          'handshake',
          sighting.retry
            ? `HelloRetryRequest: ${sighting.group ?? 'another group'}`
            : `ServerHello: ${spoken(sighting.version)}, ${sighting.suite}${sighting.group ? `, ${sighting.group}` : ''}`,
        )
        break
      case 'group':
        handshake.group = sighting.group
        break
      case 'certificate-request':
        handshake.clientCertificateRequested = true
        this.event(party, 'handshake', 'CertificateRequest')
        break
      case 'alert':
        this.event(party, 'alert', `${sighting.level} alert: ${sighting.description}`)
        break
      case 'not-tls':
        this.#keepClear(party, sighting.bytes)
        this.event(party, 'bytes', `not TLS: ${printable(sighting.bytes, 200)}`)
    }
  }

  /** Call when the TLS library says that the handshake is done. */
  secured(socket: TLSSocket): void {
    const { handshake } = this
    handshake.version = socket.getProtocol() ?? 'unknown'
    handshake.suite = socket.getCipher().standardName ?? socket.getCipher().name
    const peer = socket.getPeerX509Certificate()
    const own = socket.getX509Certificate()
    const theirs = peer && certificateFacts(peer, chainLength(socket))
    const ours = own && certificateFacts(own, 1)
    const [server, client] = this.#ours === 'receiver' ? [ours, theirs] : [theirs, ours]
    if (server) handshake.serverCertificate = server
    // Our own client certificate is listed by the library even when the server did not ask for it.
    if (client && (this.#ours === 'receiver' || handshake.clientCertificateRequested))
      handshake.clientCertificate = client
    this.event(
      this.#ours === 'receiver' ? 'sender' : 'receiver',
      'handshake',
      `${spoken(handshake.version)} established, ${handshake.suite}`,
      true,
    )
  }

  failed(error: Error): void {
    this.handshake.error ??= printable(error.message, 300)
    this.event(this.#ours, 'error', `handshake failed: ${printable(error.message, 300)}`)
  }
}

function chainLength(socket: TLSSocket): number {
  const seen = new Set<string>()
  let next = socket.getPeerCertificate(true)
  while (next?.fingerprint256 && !seen.has(next.fingerprint256)) {
    seen.add(next.fingerprint256)
    next = next.issuerCertificate
  }
  return seen.size
}

function clientHelloText(hello: ClientHello): string {
  const name = hello.serverName ? `, SNI ${hello.serverName}` : ', no SNI'
  return `ClientHello: ${hello.versions.map(spoken).join(', ')}; ${hello.suites.length} suites${name}`
}
