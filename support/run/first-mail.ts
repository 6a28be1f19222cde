import { eventsAfterGoAhead, secured, startedTls } from '../evidence/facts.ts'
import type { Handover } from '../evidence/handover.ts'
import { namesTls, putOff } from '../evidence/temporary-refusal.ts'
import { isExternal } from '../gateway/external.ts'
import type { Gateway } from '../gateway/gateway.ts'
import type { GatewayFile } from '../gateway/gateway-file.ts'
import { isServerAddress } from '../gateway/server-address.ts'
import type { GatewaySource } from '../gateway/source.ts'
import { GatewayFailure } from '../gateway-failure.ts'
import type { Lab } from '../lab/lab.ts'
import { MailboxFailure } from '../lab/mailbox/http.ts'
import type { Mailbox } from '../lab/mailbox/mailbox.ts'
import type { Partner } from '../lab/partner/partner.ts'
import { STRANGERS } from '../mailflow/domains.ts'
import type { OutboundConnector } from '../mailflow/mail-flow.ts'
import { duration } from '../quantities.ts'
import { sideBySide } from '../side-by-side.ts'
import { handOver, type SenderBehaviour } from '../traffic/deliver-message.ts'
import { compose } from '../traffic/message.ts'
import type { Submission } from '../traffic/submit-message.ts'
import type { Conversation } from '../wire/conversation.ts'
import { MAX_WAIT } from '../wire/patience.ts'
import { isForAnotherTime, whyNoGreeting as whyNoGreetingAt } from '../wire/smtp/greeting.ts'
import { type Endpoint, WireError } from '../wire/smtp/smtp.ts'
import { until } from '../wire/until.ts'

/** The set-up of the gateway or of its file keeps the suite from judging anything: one sentence that says what to look at. */
export class SetUpFault extends GatewayFailure {
  override name = 'SetUpFault'
}

type Role = 'sender' | 'receiver'

/** What first mail needs of a run. */
interface Run {
  gateways: { source: GatewaySource; with(): Promise<Gateway> }
  lab: Lab
  mailbox: Mailbox | undefined
  submission(gateway: Gateway): Submission
}

/** Longest wait for a message in the mailbox, and for a connection to a partner, in ms. The whole takes less than 30 s. */
const WAIT = 1.5 * MAX_WAIT
/** So many messages are handed over at a time: a gateway may take few connections. */
const AT_A_TIME = 3

/**
 * Lets some mail pass through a gateway that the suite did not set up, before anything of it is judged. Throws SetUpFault for
 * the first thing in the way of the mail that is no matter of TLS. What the gateway may do, such as to refuse for now or to be
 * slow, and what the requirements are about, is in nobody's way. Only the roles that will be judged are looked at.
 */
export async function mustPassFirstMail(run: Run, roles: ReadonlySet<Role>): Promise<void> {
  const { source } = run.gateways
  if (!isExternal(source)) return
  const { file } = source
  const gateway = await run.gateways.with()
  const faults = await Promise.all([
    file.inbound && roles.has('receiver') ? whyNotIn(run, gateway, file as Receiving) : undefined,
    file.outbound && roles.has('sender') ? whyNotOut(run, gateway, file.outbound) : undefined,
  ])
  const fault = faults.find(one => one !== undefined)
  if (fault !== undefined) throw new SetUpFault(fault)
}

const placed = ({ host, port }: Endpoint): string => `${host} port ${port}`

type Receiving = GatewayFile & { inbound: NonNullable<GatewayFile['inbound']> }

