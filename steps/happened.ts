import type { Handover } from '../support/evidence/handover.ts'
import type { InMailbox, Message } from '../support/evidence/mail.ts'
import { type Arrivals, type MailStream, notableConversations } from '../support/evidence/mail-stream.ts'
import type { Strength, TlsOffer } from '../support/evidence/offer.ts'
import type { PassedOn, Sent } from '../support/evidence/sent.ts'
import type { Login, Session } from '../support/evidence/session.ts'
import { type Mailbox, partnerMailbox } from '../support/lab/mailbox/mailbox.ts'
import type { Partner } from '../support/lab/partner/partner.ts'
import { type LateMail, StandingMessages } from '../support/run/late-mail.ts'
import type { ClientSession } from '../support/traffic/client-session.ts'
import type { WatchedMessage } from '../support/traffic/sending.ts'
import type { Secret } from '../support/traffic/smime.ts'
import { type Conversation, snapshotOf } from '../support/wire/conversation.ts'
import type { Copy } from './vocabulary/subjects.ts'

/** What happened in one example, and what was seen of it. A When writes it, a Then reads it. */
export class Happened {
  /** Something happened at all. */
  acted = false
  /** The day on which it is to have happened, as `2020-04-01`; absent: today. */
  day: string | undefined

  /** Messages that the gateway was asked to send. */
  watched: WatchedMessage[] = []
  copies: readonly Copy[] = []
  /** Lets the gateway reach the authority again. */
  opens: (() => Promise<void>) | undefined
  /** Extensions that the partner offered before TLS and not inside TLS. */
  extensionsBeforeTlsOnly: readonly string[] = []
  /** What the partner sent unencrypted behind its go-ahead. */
  injectedByPartner: 'reply' | 'line' | undefined
  secret: Secret | undefined
  /** What the partner passed on to another server. */
  passedOn: PassedOn | undefined
  /** The partner at which the author of a message is, so that a notification is seen. */
  author: Partner | undefined
  /** A message to the author after the gateway has given up. */
  laterToAuthor: Sent | undefined

  /** The partner for whom the client handed a message over to the gateway. */
  relayedTo: Partner | undefined
  /** A message that the client delivered to the gateway. */
  handover: Handover | undefined
  /** What the mailbox held of the delivered message; absent where nobody can look into one. */
  arrived: InMailbox | undefined
  /** The gateway took the mail of others afterwards. */
  alive = true

  readonly clientSessions: ClientSession[] = []
  /** The domain of the client in these sessions. */
  sessionsDomain: string | undefined
  /** The command of the client whose reply is judged. */
  command = ''
  readonly logins: Login[] = []

  stream: MailStream | undefined
  arrivals: Arrivals | undefined
  strengths: Strength[] = []
  /** What the gateway accepts, and what the client of the example offers of it. */
  tls: { offer: TlsOffer; offered: string } | undefined

  /** Connections of what the gateway sent before, which is not judged. */
  readonly before = new Set<string>()
  /** How many sessions with the partner the log of the gateway told of by then. */
  saidBefore = 0
  /** The domain of mail that the gateway sent before, where it is not that of the partner. */
  earlierDomain: string | undefined
  /** Connections beside those of the above. */
  readonly conversations: Conversation[] = []
  /** Lines of the gateway's log. */
  readonly notes: string[] = []
  readonly taps: Partner[] = []
  #behind: Partner | undefined
  /** Both servers of a pair, in the direction in which mail went: the beginning of every sentence about them. */
  pairName = ''
  /** The messages as they stood when the act was over: what comes from then on is late. */
  readonly standing = new StandingMessages()

  /** Mail went from one server to the other through a tap; what the second one took is in the inbox. */
  relayed({ tap, inbox, names }: { tap: Partner; inbox: Partner; names: readonly [string, string] }): void {
    this.taps.push(tap)
    this.#behind = inbox
    this.pairName = `${names.join(this.taps.length > 1 ? ' and ' : ' to ')}: `
    this.acted = true
  }

  /** Where mail that went through a tap ends up. */
  get inbox(): Mailbox | undefined {
    return this.#behind && partnerMailbox(this.#behind)
  }

  /** The message of the example. */
  get only(): Sent {
    const watched = this.watched.at(-1)
    if (!watched) throw new Error('no message was sent')
    return watched.seen()
  }

  /** What was seen of each message so far. */
  get sent(): Sent[] {
    return this.watched.map(one => one.seen())
  }

  get delivered(): Handover {
    if (!this.handover) throw new Error('no message was delivered')
    return this.handover
  }

  /** What was seen of the client's session. */
  get session(): Session {
    const client = this.clientSessions.at(-1)
    if (!client) throw new Error('there was no session')
    return client.seen()
  }

  /** All connections between the gateway and the other side. */
  get wire(): readonly Conversation[] {
    return this.watched.length > 0
      ? this.sent.flatMap(({ conversations }) => conversations)
      : this.delivered.conversations
  }

  /** More came to a partner than the lab serves or keeps: what was in it is not known. */
  get flooded(): boolean {
    return [...this.watched.map(({ partner }) => partner), ...this.taps].some(one => one.flooded)
  }

  /** What becomes of the messages of the example afterwards; nothing where there is nothing to watch. */
  late(giveBack?: () => Promise<void>): LateMail | undefined {
    return this.standing.late({
      inbox: this.#behind,
      between: this.pairName,
      evidence: () => this.evidence(),
      giveBack,
    })
  }

  /** All conversations of the example in their order, each once. `more`: beside those that acts have noted. */
  evidence(more: readonly Conversation[] = []): Conversation[] {
    const all = [
      ...this.sent.flatMap(({ submission, conversations }) => [
        ...(submission ? [submission] : []),
        ...conversations,
      ]),
      ...(this.handover?.earlier ?? []),
      ...(this.handover?.conversations ?? []),
      ...(this.stream ? notableConversations(this.stream, this.#wentWrong) : []),
      ...(this.passedOn?.conversations ?? []),
      ...(this.author?.conversations ?? []),
      ...(this.relayedTo?.conversations ?? []),
      ...this.taps.flatMap(({ conversations }) => conversations),
      ...this.clientSessions.flatMap(client => {
        const { earlier = [], conversation } = client.seen()
        return [...earlier, conversation]
      }),
      ...this.conversations,
      ...more,
    ]
    // Several of these may have seen the same connection.
    const once = new Map(all.toReversed().map(one => [one.id, one]))
    return all.filter(one => once.get(one.id) === one).map(snapshotOf)
  }

  /** Messages of the stream that did not arrive as they should. */
  get #wentWrong(): Message[] {
    if (!this.stream || !this.arrivals) return []
    const { missing, doubled, queued } = this.arrivals
    return [...this.stream.neverAccepted, ...missing, ...doubled, ...queued]
  }
}
