import type { ReceivedMessage } from '../../evidence/mail.ts'
import type { Conversation, Handshake, WireEvent } from '../../wire/conversation.ts'
import type { HostSpec, Partner } from '../partner/partner.ts'

/** A partner on its way to a lab elsewhere. */
export interface PartnerSpec {
  domain: string
  hosts: readonly HostSpec[]
}

type Beginning = Pick<Conversation, 'id' | 'gatewayIs' | 'overheard' | 'sender' | 'receiver' | 'startedAt'>
/** What a text is from a position on. */
type Tail = [at: number, text: string]

/** One line of what a lab elsewhere tells, as JSON. `partner` is the id under which it was made. */
export type FeedLine =
  | { opened: Beginning; partner: string }
  | { grew: string; partner: string; by: Growth }
  | { disowned: string; partner: string }
  | { received: ReceivedMessage & { host: string }; partner: string }
  | { flooded: true; partner: string }
  | { strays: number }
  /** Asked for: all that had happened by then is above this line. */
  | { mark: string }
  /** Said every few seconds: nothing has happened, and somebody is there. */
  | { alive: true }

/** What a conversation has more than before. */
interface Growth {
  events?: WireEvent[]
  fromSender?: Tail
  fromReceiver?: Tail
  handshake?: Handshake
  closed?: true
  truncated?: true
  labError?: string
}

interface Told {
  events: number
  fromSender: string
  fromReceiver: string
  handshake: string
  closed: boolean
  truncated: boolean
  labError: string | undefined
}

/** Tells of one partner what has not been told yet. */
export class PartnerTeller {
  readonly #id: string
  readonly #partner: Partner
  readonly #told = new Map<Conversation, Told>()
  #flooded = false

  constructor(id: string, partner: Partner) {
    this.#id = id
    this.#partner = partner
  }

  news(): FeedLine[] {
    const partner = this.#id
    const { conversations, messages, flooded } = this.#partner
    const lines: FeedLine[] = conversations.flatMap(one => this.#grown(one))
    for (const gone of [...this.#told.keys()].filter(one => !conversations.includes(one))) {
      lines.push({ disowned: gone.id, partner })
      this.#told.delete(gone)
    }
    // Told once and then only in the way: a message may be large.
    for (const received of messages.splice(0)) lines.push({ received, partner })
    if (flooded && !this.#flooded) lines.push({ flooded, partner })
    this.#flooded = flooded
    return lines
  }

  #grown(conversation: Conversation): FeedLine[] {
    const { id, gatewayIs, overheard, sender, receiver, startedAt } = conversation
    const lines: FeedLine[] = []
    let told = this.#told.get(conversation)
    if (!told) {
      told = { ...NOTHING }
      this.#told.set(conversation, told)
      const opened = { id, gatewayIs, ...(overheard ? { overheard } : {}), sender, receiver, startedAt }
      lines.push({ opened, partner: this.#id })
    }
    const by = growth(conversation, told)
    if (Object.keys(by).length > 0) lines.push({ grew: id, partner: this.#id, by })
    return lines
  }
}

const NOTHING: Told = {
  events: 0,
  fromSender: '',
  fromReceiver: '',
  handshake: '',
  closed: false,
  truncated: false,
  labError: undefined,
}

/** Compared with what was told, which it brings up to date. */
function growth(now: Conversation, told: Told): Growth {
  const by: Growth = {}
  if (now.events.length > told.events) by.events = now.events.slice(told.events)
  told.events = now.events.length
  for (const side of ['fromSender', 'fromReceiver'] as const) {
    const text = now.clear[side]
    if (text === told[side]) continue
    const at = text.startsWith(told[side]) ? told[side].length : 0
    by[side] = [at, text.slice(at)]
    told[side] = text
  }
  const handshake = now.handshake ? JSON.stringify(now.handshake) : ''
  if (handshake !== told.handshake) by.handshake = now.handshake!
  told.handshake = handshake
  if (now.closed && !told.closed) by.closed = true
  told.closed = now.closed
  if (now.truncated && !told.truncated) by.truncated = true
  told.truncated = now.truncated ?? false
  if (now.labError !== undefined && now.labError !== told.labError) by.labError = now.labError
  told.labError = now.labError
  return by
}

/** Partners as a lab elsewhere tells of them: the same objects as if they were played here. */
export class Mirror {
  readonly #partners = new Map<string, { partner: Partner; conversations: Map<string, Conversation> }>()
  readonly #marks = new Map<string, () => void>()
  strays = 0

  /** Resolves when the line with this mark has come, or the lab is lost. */
  awaitMark(mark: string): Promise<void> {
    return new Promise(resolve => this.#marks.set(mark, resolve))
  }

  add(id: string, partner: Partner): void {
    this.#partners.set(id, { partner, conversations: new Map() })
  }

  /** Throws TypeError when the line does not fit what was told before. */
  tell(line: FeedLine): void {
    if ('alive' in line) return
    if ('mark' in line) {
      this.#marks.get(line.mark)?.()
      this.#marks.delete(line.mark)
      return
    }
    if ('strays' in line) {
      this.strays = line.strays
      return
    }
    const known = this.#partners.get(line.partner)
    if (!known) throw new TypeError(`nobody made partner ${line.partner}`)
    const { partner, conversations } = known
    if ('opened' in line) {
      const conversation = begun(line.opened)
      conversations.set(line.opened.id, conversation)
      partner.conversations.push(conversation)
    } else if ('grew' in line) grow(opened(conversations, line.grew), line.by)
    else if ('disowned' in line) partner.disown(opened(conversations, line.disowned))
    // Its clock is another process's.
    else if ('received' in line) partner.messages.push({ ...line.received, at: performance.now() })
    else partner.flooded = true
    partner.changed()
  }

  /** The lab is gone: nothing may be concluded from connections that were still open. */
  lost(why: string): void {
    for (const come of this.#marks.values()) come()
    for (const { partner, conversations } of this.#partners.values()) {
      for (const conversation of conversations.values())
        if (!conversation.closed) conversation.labError ??= why
      partner.changed()
    }
  }
}

function opened(conversations: Map<string, Conversation>, id: string): Conversation {
  const conversation = conversations.get(id)
  if (!conversation) throw new TypeError(`conversation ${id} was never opened`)
  return conversation
}

/** The id is made unlike those of this process. */
function begun({ id, ...rest }: Beginning): Conversation {
  return { id: `lab-${id}`, ...rest, events: [], clear: { fromSender: '', fromReceiver: '' }, closed: false }
}

function grow(conversation: Conversation, by: Growth): void {
  const { events = [], fromSender, fromReceiver, ...rest } = by
  conversation.events.push(...events)
  if (fromSender) conversation.clear.fromSender = spliced(conversation.clear.fromSender, fromSender)
  if (fromReceiver) conversation.clear.fromReceiver = spliced(conversation.clear.fromReceiver, fromReceiver)
  Object.assign(conversation, rest)
}

function spliced(text: string, [at, tail]: Tail): string {
  return text.slice(0, at) + tail
}
