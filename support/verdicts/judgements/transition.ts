import type { Mailbox } from '../../lab/mailbox.ts'
import type { Stream } from '../../lab/stream.ts'
import type { Observation } from '../verdict.ts'
import { broken, kept, unclear } from './observation.ts'

export type Authority = 'former' | 'new'

/** Everything that was accepted is in the mailbox once, and nothing was refused for good. */
export async function eachArrivedOnce(stream: Stream, mailbox: Mailbox): Promise<Observation> {
  const { accepted, lost } = stream
  if (lost.length > 0) return broken(`${lost.length} messages were never accepted`)
  if (accepted.length < 2) return unclear('no mail flowed')
  const copies = await Promise.all(accepted.map(async ({ token }) => (await mailbox.await(token)).length))
  const missing = copies.filter(count => count === 0).length
  const doubled = copies.filter(count => count > 1).length
  if (missing > 0) return broken(`${missing} of ${accepted.length} accepted messages did not arrive`)
  if (doubled > 0) return broken(`${doubled} of ${accepted.length} messages arrived more than once`)
  return kept(`all ${accepted.length} messages arrived once`)
}

/** Which authority stands behind the certificate of each session: those of `order`, in this order, none out of date. */
export function shownCertificates({ sessions }: Stream, order: readonly Authority[]): Observation {
  const seen: Authority[] = []
  for (const { at, handover } of sessions) {
    for (const { handshake } of handover.conversations) {
      const shown = handshake?.serverCertificate
      if (!shown) continue
      if (at < Date.parse(shown.notBefore) || at > Date.parse(shown.notAfter))
        return broken(
          `a session showed a certificate outside its validity (${shown.notBefore} to ${shown.notAfter})`,
        )
      const authority = /\b(former|new)\b/.exec(shown.issuer)?.[1] as Authority | undefined
      if (!authority) return broken(`a session showed a certificate of ${shown.issuer}`)
      if (seen.at(-1) !== authority) seen.push(authority)
    }
  }
  if (seen.length === 0) return unclear('no session showed a certificate')
  if (seen.join() !== order.join())
    return broken(`sessions showed certificates of these authorities, in this order: ${seen.join(', ')}`)
  return kept(
    `${sessions.length} sessions showed ${seen.map(name => `the ${name} certificate`).join(', then ')}`,
  )
}