async function whyNotIn(run: Run, gateway: Gateway, file: Receiving): Promise<string | undefined> {
  const { address, recipient, mailbox: at, connectors } = file.inbound
  const isAddress = isServerAddress(file.path)
  const noGreeting = (silent: string) =>
    `no mail server greets at ${placed(address)}: ${silent}; look at ${isAddress ? 'host and port' : 'inbound.address'}`
  if (recipient === undefined) {
    const silent = await whyNoGreetingAt(gateway.inbound)
    return silent === undefined || isForAnotherTime(silent) ? undefined : noGreeting(silent)
  }
  const { lab, mailbox } = run
  const deliver = async (pattern: string, behaviour: SenderBehaviour) => {
    const message = compose({ from: `sender@${lab.freshDomain(pattern)}`, to: [recipient] })
    return handOver(message, {
      ...{ endpoint: gateway.inbound, hostname: gateway.flow.hostname, behaviour, pki: lab.pki },
    })
  }
  // A gateway may take mail from clients with TLS alone, without TLS alone, or from partners alone.
  const clients: [pattern: string, behaviour: SenderBehaviour][] = [
    [STRANGERS, { tls: 'uses' }],
    [STRANGERS, { tls: 'does not use' }],
    ...connectors.map(({ from, clientCertificate: name }): [string, SenderBehaviour] => [
      from,
      { tls: 'uses', ...(name ? { certificate: { names: [name.replace('*', 'mail')] } } : {}) },
    ]),
  ]
  const all: Handover[] = []
  for (const client of clients) {
    const one = await deliver(...client)
    const silent = whyNoGreeting(one)
    if (silent !== undefined) return noGreeting(silent)
    all.push(one)
    if (one.accepted) break
  }
  const accepted = all.find(one => one.accepted)
  if (!accepted) {
    const refused = all.find(isRefusalOfRecipient)
    return refused && all.every(one => isRefusalOfRecipient(one) || (one.reply && namesTls(one.reply)))
      ? `the gateway refuses the recipient ${recipient}: at RCPT came ${refused.reply!.text}; look at ${isAddress ? '--recipient' : 'inbound.recipient'}`
      : undefined
  }
  if (!mailbox || !at) return undefined
  try {
    if ((await mailbox.await(accepted.message.token, WAIT)).length > 0) return undefined
  } catch (error) {
    if (error instanceof MailboxFailure) return `${error.message}; look at inbound.mailbox`
    throw error
  }
  // A gateway that loses some mail is to be judged.
  const other = await deliver(STRANGERS, { tls: 'does not use' })
  if (other.accepted && (await mailbox.await(other.message.token, MAX_WAIT)).length > 0) return undefined
  const last = gateway.events.findLast(event => event.recipient.toLowerCase() === recipient.toLowerCase())
  const logged = last ? ` (its log: ${last.kind}: ${last.reason})` : ''
  return `the gateway accepted mail for ${recipient}, and ${duration(WAIT)} later it is not in the mailbox at ${at.url}${logged}; look at inbound.mailbox and at where the gateway delivers mail for ${recipient}`
}

/** What came in place of a greeting; nothing where the gateway greets, or may greet another time. */
function whyNoGreeting({ stage, reply, breakdown }: Handover): string | undefined {
  if (stage !== 'connection' && stage !== 'greeting') return undefined
  if (breakdown) return breakdown.detail
  return reply && putOff(reply, 'greeting') === undefined ? `it greets with ${reply.text}` : undefined
}

/** The enhanced status does not tell what is about TLS: 5.7.1 is also for recipients of other domains. */
const isRefusalOfRecipient = ({ stage, reply }: Handover): boolean =>
  stage === 'RCPT' &&
  reply !== undefined &&
  reply.code >= 500 &&
  !namesTls(reply) &&
  putOff(reply, stage) === undefined

/** The key with which each partner has an address of its own. */
const own = ({ gateways }: Run): string =>
  isExternal(gateways.source) && gateways.source.file.lab
    ? "lab.resolver, which the gateway's resolver has to ask"
    : 'names'

/** A message for one connector, and what became of it. */
interface Passing {
  connector: OutboundConnector
  token: string
  recipient: string
  /** Why the gateway did not take the message; `putOff`: it may take it another time. */
  refusal?: string
  putOff?: true
}

async function whyNotOut(
  run: Run,
  gateway: Gateway,
  { connectors }: NonNullable<GatewayFile['outbound']>,
): Promise<string | undefined> {
  // Connectors that lead to the same addresses have one partner, so that their messages need not wait for each other.
  const routes = Map.groupBy(connectors, ({ partner }) => JSON.stringify(partner))
  const faults = await Promise.all([...routes.values()].map(alike => whyNotAlong(run, gateway, alike)))
  return faults.find(one => one !== undefined)
}

