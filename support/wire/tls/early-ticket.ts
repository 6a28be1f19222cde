import { randomBytes } from 'node:crypto'
import { number, vector } from './craft-hello.ts'
import { HandshakeKeys, labelled, sealedFirst } from './handshake-keys.ts'
import { RecordReader } from './tls-records.ts'

const [HANDSHAKE, APPLICATION_DATA] = [22, 23]
const [NEW_SESSION_TICKET, FINISHED] = [4, 20]
const HEADER = 5
/** In seconds, as most servers have it. */
const LIFETIME = 7200

/**
 * Lets a server of TLS 1.3 send a session ticket right behind its own Finished, as Go does: it may do so before the client's
 * Finished comes (RFC 8446 s4.6.1). The library's own first ticket comes later and under the same key and number, so it is
 * left out: a server that speaks first, before the client has, cannot do so. The ticket resumes nothing.
 */
export class EarlyTicket {
  readonly #secrets = new Map<string, Buffer>()
  readonly #reader = new RecordReader()
  #suite = ''
  #keys: HandshakeKeys | undefined
  #rest: Buffer = Buffer.alloc(0)
  #state: 'before' | 'sent' | 'over' = 'before'

  /** It has been sent. */
  get sent(): boolean {
    return this.#state !== 'before'
  }

  /** A line of Node's `keylog` event. */
  secret(line: Buffer): void {
    this.#secrets.set(...labelled(line))
  }

  /** What goes out in place of what the library writes. */
  through(bytes: Buffer): Buffer {
    this.#rest = Buffer.concat([this.#rest, bytes])
    const out: Buffer[] = []
    while (this.#rest.length >= HEADER) {
      const length = HEADER + this.#rest.readUInt16BE(3)
      if (this.#rest.length < length) break
      out.push(...this.#record(this.#rest.subarray(0, length)))
      this.#rest = this.#rest.subarray(length)
    }
    return Buffer.concat(out)
  }

  #record(record: Buffer): Buffer[] {
    const [type] = record
    if (type === HANDSHAKE)
      for (const sighting of this.#reader.read(record))
        if (sighting.kind === 'server-hello' && !sighting.retry) this.#suite = sighting.suite
    if (type !== APPLICATION_DATA) return [record]
    if (this.#state === 'sent') {
      this.#state = 'over'
      return []
    }
    const ticket = this.#state === 'before' && this.#isFinished(record) ? this.#ticket() : undefined
    if (!ticket) return [record]
    this.#state = 'sent'
    return [record, ticket]
  }

  #isFinished(record: Buffer): boolean {
    const secret = this.#secrets.get('SERVER_HANDSHAKE_TRAFFIC_SECRET')
    this.#keys ??= secret && HandshakeKeys.from(this.#suite, secret)
    const opened = this.#keys?.open(record.subarray(0, HEADER), record.subarray(HEADER))
    return opened?.type === HANDSHAKE && opened.content[0] === FINISHED
  }

  /** RFC 8446 s4.6.1. */
  #ticket(): Buffer | undefined {
    const secret = this.#secrets.get('SERVER_TRAFFIC_SECRET_0')
    const body = [
      number(LIFETIME, 4),
      randomBytes(4),
      vector(1, randomBytes(8)),
      vector(2, randomBytes(192)),
      vector(2),
    ]
    const content = Buffer.concat([number(NEW_SESSION_TICKET, 1), vector(3, ...body)])
    return secret && sealedFirst(this.#suite, secret, { type: HANDSHAKE, content })
  }
}

/**
 * Whether a session ticket is among the records of a server of TLS 1.3. `secret`: its SERVER_TRAFFIC_SECRET_0. Undefined
 * where the records cannot be read.
 */
export function hasTicket(bytes: Buffer, secret: Buffer): boolean | undefined {
  const hello = new RecordReader().read(bytes).find(one => one.kind === 'server-hello' && !one.retry)
  const keys = hello?.kind === 'server-hello' ? HandshakeKeys.from(hello.suite, secret) : undefined
  if (!keys) return undefined
  return recordsIn(bytes).some(record => {
    const opened = keys.open(record.subarray(0, HEADER), record.subarray(HEADER))
    return opened?.type === HANDSHAKE && opened.content[0] === NEW_SESSION_TICKET
  })
}

/** Those that are there as a whole; RFC 8446 s5.1. */
export function recordsIn(bytes: Buffer): Buffer[] {
  const records: Buffer[] = []
  for (let at = 0; at + HEADER <= bytes.length; at += records.at(-1)!.length) {
    const record = bytes.subarray(at, at + HEADER + bytes.readUInt16BE(at + 3))
    if (at + HEADER + bytes.readUInt16BE(at + 3) > bytes.length) break
    records.push(record)
  }
  return records
}
