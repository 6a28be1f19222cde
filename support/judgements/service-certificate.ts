import { X509Certificate } from 'node:crypto'
import { isNamed } from '../evidence/offer-differences.ts'
import type { Session } from '../evidence/session.ts'
import type { MailFlow, Service } from '../mailflow/mail-flow.ts'
import { attributesOf } from '../pki/attributes.ts'
import { certificatesIn, pathOf } from '../pki/chain.ts'
import { type Compared, compared, type ExpectedAttributes } from '../pki/expected-certificate.ts'
import { broken, kept, type Observation, unclear } from '../verdicts/observation.ts'
import type { Conversation } from '../wire/conversation.ts'
import { printable } from '../wire/printable.ts'

/** A gateway that stands in for the service, and the roots that its clients have. */
export type AsService = Pick<MailFlow, 'service' | 'sendersTrust'>
export type Attribute = Compared['attribute']

/** Which of the published attributes: those of the text, or those that it has of the certificate before. */
type Set = 'published' | 'former'
const OF: Record<Set, string> = { published: 'the published one', former: 'the one before' }

/** How the gateway's certificate compares with a published set, or why that cannot be said. */
function comparedWith(
  session: Session,
  { service, sendersTrust }: AsService,
  set: Set,
): Compared[] | Observation {
  if (!service) return unclear('the gateway stands in for no service')
  const shown = (session.certificates ?? []).map(pem => new X509Certificate(pem))
  if (shown.length === 0)
    return unclear(`no certificate was seen: ${session.breakdown?.detail ?? 'there was no TLS'}`)
  const { certificates, complete } = pathOf(shown, certificatesIn(Buffer.from(sendersTrust.join(''))))
  const expected: ExpectedAttributes = service[set satisfies keyof Service]
  return compared(attributesOf(shown[0]!), complete ? certificates.at(-1) : undefined, expected)
}

/** Those that differ. */
function differing(session: Session, about: AsService, set: Set): Compared[] | Observation {
  const list = comparedWith(session, about, set)
  return 'kind' in list ? list : list.filter(({ same }) => !same)
}

/** What is seen of one attribute, and what was expected. */
const said = (one: Compared): string => `${foundIn(one)}, and not ${word(one.expected)}`
const foundIn = ({ attribute, found }: Compared): string =>
  found === null
    ? `no ${attribute}${attribute === 'root' ? ' that its clients know' : ''}`
    : `the ${attribute} ${word(found)}`
const word = (text: string | null): string => (text === null ? 'none' : printable(text, 200))

/** EXO-CRT-01 to EXO-CRT-05: the certificate has this attribute as in the table. */
export const hasAttribute =
  (attribute: Attribute, set: Set = 'published') =>
  (session: Session, about: AsService): Observation => {
    const list = comparedWith(session, about, set)
    if ('kind' in list) return list
    const one = list.find(one => one.attribute === attribute)
    if (!one) return unclear(`the text says nothing of the ${attribute}`)
    return one.same
      ? kept(`the gateway's certificate has ${foundIn(one)}, as ${OF[set]}`)
      : broken(
          `the gateway's certificate has ${said(one)}`,
          `the gateway's certificate has ${one.found === null ? 'no' : 'the'} ${attribute}`,
        )
  }

/** EXO-CRT-06, EXO-CRT-08: somebody who knows the table alone takes the certificate for the one in the table. */
export const isAsIn =
  (set: Set) =>
  (session: Session, about: AsService): Observation => {
    const others = differing(session, about, set)
    if ('kind' in others) return others
    return others.length === 0
      ? kept(`the gateway's certificate has all attributes of ${OF[set]}`)
      : broken(
          `the gateway's certificate is not ${OF[set]}: it has ${others.map(said).join('; ')}`,
          `the gateway's certificate is not ${OF[set]}`,
        )
  }

/** EXO-CRT-06, EXO-CRT-09: whoever compares with the table notices that it is another certificate. */
export const isNotAsIn =
  (set: Set) =>
  (session: Session, about: AsService): Observation => {
    const others = differing(session, about, set)
    if ('kind' in others) return others
    return others.length > 0
      ? kept(`the gateway's certificate is not ${OF[set]}: it has ${others.map(said).join('; ')}`)
      : broken(`the gateway's certificate has all attributes of ${OF[set]}`)
  }

/** EXO-CRT-08: whoever compares with the table finds that this attribute differs, and no other. */
export const differsIn =
  (attribute: Attribute) =>
  (session: Session, about: AsService): Observation => {
    const others = differing(session, about, 'published')
    if ('kind' in others) return others
    if (others.length === 0) return broken('nothing tells the certificate from the published one')
    return others.length === 1 && others[0]!.attribute === attribute
      ? kept(`the certificate differs from the published one in one thing: it has ${said(others[0]!)}`)
      : broken(
          `the certificate does not differ in its ${attribute} alone: it has ${others.map(said).join('; ')}`,
          `the certificate does not differ in its ${attribute} alone`,
        )
  }

/** EXO-CRT-10: the certificate names the mail exchanger of any customer, and nothing that is a label deeper. */
export function isForAllCustomers({ conversation, breakdown }: Session, { service }: AsService): Observation {
  const { serverCertificate } = conversation.handshake ?? {}
  if (!service) return unclear('the gateway stands in for no service')
  if (!serverCertificate)
    return unclear(`no certificate was seen: ${breakdown?.detail ?? 'there was no TLS'}`)
  const { names } = serverCertificate
  const { name } = service.published
  const customer = `contoso-com.${name}`
  if (!isNamed(names, customer))
    return broken(
      `the gateway's certificate is not for ${customer}: it is for ${names.join(', ')}`,
      `the gateway's certificate is not for ${customer}`,
    )
  return isNamed(names, `a.b.${name}`)
    ? broken(`the gateway's certificate is also for a.b.${name}`)
    : kept(`the gateway's certificate is for ${customer}, and not for a.b.${name}`)
}

/** EXO-CRT-02: as a client, too, the gateway shows a certificate with the published name. */
export function showsNameAsClient(wire: readonly Conversation[], service: Service | undefined): Observation {
  if (!service) return unclear('the gateway stands in for no service')
  const name = service.published.name!
  const inTls = wire.flatMap(({ handshake }) => (handshake?.version ? [handshake] : []))
  if (inTls.length === 0)
    return unclear('there was no TLS session in which the gateway could show a certificate')
  const shown = inTls.map(({ clientCertificate }) => clientCertificate)
  if (shown.includes(undefined))
    return broken('the gateway showed no certificate to a partner that asks for one')
  const other = shown.find(one => !isNamed(one!.names, name))
  return other
    ? broken(
        `the gateway showed a certificate for ${other.names.join(', ')}, and not for ${name}`,
        `and not for ${name}`,
      )
    : kept(`the gateway showed a certificate for ${name}`)
}