async function whyNotAlong(
  run: Run,
  gateway: Gateway,
  connectors: NonNullable<GatewayFile['outbound']>['connectors'],
): Promise<string | undefined> {
  const { lab } = run
  const domains = connectors.map(({ to }) => lab.freshDomain(to))
  const fixed = connectors.flatMap(({ tlsDomain }) => (tlsDomain ? [tlsDomain.replace('*', 'mail')] : []))
  const [partner] = await lab.partners([
    {
      domain: domains[0]!,
      alsoFor: domains.slice(1),
      names: [...domains.slice(1).map(domain => `mx.${domain}`), ...fixed],
      // Mail of an example for a domain that a connector names exactly must not come over a connection from here.
      hosts: [{ keepsNoConnection: true }],
    },
  ])
  const strays = lab.strays
  try {
    const all = await handedOver(run, gateway, connectors, domains)
    const taken = all.filter(({ refusal }) => refusal === undefined)
    if (taken.length === 0) {
      const refused = all.filter(one => !one.putOff)
      return refused.length < all.length
        ? undefined
        : `the gateway takes no mail to send on for ${listed(all.map(({ connector }) => connector.to))}: ${all[0]!.refusal}; look at outbound.submit and outbound.login, and at who may send mail there`
    }
    const hasCome = ({ token, recipient }: Passing) =>
      partner!.messages.some(({ content, to }) => content.includes(token) && to.includes(recipient))
    const isOver = () => taken.every(hasCome) || missesTrust(taken, hasCome, partner!)
    await until(isOver, [partner!], WAIT)
    if (partner!.conversations.length === 0 && lab.strays === strays) {
      const places = connectors[0]!.partner.map(placed)
      const [to, key] = places.length > 0 ? [listed(places), 'outbound.partner'] : ['any partner', own(run)]
      return `the gateway took mail for ${listed(taken.map(({ connector }) => connector.to))}, and made no connection to ${to} within ${duration(WAIT)}; look at where the gateway sends mail for these domains, and at ${key}`
    }
    if (!missesTrust(taken, hasCome, partner!)) return undefined
    // Where the gateway compares names alone, it may expect another name, and the requirements tell more.
    const isSure = connectors.some(({ tls }) => tls === 'certificate-validation')
    return isSure ? `the gateway does not trust pki/root.pem: ${UNTRUSTED}` : undefined
  } finally {
    lab.release(partner!)
  }
}

const UNTRUSTED =
  'it leaves right after it has seen a certificate under this root, wherever it validates certificates; look at which roots it has for mail that it sends'

async function handedOver(
  run: Run,
  gateway: Gateway,
  connectors: readonly OutboundConnector[],
  domains: readonly string[],
): Promise<Passing[]> {
  const { sender } = gateway.flow
  const passing: Passing[] = []
  await sideBySide(connectors.entries(), AT_A_TIME, async ([at, connector]) => {
    const recipient = `inbox@${domains[at]}`
    const message = compose({ from: sender, to: [recipient] })
    const one: Passing = { connector, token: message.token, recipient }
    passing.push(one)
    try {
      const { reply } = await run.submission(gateway).submit(message)
      if (reply.code < 300) return
      one.refusal = reply.text
      if (putOff(reply, 'submission') !== undefined) one.putOff = true
    } catch (error) {
      if (!(error instanceof WireError)) throw error
      one.refusal = error.message
    }
  })
  return passing
}

/** Certificates are validated for none of these messages with success, and a session ended over one; all others have come. */
function missesTrust(
  taken: readonly Passing[],
  hasCome: (one: Passing) => boolean,
  { conversations }: Partner,
): boolean {
  const validates = ({ connector: { tls } }: Passing) =>
    tls === 'certificate-validation' || tls === 'domain-validation'
  const validated = taken.filter(validates)
  return (
    validated.length > 0 &&
    taken.every(one => hasCome(one) !== validates(one)) &&
    conversations.filter(leavesOverCertificate).length >= validated.length
  )
}

/** RFC 8446 s6.2: bad_certificate, unsupported_certificate, certificate_unknown, unknown_ca. */
const ABOUT_CERTIFICATE = [42, 43, 46, 48]

/** The gateway ended the session once it had seen the certificate, with an alert or after the handshake, and gave no mail away. */
function leavesOverCertificate(conversation: Conversation): boolean {
  const { closed, handshake } = conversation
  if (!startedTls(conversation) || !closed) return false
  const after = eventsAfterGoAhead(conversation)
  const alert = after.some(
    one => one.kind === 'alert' && one.from === 'sender' && ABOUT_CERTIFICATE.includes(one.description),
  )
  // With TLS 1.3 the alert is encrypted, and the library tells of it alone.
  const told = /alert (bad certificate|unknown ca|certificate unknown|unsupported certificate)/i.test(
    handshake?.error ?? '',
  )
  const said = after.filter(one => one.kind === 'command' && one.from === 'sender')
  const onlyLeaves =
    secured(conversation) && said.every(one => one.kind === 'command' && /^(EHLO|QUIT|RSET)$/.test(one.verb))
  return alert || told || onlyLeaves
}

/** At most three of them. */
const listed = (all: readonly string[]): string =>
  all.length > 3 ? `${all.slice(0, 2).join(', ')} and ${all.length - 2} more` : all.join(', ')
