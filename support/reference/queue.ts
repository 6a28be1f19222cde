import type { DeliveryEvent } from '../evidence/words.ts'
import type { MailFlow } from '../mailflow/mail-flow.ts'
import type { Fate, QueueDecisions } from './decisions/queue.ts'
import type { Situation } from './decisions/situation.ts'
import { notification } from './dsn.ts'

/** A message that the gateway took responsibility for. */
export interface Mail {
  id: string
  /** Empty: the null return path. */
  from: string
  /** With the gateway's own Received line in front. */
  content: Buffer
  /** It came in over TLS. */
  secured: boolean
}

/** The copies of a message for one domain; each domain is decided for itself. */
export interface Delivery {
  mail: Mail
  domain: string
  recipients: string[]
  /** Those that were begun, this one included. */
  attempts: number
  /** All domains of the message, and all its recipients. */
  domains: readonly string[]
  everybody: readonly string[]
}

interface Waiting extends Delivery {
  active: boolean
  timer?: NodeJS.Timeout
}

export interface QueueOptions {
  flow: () => MailFlow
  /** One attempt; never throws for what a partner does. */
  send: (delivery: Delivery) => Promise<Fate[]>
  tell: (event: DeliveryEvent) => void
  /** An error of the gateway itself: it cannot go on. */
  failed: (error: unknown) => void
  decisions: QueueDecisions
}

/** Mail that is on its way, in memory: each domain is tried at once, and again when asked or when its time has come. */
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
    const about = { mail, attempts: 0, active: false, domains: [...byDomain.keys()], everybody: recipients }
    for (const [domain, own] of byDomain) {
      const delivery = { ...about, domain, recipients: own }
      this.#waiting.add(delivery)
      if (sends === 'at once') void this.#attempt(delivery)
    }
  }

  /** Another attempt for what waits for a domain. */
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
      const fates = await this.#options.send(delivery)
      if (!this.#stopped) this.#settle(delivery, fates)
    } catch (error) {
      this.#options.failed(error)
    }
  }

  #situation({
    mail,
    recipients,
    attempts,
  }: Pick<Delivery, 'mail' | 'attempts'> & Pick<Situation, 'recipients'>) {
    return {
      ...{ flow: this.#options.flow(), sender: mail.from, nullSender: mail.from === '', recipients },
      ...{ size: mail.content.length, attempt: attempts, tls: undefined },
    }
  }

  #settle(delivery: Waiting, found: readonly Fate[]): void {
    const { decisions, tell } = this.#options
    const at = this.#situation(delivery)
    const fates = found.map(fate => decisions.fate({ ...at, tls: fate.tls, fate }))
    delivery.active = false
    delivery.recipients = fates.flatMap(({ kind, recipient }) => (kind === 'deferred' ? [recipient] : []))
    const wait = decisions.nextAttemptIn({ ...at, fates })
    if (delivery.recipients.length === 0 || wait === undefined) this.#waiting.delete(delivery)
    else delivery.timer = setTimeout(() => this.#attempt(delivery), wait).unref()
    this.#notify(delivery.mail, at, fates)
    // Last: whoever hears it may ask for the next attempt at once.
    for (const { kind, recipient, reason } of fates) tell({ kind, recipient, reason })
  }

  #notify(mail: Mail, at: Situation, fates: readonly Fate[]): void {
    const content = mail.content.toString('latin1')
    const about = this.#options.decisions.notification({ ...at, fates, content })
    if (!about) return
    const { hostname } = at.flow
    const bounced = fates.filter(({ kind }) => kind === 'bounced')
    const failures = bounced.length > 0 ? bounced : fates
    const report = notification({ hostname, author: about.to, content: mail.content, failures })
    this.put({ id: `${mail.id}-dsn`, from: about.from, content: report, secured: false }, [about.to])
  }

  stop(): void {
    this.#stopped = true
    for (const { timer } of this.#waiting) clearTimeout(timer)
    this.#waiting.clear()
  }
}
