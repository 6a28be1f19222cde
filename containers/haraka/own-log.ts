import type { DeliveryEvent } from '../../support/evidence/gateway-words.ts'
import type { LogReader } from '../../support/gateway/product-log.ts'

/** `2026-11-24T19:19:25.060Z [INFO] [FAE97FC8-….1] [tls] secured: …` */
export const LINE = /^\S+ \[\w+\] \[(?<id>[^\]]+)\] \[(?<origin>[^\]]+)\] (?<said>.*)/

/** A message of one transaction, `UUID.T`, to one domain: `UUID.T.N`, the Nth domain among its recipients. */
interface Item {
  recipients: readonly string[]
  /** That the partner has refused, for now or for good, in this attempt. */
  refused: string[]
  /** Why connections failed in this attempt. */
  failures: string[]
}

const WHAT: [kind: DeliveryEvent['kind'], said: RegExp][] = [
  ['delivered', /^ ?delivered file=.* response=(.*) delay=/],
  ['deferred', /^Temp failing \S+ for \S+ seconds: (.*)/],
  ['bounced', /^bouncing mail: (.*)/],
]

/**
 * Reads what becomes of mail in the log of a Haraka that has no plugin of the suite (outbound/hmail.js of Haraka 3.3). Its
 * lines name no recipients, so this remembers those of the transactions, which the level INFO shows.
 */
export function ownLog(of: Omit<LogReader, 'read'>): LogReader {
  const accepted = new Map<string, string[]>()
  const items = new Map<string, Item>()

  /** Nothing for mail that came in before the log was read, and for notifications. */
  const itemOf = (id: string): Item | undefined => {
    const [, transaction, n] = /^(.*)\.(\d+)$/.exec(id) ?? []
    const all = accepted.get(transaction ?? '')
    if (!all) return undefined
    const domain = (address: string) => address.slice(address.lastIndexOf('@') + 1)
    const recipients = [...Map.groupBy(all, domain).values()][Number(n) - 1] ?? []
    const item = items.get(id) ?? { recipients, refused: [], failures: [] }
    items.set(id, item)
    return item
  }

  return {
    ...of,
    read(line) {
      const { id = '', origin, said = '' } = LINE.exec(line)?.groups ?? {}
      if (origin === 'core') {
        const [, recipient] = /^recipient <([^>]+)> code=OK /.exec(said) ?? []
        if (recipient !== undefined) accepted.set(id, [...(accepted.get(id) ?? []), recipient])
        return undefined
      }
      const item = origin === 'outbound' ? itemOf(id) : undefined
      if (!item) return undefined
      const [, refused] = /^recipient <([^>]+)> (?:deferred|rejected): /.exec(said) ?? []
      if (refused !== undefined) item.refused.push(refused)
      const [, failure] = /^(?:Ongoing connection failed to \S+ : |(?=Remote end ))(.*)/.exec(said) ?? []
      if (failure !== undefined) item.failures.push(failure)
      for (const [kind, pattern] of WHAT) {
        const [, reason] = pattern.exec(said) ?? []
        if (reason === undefined) continue
        const named = item.recipients.filter(one => reason.includes(`<${one}>`))
        const meant =
          kind === 'delivered'
            ? item.recipients.filter(one => !item.refused.includes(one))
            : named.length > 0
              ? named
              : item.recipients
        const words = [reason, ...item.failures.splice(0)].join(': ')
        if (kind !== 'delivered') item.refused = []
        return meant.map(recipient => ({ kind, recipient, reason: words }))
      }
      return undefined
    },
  }
}
