import type { Strength } from '../evidence/offer.ts'
import type { Sent } from '../evidence/sent.ts'
import { counted } from '../quantities.ts'
import { broken, kept, type Observation, refused, unclear } from '../verdicts/observation.ts'
import type { CertificateFacts } from '../wire/conversation.ts'
import { arrivesOverTls, staysQueued } from './outbound.ts'

/** One of several servers behind one name, whose certificate is not that of the others. */
export interface OddServer {
  /** The name with which it greets. */
  host: string
  address: string
}

/** EXO-HYB-04: every one of several messages arrived over TLS. */
export function allArriveOverTls(all: readonly Sent[]): Observation {
  const trouble = all.map(sent => arrivesOverTls(sent)).find(({ kind }) => kind !== 'kept')
  return trouble ?? kept(`all ${counted(all.length, 'message')} arrived over TLS`)
}

/** EXO-HYB-04: no message went to the odd server. Each arrived at another one over TLS, or stays queued. */
export function avoids({ host, address }: OddServer, all: readonly Sent[]): Observation {
  const there = all.filter(({ arrivals }) => arrivals.some(one => one.host === host))
  if (there.length > 0)
    return broken(
      `${there.length} of ${counted(all.length, 'message')} arrived at ${address}, whose certificate is not that of the other servers`,
      'whose certificate is not that of the other servers',
    )
  const fates = all.map(sent => (sent.arrivals.length > 0 ? arrivesOverTls(sent) : staysQueued(sent)))
  const trouble = fates.find(({ kind }) => kind !== 'kept')
  if (trouble) return trouble
  const met = all.some(({ conversations }) => conversations.some(({ receiver }) => receiver === host))
  if (!met) return unclear(`the gateway never connected to ${address}, whose certificate is the odd one`)
  const arrived = all.filter(({ arrivals }) => arrivals.length > 0).length
  return refused(
    `none of ${counted(all.length, 'message')} went to ${address}, whose certificate is the odd one; ${arrived} arrived elsewhere over TLS`,
  )
}

/** EXO-HYB-04: the servers at all addresses show certificates with the same subject and issuer; an odd one is named. */
export function sameCertificates(all: readonly Strength[]): Observation {
  const there = all.filter(({ absent }) => !absent)
  const unanswered = there.find(one => one.unanswered)
  if (unanswered) return unclear(`${unanswered.address}: ${unanswered.unanswered}`)
  const shown = there.flatMap(({ address, conversations }) => {
    const certificate = conversations.find(({ handshake }) => handshake?.serverCertificate)?.handshake
      ?.serverCertificate
    return certificate ? [{ address, whose: whose(certificate) }] : []
  })
  if (shown.length < there.length || shown.length === 0)
    return unclear('not every address has shown a certificate')
  const groups = [...Map.groupBy(shown, one => one.whose).values()].sort((a, b) => a.length - b.length)
  const [odd, usual] = [groups[0]![0]!, groups.at(-1)![0]!]
  if (groups.length > 1)
    return broken(
      `${odd.address} shows a certificate of ${odd.whose}, and ${usual.address} one of ${usual.whose}`,
      'shows a certificate of',
    )
  return kept(
    `${counted(shown.length, 'address', 'addresses')} with a certificate of the same subject and issuer`,
  )
}

const whose = ({ subject, issuer }: CertificateFacts): string =>
  `${subject || 'nobody'}, issued by ${issuer || 'nobody'}`
