import { randomInt } from 'node:crypto'
import { type Answer, decode, encode, type Packet, type StringAnswer, type TxtAnswer } from 'dns-packet'
import { ContainerFailure } from '../containers/failure.ts'

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

/** The lab's zone on its authoritative server, which signs what is written there. */
export class Zone {
  readonly #ask: (message: Buffer) => Promise<Buffer>

  /** `ask` brings a DNS message to the server and its answer back. */
  constructor(ask: (message: Buffer) => Promise<Buffer>) {
    this.#ask = ask
  }

  /** These records in place of all that had their name and type, in one step. Throws ContainerFailure. */
  async set(records: readonly ZoneRecord[]): Promise<void> {
    const sets = new Map(records.map(({ name, type }) => [`${name} ${type}`, { name, type }]))
    await this.#update([...[...sets.values()].map(deletion), ...records.map(addition)])
  }

  /** Nothing of these names and types is left. */
  async clear(sets: readonly { name: string; type: ZoneRecord['type'] }[]): Promise<void> {
    await this.#update(sets.map(deletion))
  }

  async #update(authorities: Answer[]): Promise<void> {
    const id = randomInt(0x10000)
    const update: Packet = {
      type: 'query',
      id,
      flags: UPDATE,
      questions: [{ name: 'test', type: 'SOA' }],
      authorities,
    }
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
