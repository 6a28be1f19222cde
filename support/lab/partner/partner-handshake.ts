import type { TLSSocket } from 'node:tls'
import type { Link } from '../../wire/link.ts'
import type { Recorder } from '../../wire/recorder.ts'
import { answerBytes, type CraftedAnswer } from '../../wire/tls/craft-answer.ts'
import { EarlyTicket } from '../../wire/tls/early-ticket.ts'
import { acceptTls } from '../../wire/tls/handshake.ts'
import { TlsCarrier } from '../../wire/tls/tls-carrier.ts'
import { RecordReader } from '../../wire/tls/tls-records.ts'
import { WireError } from '../../wire/wire-error.ts'
import type { Behaviour, HandshakeFault } from './behaviour.ts'
import { chainShown, type HostTls, serverOptions } from './host-tls.ts'
import { BROKEN_HANDSHAKES, CLOSE_NOTIFY } from './partner-faults.ts'

/** Of a partner that sends TLS in small records or in small writes, in bytes. */
const SMALL_RECORD = 512
const SMALL_WRITE = 100

/** The SMTP session in which the handshake takes place, as far as the handshake decides about it. */
interface Session {
  isOver(): boolean
  /** Notes bytes that the partner has sent. */
  record(text: string): void
  close(why: string): void
  /** Ends the connection with a TCP reset. */
  cut(why: string): void
  /** Ends the connection at once, and reads nothing more. */
  drop(why: string): void
  fallSilent(): void
  /** Ends the connection after a long silence. */
  endSoon(): void
  /** TLS stands: from now on the session speaks inside it. */
  secure(socket: TLSSocket): void
  /** TLS has failed or ended, and the connection stays open. */
  goOnUnencrypted(): void
  /** Takes bytes that came unencrypted although TLS has begun. */
  hear(bytes: Buffer): void
}

interface Options {
  behaviour: Behaviour
  recorder: Recorder
  /** Certificate, versions and suites for this behaviour. */
  tls: () => Promise<HostTls>
}

/**
 * What a partner does after its go-ahead (RFC 3207 s4): the TLS handshake, or one that it breaks or answers byte by byte
 * as its behaviour says; and whether the connection stays open when the handshake has failed or TLS has ended.
 */
export class PartnerHandshake {
  readonly #link: Link
  readonly #options: Options
  readonly #session: Session
  /** Carries TLS where the link does not do that itself. */
  #carrier: TlsCarrier | undefined

  constructor(link: Link, options: Options, session: Session) {
    this.#link = link
    this.#options = options
    this.#session = session
  }

  /** Call it when the go-ahead has been sent and nothing reads from the link. Never throws. */
  begin(): void {
    const { handshake, crafts } = this.#options.behaviour
    if (handshake) this.#break(handshake)
    else if (crafts) void this.#craft(crafts)
    else void this.#secure()
  }

  /** From here on the connection ends with TLS. */
  endConnectionWithTls(): void {
    this.#carrier?.endsWithTls()
  }

