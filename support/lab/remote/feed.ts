import type { ReceivedMessage } from '../../evidence/mail.ts'
import type { Conversation, Handshake, WireEvent } from '../../wire/conversation.ts'
import type { HostSpec, Partner } from '../partner/partner.ts'
import type { HttpAnswer } from '../services/http-host.ts'

/** A partner as data, for a lab in a container. */
export interface PartnerSpec {
  domain: string
  hosts: readonly HostSpec[]
  alsoFor: readonly string[]
}

type Beginning = Pick<Conversation, 'id' | 'gatewayIs' | 'overheard' | 'sender' | 'receiver' | 'startedAt'>
/** The end of a text, from a position on. */
type Tail = [at: number, text: string]

/**
 * One line in which a lab in a container reports what happened, as JSON. `partner` is the id under which it was made.
 */
export type FeedLine =
  | { opened: Beginning; partner: string }
  | { grew: string; partner: string; by: Growth }
  | { disowned: string; partner: string }
  | { received: ReceivedMessage & { host: string }; partner: string }
  | { flooded: true; partner: string }
  | { strays: number }
  /** The answer to `PUT /marks`: everything that happened before is above this line. */
  | { mark: string }
  /** Sent every few seconds while nothing happens: the lab is alive. */
  | { alive: true }

/** What a conversation has that it had not before. */
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

/** Finds what has happened at one partner and was not reported so far. */
export class PartnerNews {
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
    for (const removed of [...this.#told.keys()].filter(one => !conversations.includes(one))) {
      lines.push({ disowned: removed.id, partner })
      this.#told.delete(removed)
    }
    // A message is reported once and may be large, so it is not kept.
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

/** What is new in comparison with what was told, which this function brings up to date. */
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

/** The partners of a lab in a container, kept up to date by its reports, as if they were played in this process. */
export class RemotePartners {
  readonly #partners = new Map<string, { partner: Partner; conversations: Map<string, Conversation> }>()
  readonly #marks = new Map<string, () => void>()
  strays = 0

  /** Waits for the line with this mark, or until the lab is lost. */
  awaitMark(mark: string): Promise<void> {
    return new Promise(resolve => this.#marks.set(mark, resolve))
  }

  add(id: string, partner: Partner): void {
    this.#partners.set(id, { partner, conversations: new Map() })
  }

  /** Takes in one line of the lab. Throws TypeError when the line does not fit the lines before. */
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
    if (!known) throw new TypeError(`there is no partner ${line.partner}`)
    const { partner, conversations } = known
    if ('opened' in line) {
      const conversation = begun(line.opened)
      conversations.set(line.opened.id, conversation)
      partner.conversations.push(conversation)
    } else if ('grew' in line) grow(opened(conversations, line.grew), line.by)
    else if ('disowned' in line) partner.disown(opened(conversations, line.disowned))
    // The lab has another clock.
    else if ('received' in line) partner.messages.push({ ...line.received, at: performance.now() })
    else partner.flooded = true
    partner.changed()
  }

  /** The lab is lost: nothing may be concluded from connections that were still open. */
  lost(why: string): void {
    for (const seen of this.#marks.values()) seen()
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

/** With an id that no conversation of this process has. */
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

/** What the lab answers to requests for a path, with the body in base64. */
export type WebAnswer = Omit<HttpAnswer, 'body'> & { path: string; body: string }
