import { Cursor } from './cursor.ts'
import { type ServerHello, serverHello } from './read-hellos.ts'
import { groupName, signatureName } from './tls-names.ts'
import { RecordReader } from './tls-records.ts'

/** The receiver's share of an ephemeral key exchange, up to TLS 1.2. */
export interface KeyExchange {
  /** Of the elliptic curve; absent for finite fields. */
  group?: string
  /** Of finite fields: the size of the prime, and the prime itself in hex. */
  dhBits?: number
  dhPrime?: string
  /** TLS 1.2 names it; below, the kind of key decides it. */
  signature?: string
}

/** What a server answered to a ClientHello, as far as it is not encrypted. */
export interface ServerFlight {
  hello?: ServerHello
  /** DER, the server's own first; empty in TLS 1.3, which encrypts them. */
  certificates: Buffer[]
  keyExchange?: KeyExchange
  /** RFC 8446 s6; fatal ones alone. */
  alert?: number
  /** A ServerHello of SSL 2. */
  ssl2?: true
  /** What is wrong in the bytes, where a client could not go on. */
  malformed?: string
}

const SERVER_HELLO = 2
const CERTIFICATE = 11
const KEY_EXCHANGE = 12
const HELLO_DONE = 14
const FATAL = 2
const NAMED_CURVE = 3
/** Longest answer that is read, in bytes. */
const MAX_FLIGHT = 128 * 1024
const MAX_CERTIFICATES = 20

/** Reads what a server answers to a ClientHello, wherever the bytes are cut. */
export class FlightReader {
  readonly flight: ServerFlight = { certificates: [] }
  readonly #records = new RecordReader({ tellsMessages: true })
  #size = 0
  #first: Buffer = Buffer.alloc(0)
  #ended = false

  /** True once the answer is complete, or cannot be completed any more. */
  get done(): boolean {
    return this.#ended || this.flight.alert !== undefined || this.flight.malformed !== undefined
  }

  read(chunk: Buffer): void {
    this.#size += chunk.length
    if (this.#first.length < 3) this.#first = Buffer.concat([this.#first, chunk.subarray(0, 3)])
    if (this.#size > MAX_FLIGHT) this.flight.malformed ??= `more than ${MAX_FLIGHT} bytes`
    for (const sighting of this.done ? [] : this.#records.read(chunk)) {
      if (this.done) return
      if (sighting.kind === 'message') this.#message(sighting.type, sighting.body)
      else if (sighting.kind === 'alert') {
        if (sighting.level === FATAL) this.flight.alert = sighting.description
      } else if (sighting.kind === 'not-tls') this.#alien()
    }
  }

  #alien(): void {
    if (this.#first.length < 3 && (this.#first[0]! & 0x80) !== 0) return
    const [length, , type] = this.#first
    // Two bytes of length with the top bit set, and the type 4.
    if ((length! & 0x80) !== 0 && type === 4) {
      this.flight.ssl2 = true
      this.#ended = true
    } else this.flight.malformed = 'no TLS record'
  }

  #message(type: number, body: Buffer): void {
    try {
      this.#take(type, body)
    } catch (error) {
      if (!(error instanceof RangeError)) throw error
      this.flight.malformed = `wrong lengths in the handshake message of type ${type}`
    }
  }

  #take(type: number, body: Buffer): void {
    const { flight } = this
    if (type === SERVER_HELLO) {
      flight.hello = serverHello(body)
      if (flight.hello.version === 'TLSv1.3') this.#ended = true
    } else if (!flight.hello) flight.malformed = `a handshake message of type ${type} before the ServerHello`
    else if (type === CERTIFICATE) {
      const list = new Cursor(body).vector(3)
      while (list.left > 0 && flight.certificates.length < MAX_CERTIFICATES) {
        const one = list.vector(3)
        flight.certificates.push(Buffer.from(one.bytes(one.left)))
      }
    } else if (type === KEY_EXCHANGE) flight.keyExchange = keyExchange(body, flight.hello)
    else if (type === HELLO_DONE) this.#ended = true
  }
}

/** RFC 5246 s7.4.3, RFC 8422 s5.4. Throws RangeError on wrong lengths. */
function keyExchange(body: Buffer, { suite, version }: ServerHello): KeyExchange {
  const cursor = new Cursor(body)
  const share: KeyExchange = {}
  if (/_DHE?_/.test(suite)) {
    const field = cursor.vector(2)
    const prime = field.bytes(field.left).toString('hex').replace(/^0+/, '')
    share.dhPrime = prime
    share.dhBits =
      prime === '' ? 0 : (prime.length - 1) * 4 + Number.parseInt(prime[0]!, 16).toString(2).length
    cursor.vector(2)
    cursor.vector(2)
  } else if (/_ECDHE?_/.test(suite)) {
    const curve = cursor.number(1)
    if (curve !== NAMED_CURVE) return { group: 'arbitrary curve' }
    share.group = groupName(cursor.number(2))
    cursor.vector(1)
  } else return share
  if (version === 'TLSv1.2' && cursor.left > 0) share.signature = signatureName(cursor.number(2))
  return share
}