  #break(fault: HandshakeFault): void {
    if (this.#options.behaviour.stays && fault !== 'resets') this.#breakAndStay(fault)
    else {
      if (fault === 'closes') this.#session.close('closed before the handshake')
      else
        this.#link.once('data', () => {
          const { answer, end, record } = BROKEN_HANDSHAKES[fault]
          if (answer) this.#link.write(answer)
          if (end === 'closes') this.#session.close(record)
          else if (end === 'resets') this.#session.cut(record)
          else {
            this.#session.record(record)
            this.#session.fallSilent()
          }
        })
      this.#link.resume()
    }
  }

  /** No handshake follows: further records are dropped. */
  #breakAndStay(fault: Exclude<HandshakeFault, 'resets'>): void {
    const { answer, record } =
      fault === 'closes'
        ? { answer: CLOSE_NOTIFY, record: 'closed with close_notify' }
        : BROKEN_HANDSHAKES[fault]
    this.#carrier = this.#newCarrier()
    this.#carrier.once('data', () => {
      if (answer) this.#link.write(answer)
      this.#session.record(record.replace(/^closed (after|with)/, 'stays $1'))
      if (answer) {
        this.#session.goOnUnencrypted()
        this.#session.endSoon()
      } else this.#session.fallSilent()
    })
    this.#carrier.resume()
  }

  #newCarrier(early?: EarlyTicket): TlsCarrier {
    const { tlsWrites } = this.#options.behaviour.manner ?? {}
    const carrier = new TlsCarrier(this.#link, {
      ...(tlsWrites === 'pieces of 100 bytes' ? { pieces: SMALL_WRITE } : {}),
      ...(early ? { rewrites: (bytes: Buffer) => early.through(bytes) } : {}),
      ...(this.#options.behaviour.stays ? { onUnencrypted: this.#onUnencrypted } : {}),
    })
    // The link has the error, too, and notes it.
    carrier.on('error', () => {})
    return carrier
  }

  #onUnencrypted = (bytes: Buffer): void => {
    this.#session.goOnUnencrypted()
    this.#session.hear(bytes)
  }

  /** The gateway either breaks the handshake off or goes on with it; nothing can come of it in either case. */
  async #craft(answer: CraftedAnswer): Promise<void> {
    const { recorder, tls } = this.#options
    const reader = new RecordReader()
    try {
      const shown = await tls()
      if (this.#session.isOver()) return
      // Where there are several, that of RSA is the last.
      const [key, chain] = [[shown.key].flat().at(-1)!, [shown.cert].flat().at(-1)!]
      let answered = false
      this.#link.on('data', (chunk: Buffer) => {
        for (const sighting of this.#session.isOver() ? [] : reader.read(chunk)) {
          if (sighting.kind === 'client-hello' && !answered) {
            answered = true
            this.#link.write(answerBytes(answer, { ...sighting, key, chain }))
          } else if (sighting.kind === 'key-exchange') {
            recorder.goesOn()
            this.#session.close('closed when the gateway went on with the handshake')
          } else if (sighting.kind === 'alert' && sighting.level === 2)
            this.#session.close('closed after the alert')
        }
      })
      this.#session.endSoon()
      this.#link.resume()
    } catch (error) {
      recorder.failed(error as Error)
      this.#session.drop('the lab failed')
    }
  }

  async #secure(): Promise<void> {
    const { recorder, behaviour } = this.#options
    const { tlsWrites } = this.#options.behaviour.manner ?? {}
    try {
      const options = await this.#options.tls()
      if (this.#session.isOver()) return
      const early = behaviour.ticketsEarly && new EarlyTicket()
      if (behaviour.stays || early || tlsWrites === 'pieces of 100 bytes')
        this.#carrier = this.#newCarrier(early)
      const maxRecord = tlsWrites === 'records of 512 bytes' ? SMALL_RECORD : undefined
      const socket = await acceptTls(this.#carrier ?? this.#link, serverOptions(options), {
        ...(maxRecord ? { maxRecord } : {}),
        ...(early ? { onSecret: line => early.secret(line) } : {}),
        ...(options.stapled ? { stapled: Buffer.from(options.stapled, 'base64') } : {}),
      })
      recorder.secured(socket, chainShown(options, socket))
      if (early?.sent) this.#session.record("sent a session ticket before the gateway's Finished")
      this.#session.secure(socket)
      if (!behaviour.stays) return
      // A close_notify is answered with one: RFC 5246 s7.2.1.
      socket.once('end', () => socket.end())
      for (const event of ['end', 'close']) socket.once(event, () => this.#session.goOnUnencrypted())
    } catch (error) {
      recorder.failed(error as Error)
      if (!(error instanceof WireError)) this.#session.drop('the lab failed')
      else if (behaviour.stays) this.#session.goOnUnencrypted()
    }
  }
}
