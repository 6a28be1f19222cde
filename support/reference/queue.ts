import type { DeliveryEvent } from '../evidence/words.ts'
import type { QueueDefects } from './defects.ts'
import type { Failure } from './dsn.ts'

/** Between the first two attempts that nobody asks for, in ms; doubled each time. */
const INTERVAL = 15 * 60_000

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

/** What becomes of one recipient at one attempt. */
export interface Fate extends Failure {
  kind: DeliveryEvent['kind']
  /** A handshake broke; for `dropsAfterBrokenHandshake`. */
  handshake?: true
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
  /** One attempt; never throws for what a partner does. */
  send: (delivery: Delivery) => Promise<Fate[]>
  tell: (event: DeliveryEvent) => void
  /** Tells the author what was given up. */
  giveUp: (mail: Mail, failures: Failure[]) => void
  /** How many attempts a message gets. */
  patience: () => number
  defects: QueueDefects
}

/** Mail that is on its way, in memory: each domain is tried at once, and again when asked or when its time has come. */
export class Queue {
  readonly #options: QueueOptions
  readonly #waiting = new Set<Waiting>()
  #stopped = false

  constructor(options: QueueOptions) {
    this.#options = options
  }

  /** `waits`: until another attempt is asked for. */
  put(mail: Mail, recipients: readonly string[], { waits = false } = {}): void {
    const byDomain = Map.groupBy(recipients, recipient => recipient.split('@').at(-1)!.toLowerCase())
    const domains = [...byDomain.keys()]
    for (const [domain, own] of byDomain) {
      const delivery = {
        mail,
        domain,
        recipients: own,
        attempts: 0,
        domains,
        everybody: recipients,
        active: false,
      }
      this.#waiting.add(delivery)
      if (!waits) this.#attempt(delivery)
    }
  }

  /** Another attempt for what waits for a domain. */
  retry(domain: string): void {
    for (const delivery of this.#waiting)
      if (delivery.domain === domain.toLowerCase()) this.#attempt(delivery)
  }

  async #attempt(delivery: Waiting): Promise<void> {
    if (delivery.active || this.#stopped || this.#options.defects.sleeps) return
    delivery.active = true
    delivery.attempts++
    clearTimeout(delivery.timer)
    const fates = await this.#options.send(delivery)
    if (!this.#stopped)
      this.#settle(
        delivery,
        fates.map(fate => this.#patient(delivery, fate)),
      )
  }

  /** What waits too long is given up. */
  #patient({ attempts }: Delivery, fate: Fate): Fate {
    const { defects, patience } = this.#options
    if (fate.kind !== 'deferred' || defects.neverGivesUp) return fate
    if (fate.handshake && defects.callsBrokenDelivered) return { ...fate, kind: 'delivered' }
    if (defects.bouncesAtOnce || (fate.handshake && defects.dropsAfterBrokenHandshake))
      return { ...fate, kind: 'bounced' }
    if (attempts < patience()) return fate
    return { ...fate, kind: 'bounced', reason: `given up after ${attempts} attempts: ${fate.reason}` }
  }

  #settle(delivery: Waiting, fates: readonly Fate[]): void {
    const { defects, tell, giveUp } = this.#options
    delivery.active = false
    delivery.recipients = fates.flatMap(({ kind, recipient }) => (kind === 'deferred' ? [recipient] : []))
    const failures = fates.filter(({ kind, handshake }) =>
      defects.dropsAfterBrokenHandshake && handshake ? false : kind === 'bounced',
    )
    const forgets =
      defects.forgetsDeferred ||
      (defects.forgetsAfterBrokenHandshake && fates.some(({ handshake }) => handshake))
    if (delivery.recipients.length === 0 || forgets) this.#waiting.delete(delivery)
    else {
      const wait = INTERVAL * 2 ** Math.min(delivery.attempts - 1, 5)
      delivery.timer = setTimeout(() => this.#attempt(delivery), wait).unref()
    }
    if (failures.length > 0) giveUp(delivery.mail, failures)
    else if (defects.tellsEachTime && delivery.recipients.length > 0) giveUp(delivery.mail, [...fates])
    // Last: whoever hears it may ask for the next attempt at once.
    for (const { kind, recipient, reason } of fates) tell({ kind, recipient, reason })
  }

  stop(): void {
    this.#stopped = true
    for (const { timer } of this.#waiting) clearTimeout(timer)
    this.#waiting.clear()
  }
}
