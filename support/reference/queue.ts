import type { DeliveryEvent } from '../evidence/gateway-words.ts'
import type { MailFlow } from '../mailflow/mail-flow.ts'
import type { DeliveryResult, QueueDecisions, QueueSituation } from './decisions/queue.ts'
import type { Situation } from './decisions/situation.ts'
import { notification } from './dsn.ts'
import { ENVELOPE_CIRCUMSTANCES, SENT_CIRCUMSTANCES } from './seen/partner-circumstances.ts'

/** A message that the gateway has accepted. */
export interface Mail {
  id: string
  /** Empty: the null return path. */
  from: string
  /** With the gateway's own Received line in front. */
  content: Buffer
  /** The gateway got it over TLS. */
  secured: boolean
}

/** Whether a circumstance holds, as far as the message itself tells. `recipients`: in one domain, of `all`. */
export function heldIn(
  mail: Mail,
  recipients: readonly string[],
  all: readonly string[] = recipients,
): (circumstance: string) => boolean {
  const text = mail.content.toString('latin1')
  return circumstance =>
    SENT_CIRCUMSTANCES[circumstance]?.(text) ??
    ENVELOPE_CIRCUMSTANCES[circumstance]?.({ from: mail.from, to: recipients, all }) ??
    false
}

/** A message on its way to its recipients in one domain. */
export interface Delivery {
  mail: Mail
  domain: string
  recipients: string[]
  /** How many were begun. */
  attempts: number
  /** All recipients of the message, and their domains. */
  domains: readonly string[]
  allRecipients: readonly string[]
  /** Whether a circumstance holds, from what the last attempt saw of the partner. */
  holds?: Situation['holds']
}

interface Waiting extends Delivery {
  active: boolean
  timer?: NodeJS.Timeout
}

export interface QueueOptions {
  flow: () => MailFlow
  /** One attempt. It never throws for what a partner does. */
  send: (delivery: Delivery) => Promise<DeliveryResult[]>
  tell: (event: DeliveryEvent) => void
  /** Ends the gateway: its own code has failed. */
  failed: (error: unknown) => void
  decisions: QueueDecisions
}

/** Mail that is on its way, in memory. The queue tries again when it is asked to, or after some time. */
export class Queue {
  readonly #options: QueueOptions
  readonly #waiting = new Set<Waiting>()
  #stopped = false

  constructor(options: QueueOptions) {
    this.#options = options
  }

  put(mail: Mail, recipients: readonly string[], { firstSinceChange = false } = {}): void {
    const at = this.#situation({ mail, recipients, attempts: 0 })
    const sends = this.#options.decisions.sends({ ...at, firstSinceChange })
    if (sends === 'never') return
    const byDomain = Map.groupBy(recipients, recipient => recipient.split('@').at(-1)!.toLowerCase())
    const about = {
      mail,
      attempts: 0,
      active: false,
      domains: [...byDomain.keys()],
      allRecipients: recipients,
    }
    const apart = this.#options.decisions.sendsApart(at)
    const deliveries = [...byDomain].flatMap(([domain, own]) =>
      (apart ? own.map(one => [one]) : [own]).map(some => ({ ...about, domain, recipients: some })),
    )
    for (const delivery of deliveries) this.#waiting.add(delivery)
    if (sends !== 'at once') return
    if (this.#options.decisions.stopsAtFirstFailure(at)) void this.#oneByOne(deliveries.toReversed())
    else for (const delivery of deliveries) void this.#attempt(delivery)
  }

  async #oneByOne(deliveries: readonly Waiting[]): Promise<void> {
    for (const delivery of deliveries) {
      await this.#attempt(delivery)
      if (this.#waiting.has(delivery)) return
    }
  }

  /** Tries again to send all mail for a domain. */
  retry(domain: string): void {
    for (const delivery of this.#waiting)
      if (delivery.domain === domain.toLowerCase()) void this.#attempt(delivery)
  }

  async #attempt(delivery: Waiting): Promise<void> {
    if (delivery.active || this.#stopped) return
    delivery.active = true
    delivery.attempts++
    clearTimeout(delivery.timer)
    try {
      const results = await this.#options.send(delivery)
      if (!this.#stopped) this.#settle(delivery, results)
    } catch (error) {
      this.#options.failed(error)
    }
  }

  #situation({
    mail,
    recipients,
    attempts,
    holds = heldIn(mail, recipients),
  }: Pick<Delivery, 'mail' | 'attempts' | 'holds'> & Pick<Situation, 'recipients'>) {
    return {
      ...{ flow: this.#options.flow(), sender: mail.from, nullSender: mail.from === '', recipients },
      ...{ size: mail.content.length, attempt: attempts, tls: undefined },
      holds,
    }
  }

  #settle(delivery: Waiting, found: readonly DeliveryResult[]): void {
    const { decisions, tell } = this.#options
    const at = this.#situation(delivery)
    const results = found.map(result => decisions.result({ ...at, tls: result.tls, result }))
    delivery.active = false
    delivery.recipients = results.flatMap(({ kind, recipient }) => (kind === 'deferred' ? [recipient] : []))
    const about = { ...at, results, content: delivery.mail.content.toString('latin1') }
    const wait = delivery.recipients.length > 0 ? decisions.nextAttemptIn(about) : undefined
    if (wait === undefined) this.#waiting.delete(delivery)
    else delivery.timer = setTimeout(() => this.#attempt(delivery), wait).unref()
    this.#notify(delivery.mail, about)
    // Last, since a listener may ask for the next attempt at once.
    for (const { kind, recipient, reason } of results) tell({ kind, recipient, reason })
  }

  #notify({ id, content }: Mail, at: QueueSituation): void {
    const { decisions } = this.#options
    const author = decisions.notifies(at) && decisions.author(at)
    if (!author) return
    const bounced = at.results.filter(({ kind }) => kind === 'bounced')
    const failures = bounced.length > 0 ? bounced : at.results
    const report = notification({ hostname: at.flow.hostname, author, content, failures })
    this.put({ id: `${id}-dsn`, from: decisions.returnPath(at), content: report, secured: false }, [author])
  }

  stop(): void {
    this.#stopped = true
    for (const { timer } of this.#waiting) clearTimeout(timer)
    this.#waiting.clear()
  }
}
