import { randomInt } from 'node:crypto'
import { type Answer, decode, encode, type Packet, type StringAnswer, type TxtAnswer } from 'dns-packet'
import { ContainerFailure } from '../../engine/failure.ts'

/** A record of the lab's zone. Every record has a lifetime of 0, because the next answer may differ. */
export type ZoneRecord =
  | { name: string; type: 'A' | 'AAAA' | 'CNAME'; data: string }
  | { name: string; type: 'MX'; data: { preference: number; exchange: string } }
  | { name: string; type: 'TXT'; data: string }
  | {
      name: string
      type: 'TLSA'
      data: { usage: number; selector: number; matchingType: number; certificate: Buffer }
    }

/** The opcode UPDATE (RFC 2136 s3) in the flags of the header. */
const UPDATE = 5 << 11
const TYPE_CODES = { A: 1, CNAME: 5, MX: 15, TXT: 16, AAAA: 28, TLSA: 52 } as const

/** Records in one update at most: a message has at most 64 KiB. */
const MAX_RECORDS = 300

/** A change that waits for the next update. */
interface WaitingChange {
  changes: Answer[]
  done: () => void
  failed: (error: Error) => void
}

/** The lab's zone on its authoritative server, which signs every record. */
export class Zone {
  readonly #ask: (message: Buffer) => Promise<Buffer>
  #waiting: WaitingChange[] = []
  #busy = false

  /** `ask` sends a DNS message to the server and returns its answer. */
  constructor(ask: (message: Buffer) => Promise<Buffer>) {
    this.#ask = ask
  }

  /** Puts records in place of all that have the same names and types, in one step. Throws ContainerFailure. */
  set(records: readonly ZoneRecord[]): Promise<void> {
    const sets = new Map(records.map(({ name, type }) => [`${name} ${type}`, { name, type }]))
    return this.#change([...[...sets.values()].map(deletion), ...records.map(addition)])
  }

  /** Removes all records of these names and types. Throws ContainerFailure. */
  clear(sets: readonly { name: string; type: ZoneRecord['type'] }[]): Promise<void> {
    return this.#change(sets.map(deletion))
  }

  /** The server makes one update after another, and signs for each. So all changes that wait go into one update. */
  #change(changes: Answer[]): Promise<void> {
    return new Promise((done, failed) => {
      this.#waiting.push({ changes, done, failed })
      if (!this.#busy) void this.#work()
    })
  }

  async #work(): Promise<void> {
    this.#busy = true
    while (this.#waiting.length > 0) {
      const together = this.#next()
      try {
        await this.#update(together.flatMap(({ changes }) => changes))
        for (const { done } of together) done()
      } catch (error) {
        for (const { failed } of together) failed(error as Error)
      }
    }
    this.#busy = false
  }

  #next(): WaitingChange[] {
    let size = 0
    const end = this.#waiting.findIndex(({ changes }, i) => {
      size += changes.length
      return i > 0 && size > MAX_RECORDS
    })
    return this.#waiting.splice(0, end < 0 ? this.#waiting.length : end)
  }

  async #update(authorities: Answer[]): Promise<void> {
    const id = randomInt(0x10000)
    const questions = [{ name: 'test', type: 'SOA' as const }]
    const update: Packet = { type: 'query', id, flags: UPDATE, questions, authorities }
    const answer = decode(await this.#ask(Buffer.from(encode(update))))
    const { rcode } = answer as unknown as { rcode: string }
    if (answer.id !== id || rcode !== 'NOERROR')
      throw new ContainerFailure(`the lab's name server answers an update with ${rcode}`)
  }
}

function addition({ name, type, data }: ZoneRecord): Answer {
  // A character string has at most 255 bytes: RFC 1035 s3.3.
  const strings = type === 'TXT' ? { data: data.match(/.{1,255}/gs) ?? [''] } : { data }
  return { name, type, ttl: 0, class: 'IN', ...strings } as StringAnswer | TxtAnswer
}

/** RFC 2136 s2.5.2: class ANY and no data. dns-packet writes no data for types that it does not know. */
function deletion({ name, type }: { name: string; type: ZoneRecord['type'] }): Answer {
  const nothing = { name, ttl: 0, class: 'ANY', type: `UNKNOWN_${TYPE_CODES[type]}`, data: Buffer.alloc(0) }
  return nothing as unknown as Answer
}
