import type { Endpoint } from '../wire/smtp/smtp.ts'
import { enumerate, type Scan } from './enumerate.ts'

const scans = new WeakMap<object, Promise<Scan>>()

/** What a gateway accepts, found out once and shared by all who ask. `gateway`: the same object each time. */
export function scanOnce(
  gateway: object,
  about: { endpoint: Endpoint; helo: string; serverName: string; trust: readonly string[] },
): Promise<Scan> {
  const { endpoint, helo, serverName, trust } = about
  let scan = scans.get(gateway)
  if (!scan) {
    scan = enumerate({ ...endpoint, service: 'smtp', helo }, { serverName, trust, tickets: true })
    scans.set(gateway, scan)
  }
  return scan
}
