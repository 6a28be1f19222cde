import { randomInt } from 'node:crypto'
import { type Answer, decode, encode, type Packet, type StringAnswer, type TxtAnswer } from 'dns-packet'
import { ContainerFailure } from '../../engine/failure.ts'

/** A record of the lab's zone. Every answer has a lifetime of 0: the next one may differ. */
export type ZoneRecord =
  | { name: string; type: 'A' | 'AAAA' | 'CNAME'; data: string }
  | { name: string; type: 'MX'; data: { preference: number; exchange: string } }
  | { name: string; type: 'TXT'; data: string }
  | {
      name: string
      type: 'TLSA'
      data: { usage: number; selector: number; matchingType: number; certificate: Buffer }
    }

/** Opcode UPDATE, RFC 2136 s3, in its place in the header's flags. */
const UPDATE = 5 << 11
const TYPE_CODES = { A: 1, CNAME: 5, MX: 15, TXT: 16, AAAA: 28, TLSA: 52 } as const

/** More records than this go into another update: a message has 64 KiB at most. */
const MAX_RECORDS = 300

interface Wish {
  changes: Answer[]
  done: () => void
  failed: (error: Error) => void
}

/** The lab's zone on its authoritative server, which signs what is written there. */
export class Zone {
  readonly #ask: (message: Buffer) => Promise<Buffer>
  /** Not under way yet. */
  #wishes: Wish[] = []
  #busy = false

  /** `ask` brings a DNS message to the server and its answer back. */
  constructor(ask: (message: Buffer) => Promise<Buffer>) {
    this.#ask = ask
  }

  /** These records in place of all that had their name and type, in one step. Throws ContainerFailure. */
  set(records: readonly ZoneRecord[]): Promise<void> {
    const sets = new Map(records.map(({ name, type }) => [`${name} ${type}`, { name, type }]))
    return this.#change([...[...sets.values()].map(deletion), ...records.map(addition)])
  }

  /** Nothing of these names and types is left. */
  clear(sets: readonly { name: string; type: ZoneRecord['type'] }[]): Promise<void> {
    return this.#change(sets.map(deletion))
  }

  /** The server takes one update after the other, at the price of a few signatures; so all that wait share the next. */
  #change(changes: Answer[]): Promise<void> {
    return new Promise((done, failed) => {
      this.#wishes.push({ changes, done, failed })
      if (!this.#busy) void this.#work()
    })
  }

  async #work(): Promise<void> {
    this.#busy = true
    while (this.#wishes.length > 0) {
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

  #next(): Wish[] {
    let size = 0
    const end = this.#wishes.findIndex(({ changes }, i) => {
      size += changes.length
      return i > 0 && size > MAX_RECORDS
    })
    return this.#wishes.splice(0, end < 0 ? this.#wishes.length : end)
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
  // A string may have 255 bytes, RFC 1035 s3.3.
  const strings = type === 'TXT' ? { data: data.match(/.{1,255}/gs) ?? [''] } : { data }
  return { name, type, ttl: 0, class: 'IN', ...strings } as StringAnswer | TxtAnswer
}

/** RFC 2136 s2.5.2: class ANY and no data, which dns-packet writes for types that it does not know. */
function deletion({ name, type }: { name: string; type: ZoneRecord['type'] }): Answer {
  const nothing = { name, ttl: 0, class: 'ANY', type: `UNKNOWN_${TYPE_CODES[type]}`, data: Buffer.alloc(0) }
  return nothing as unknown as Answer
}
