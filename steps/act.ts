import type { Handover } from '../support/evidence/handover.ts'
import type { InMailbox, Message } from '../support/evidence/mail.ts'
import { isAboutSendersDomain } from '../support/evidence/temporary-refusal.ts'
import type { Gateway } from '../support/gateway/gateway.ts'
import type { PartnerOptions } from '../support/lab/lab.ts'
import { type Mailbox, partnerMailbox } from '../support/lab/mailbox/mailbox.ts'
import type { Behaviour } from '../support/lab/partner/behaviour.ts'
import type { Partner } from '../support/lab/partner/partner.ts'
import type { PartnerManner } from '../support/lab/partner/partner-manner.ts'
import { forLevel, NoConnector } from '../support/mailflow/connectors.ts'
import { STRANGERS } from '../support/mailflow/domains.ts'
import { levelFor, type MailFlow } from '../support/mailflow/mail-flow.ts'
import { fitting, fittingMessage } from '../support/traffic/client-manner.ts'
import { ClientSession } from '../support/traffic/client-session.ts'
import { handOver, type SenderBehaviour } from '../support/traffic/deliver-message.ts'
import { pathOf } from '../support/traffic/envelope.ts'
import { compose, type MessageManner, type MessageOptions, newToken } from '../support/traffic/message.ts'
import { passOn } from '../support/traffic/pass-on.ts'
import { receiveThroughTap, sendThroughTap } from '../support/traffic/second-server-mail.ts'
import { sendAndWatch, type WatchedMessage } from '../support/traffic/sending.ts'
import { EARLIER_MAIL, FOR_RESUMPTION } from '../support/traffic/sent-before.ts'
import { encrypted } from '../support/traffic/smime.ts'
import { withALabels } from '../support/wire/smtp/a-labels.ts'
import { greets } from '../support/wire/smtp/greeting.ts'
import { EXTENSION } from '../support/wire/tls/craft-hello.ts'
import { WireError } from '../support/wire/wire-error.ts'
import { addressesAt, tellStatus } from './authority.steps.ts'
import { domainOfEarlier, mustHaveTried, partnerAfter } from './earlier-mail.ts'
import { Inapplicable } from './outcome.ts'
import { noteRefusal, recipientAt, recipientsAt } from './recipients.ts'
import { changeRoots, changesRoots } from './roots.ts'
import type { MailWorld } from './world.ts'

export interface Sending extends Partial<MessageOptions> {
  tries?: number
  givesUp?: boolean
  message?: Message
  /** Handed over in place of the message, which is what comes of it; between two servers alone. */
  cause?: Message
  /** Nothing else is asked of the partner afterwards. */
  isLast?: boolean
}

type PartnerRequest = PartnerOptions & { hosts: readonly Behaviour[] }

/** The partner of the example, as its Givens want it. */
async function partnerOf(world: MailWorld): Promise<Partner> {
  // What it sent before, it sends with the roots of this example.
  if (changesRoots(world)) await world.servers.gatewayOfOwn()
  noteInjection(world)
  const asked = { domain: domainOf(world), ...hostsOf(world) }
  const make = makerOf(world, asked.domain)
  return world.intent.read('authority', 'tells').tells ? partnerWithStatus(world, asked, make) : make(asked)
}

/** The domain of the recipient. An internationalised one is in A-labels: RFC 5890 s2.3.2.1. */
function domainOf({ intent }: MailWorld): string {
  const { partnerDomain } = intent.read('connector', 'partnerDomain')
  if (!partnerDomain) throw new Error('no Given says which outbound connector applies to the partner')
  const { international } = intent.read('message', 'international')
  return international ? withALabels(`bü${partnerDomain}`) : partnerDomain
}

/** The mail exchangers, under the names to which the MX records lead: the attacker's where they are forged. */
function hostsOf(world: MailWorld): Omit<PartnerRequest, 'domain'> {
  const { list, oneName } = world.intent.read('exchangers')
  const { forged } = world.intent.read('mx')
  const hosts = list?.map(plain) ?? [partnerBehaviour(world)]
  const manner = mannerOf(world, hosts)
  world.comes('partner', manner)
  const attacker = forged && `mx.${world.run.lab.freshDomain('*.attacker.test')}`
  return {
    hosts: hosts.map(one => ({ ...one, ...(attacker ? { tls: { names: [attacker] } } : {}), manner })),
    ...(attacker ? { hostnames: [attacker] } : {}),
    ...(oneName ? { oneName } : {}),
  }
}

/** What the partner says before TLS alone, and what it injects, is asked for later. */
function noteInjection({ intent, manners, happened }: MailWorld): void {
  const { beforeTlsOnly = [] } = intent.read('extensions')
  const { offers = '' } = manners.partner
  happened.extensionsBeforeTlsOnly = beforeTlsOnly.filter(keyword => !offers.includes(keyword))
  happened.injectedByPartner = intent.read('injected').by
}

/** Makes a partner; where the gateway has a history with it, the gateway sends it a message before. */
function makerOf(world: MailWorld, domain: string): (asked: PartnerRequest) => Promise<Partner> {
  const { resumable } = world.intent.read('gateway', 'resumable')
  const { mail } = world.manners.before
  const before = resumable ? FOR_RESUMPTION : mail && EARLIER_MAIL[mail]
  const withoutHistory = (asked: PartnerRequest) => world.servers.partner(asked)
  if (!before) return withoutHistory
  const earlierDomain = domainOfEarlier(world, domain, before)
  if (earlierDomain instanceof Inapplicable) {
    // A circumstance that cannot come about is left out.
    if (resumable) throw earlierDomain
    return withoutHistory
  }
  if (!resumable) world.comes('before', world.manners.before)
  return asked => partnerAfter(world, asked, before, earlierDomain)
}

/** A partner whose certificates say where their authority tells their status, which it then tells. */
async function partnerWithStatus(
  world: MailWorld,
  asked: PartnerRequest,
  make: (asked: PartnerRequest) => Promise<Partner>,
): Promise<Partner> {
  const addresses = await addressesAt(world, asked.domain)
  const hosts = asked.hosts.map(({ tls, ...one }) => ({ ...one, tls: { ...tls, addresses } }))
  const partner = await make({ ...asked, hosts })
  await tellStatus(world, partner, addresses)
  return partner
}

/** After a HelloRetryRequest, Node's TLS servers send no answer about a status along: a group that leads to one is left out. */
function mannerOf({ manners }: MailWorld, hosts: readonly Behaviour[]): PartnerManner {
  const { group: _, ...others } = manners.partner
  return hosts.some(({ tls }) => tls?.staples !== undefined) ? others : manners.partner
}

const TAKES_U_LABELS: Behaviour = {
  starttls: { clearExtensions: ['SMTPUTF8'], tlsExtensions: ['SMTPUTF8'] },
}

/** What the partner does always, and what it does besides on some connections. */
function partnerBehaviour(world: MailWorld): Behaviour {
  const { always: said = {}, limited } = world.intent.read('partner')
  const { uLabels } = world.intent.read('message', 'uLabels')
  const always =
    uLabels && !world.manners.partner.offers?.includes('SMTPUTF8') ? merged(said, TAKES_U_LABELS) : said
  if (!limited) return plain(always)
  const { always: others = {}, ...some } = limited
  return { ...merged(plain(always), plain(some)), always: plain(merged(always, others)) }
}

/** Both together. Throws where both set the same. */
function merged<T extends object>(one: T, other: T): T {
  const result = { ...one } as Record<string, unknown>
  for (const [key, value] of Object.entries(other)) {
    const before = result[key]
    if (before === undefined) result[key] = value
    else if (typeof before === 'object' && typeof value === 'object')
      result[key] = merged(before as object, value as object)
    else throw new Error(`two Givens set "${key}" of the partner`)
  }
  return result as T
}

/** Sets of the intent as lists. */
function plain(value: Behaviour): Behaviour {
  return JSON.parse(JSON.stringify(value, (_, one) => (one instanceof Set ? [...one] : one)))
}

/** How the example wants the message that the gateway is to send. */
function messageFor(
  world: MailWorld,
  to: string[],
  { message, tries = 1, givesUp: _, ...how }: Sending,
): Message {
  const said = world.intent.read('message', 'size', 'withoutReturnPath', 'inCapitals', 'encrypted', 'uLabels')
  if (message) return message
  const {
    author: authorIs,
    recipient,
    recipients: _more,
    ...manner
  } = fittingMessage(world.manners.message, {
    sevenBitOnly: world.manners.partner.withholds === '8BITMIME',
  })
  const form = said.inCapitals ? 'domain in capitals' : said.uLabels ? undefined : recipient
  const recipients = to.map(one => pathOf(one, form))
  if (said.encrypted) return encryptedFrom(world, world.flow.sender, recipients)
  // Where a message may come back, its author is at a partner, who sees what comes.
  const author = tries > 1 ? world.happened.author?.domain : undefined
  const back = author && said.withoutReturnPath ? { headers: [`Reply-To: <author@${author}>`] } : {}
  const own = author ? `author@${author}` : authorOf(world)
  // Who waits for what comes back needs an address that is known.
  const ownAuthor = author !== undefined || said.withoutReturnPath
  const from = said.withoutReturnPath ? '' : (own ?? world.flow.sender)
  const addresses = {
    ...(authorIs && !ownAuthor ? { author: authorIs } : {}),
    ...(recipient && form === recipient ? { recipient } : {}),
  }
  world.comes('message', addresses)
  noteMessage(world, manner, { ownSize: said.size !== undefined })
  const composed = compose({
    from: pathOf(from, addresses.author),
    to: recipients,
    ...manner,
    ...(said.size ? { size: said.size } : {}),
    ...back,
    ...how,
  })
  return said.uLabels ? { ...composed, uLabels: true } : composed
}

function encryptedFrom({ happened }: MailWorld, from: string, to: string[]): Message {
  const { message, secret } = encrypted({ from, to })
  happened.secret = secret
  return message
}

/** Notes what of the manner of a message comes about. `ownSize`: the example decides on the size. */
function noteMessage(world: MailWorld, manner: MessageManner, { ownSize }: { ownSize: boolean }): void {
  const { size: _, ...others } = manner
  world.comes('message', ownSize ? others : manner)
}

let lastAuthor = 0

/** An author of its own for a message, at whose mail server the lab sees what comes back; nothing where it cannot. */
function authorOf({ run }: MailWorld): string | undefined {
  const { author } = run.lab
  return author && run.takesAuthors ? `author${++lastAuthor}@${author.domain}` : undefined
}

/** Notes how messages stand when the act is over. */
function noteStanding(
  { run, happened }: MailWorld,
  watched: readonly WatchedMessage[],
  flow: MailFlow = run.flow,
): void {
  happened.standing.note(watched, flow, { external: run.gateways.source.kind === 'external' })
}

/** The gateway is asked to send one message to these partners. */
export async function sendTo(
  world: MailWorld,
  partners: readonly Partner[],
  how: Sending = {},
): Promise<WatchedMessage[]> {
  world.needsRole('sender')
  const gateway = await (changesRoots(world) ? world.servers.gatewayOfOwn() : world.servers.gateway())
  const { submitted } = world.intent.read('message', 'submitted')
  const to = await recipientsAt(world, partners, gateway, how)
  const { author } = world.run.lab
  const returnsTo = world.happened.author ?? author
  const send = () =>
    sendAndWatch({
      gateway,
      submission: world.run.submission(gateway),
      message: messageFor(world, to, how),
      partners,
      tries: how.tries ?? 1,
      ...(how.givesUp ? { givesUp: true } : {}),
      before: world.happened.before,
      ...(how.isLast ? handingOn(world, partners) : {}),
      ...(returnsTo ? { author: returnsTo } : {}),
      ...(changesRoots(world) ? { meanwhile: () => changeRoots(world, gateway, partners[0]!) } : {}),
      ...(world.happened.opens ? { meanwhile: world.happened.opens } : {}),
      ...(submitted === 'over TLS' ? { tls: {} } : {}),
    })
  let watched = await send()
  const isRefused = watched.some(({ known }) => known.refusal !== undefined)
  if (isRefused && to.length > partners.length) noteRefusal(gateway)
  mustTakeAddresses(world, watched)
  // The gateway may take mail from senders of its own alone.
  if (author && world.run.takesAuthors && isRefused) {
    world.run.takesAuthors = false
    watched = await send()
  }
  mustHaveTried(world, watched)
  mustAskForStatus(world, watched)
  for (const { domain } of partners) world.happened.notes.push(...gateway.log(domain, 12))
  world.happened.watched.push(...watched)
  noteStanding(world, watched)
  world.happened.acted = true
  return watched
}

/**
 * Under circumstances, a partner hands its addresses on where TLS is required: the message is held back, and what may still
 * come unencrypted says for whom it is. The plain run has listened to the whole silence at the partner's own addresses.
 */
function handingOn({ run, intent }: MailWorld, partners: readonly Partner[]): { handOn?: () => void } {
  const isForced = ({ domain }: Partner) => levelFor(run.flow.outbound, domain) !== 'opportunistic'
  if (!run.circumstances?.size || run.alone || intent.said('gateway').length > 0 || !partners.every(isForced))
    return {}
  return { handOn: () => partners.forEach(partner => void run.lab.handOn?.(partner)) }
}

/** A partner sends an answer along to who asks for it, and to nobody else: RFC 6066 s8, RFC 8446 s4.4.2.1. */
function mustAskForStatus(world: MailWorld, watched: readonly WatchedMessage[]): void {
  const { staples, kind } = partnerBehaviour(world).tls ?? {}
  if (staples === undefined && kind?.promises === undefined) return
  const hellos = watched.flatMap(({ conversations }) =>
    conversations.flatMap(({ handshake }) => handshake?.offered ?? []),
  )
  if (hellos.length > 0 && hellos.every(({ extensions }) => !extensions.includes(EXTENSION.statusRequest)))
    throw new Inapplicable('the gateway asks no partner for the status of its certificate')
}

/** A gateway may decide from whom it takes mail, and for whom, by more than the domain. */
function mustTakeAddresses(world: MailWorld, watched: readonly WatchedMessage[]): void {
  const refusal = watched.find(({ known }) => known.refusal !== undefined)?.known.refusal
  const { author, recipient, recipients } = world.manners.message
  const { uLabels } = world.intent.read('message', 'uLabels')
  if (refusal !== undefined && (author ?? recipient ?? recipients ?? uLabels) !== undefined)
    throw new Inapplicable(`the gateway does not take the message with such an address: ${refusal}`)
}

/** So many messages a gateway is handed at the same time; more may be too many for one that has just started. */
const AT_ONCE = 5

/** The gateway is asked to send a message to the partner, once, or until the gateway has made `tries` attempts. */
export async function sendToPartner(world: MailWorld, how: Sending = {}): Promise<WatchedMessage> {
  const partner = await partnerOf(world)
  const { lab, gateways, flow } = world.run
  // A user who has to log in writes in nobody else's name; and the author may need the address of the partner.
  if ((how.tries ?? 1) > 1 && !gateways.source.login && lab.room > 1) {
    const connector = forLevel(flow, 'opportunistic')
    const pattern = connector instanceof NoConnector ? '*.opportunistic.test' : connector.to
    world.happened.author = await world.servers.partner({ domain: lab.freshDomain(pattern) })
  }
  const passesOn = world.intent.read('onward').unencrypted
  const { others = 0 } = world.intent.read('message', 'others')
  let watched: WatchedMessage | undefined
  for (let left = others + 1; left > 0; left -= AT_ONCE) {
    const isLast = others === 0 && (how.tries ?? 1) === 1
    const some = Array.from({ length: Math.min(left, AT_ONCE) }, () =>
      sendTo(world, [partner], { ...how, isLast }),
    )
    watched = (await Promise.all(some)).at(-1)![0]
  }
  if (world.happened.injectedByPartner)
    world.happened.alive = await greets((await world.servers.gateway()).submission)
  const [arrival] = watched!.arrivals
  if (passesOn && arrival) world.happened.passedOn = await passOn(world.run.pki, partner, arrival.content)
  return watched!
}

/** Two messages to the same partner. */
export async function sendTwice(world: MailWorld): Promise<void> {
  const partner = await partnerOf(world)
  await sendTo(world, [partner])
  await sendTo(world, [partner])
}

/** One message to several partners. */
export async function sendCopies(world: MailWorld): Promise<void> {
  const { list = [] } = world.intent.read('copies')
  world.happened.copies = list
  const partners = await world.servers.partners(
    list.map(({ domain, behaviour }) => ({ domain, hosts: [plain(behaviour)] })),
  )
  await sendTo(world, partners)
}

/** The gateway is asked to send a message to the second server, through the tap. */
export async function sendToSecondServer(world: MailWorld, how: Sending = {}): Promise<WatchedMessage> {
  const { gateway, second } = await world.servers.pair()
  const { always, out = always } = world.intent.read('tap', 'always', 'out')
  const { submitted } = world.intent.read('message', 'submitted')
  const passed = await sendThroughTap(world.run, {
    from: gateway,
    to: second,
    message: how.message ?? compose({ from: gateway.flow.sender, to: [second.flow.recipient] }),
    ...(how.cause ? { cause: how.cause } : {}),
    ...(out ? { does: out } : {}),
    ...(how.tries ? { tries: how.tries } : {}),
    // As a user's client does, unless the example says otherwise.
    ...(submitted === 'unencrypted' ? {} : { tls: {} }),
  })
  world.happened.relayed({ ...passed, names: [gateway.name, second.name] })
  world.happened.notes.push(...gateway.log(second.flow.domain, 12))
  world.happened.watched.push(passed.watched)
  noteStanding(world, [passed.watched], gateway.flow)
  return passed.watched
}

/** The second server is asked to send a message to the gateway, through the tap. */
export async function receiveFromSecondServer(world: MailWorld): Promise<void> {
  const { gateway, second } = await world.servers.pair()
  const { always, in: does = always } = world.intent.read('tap', 'always', 'in')
  await world.servers.takePathTo(gateway)
  const passed = await receiveThroughTap(world.run, {
    from: second,
    to: gateway,
    message: compose({ from: second.flow.sender, to: [gateway.flow.recipient] }),
    ...(does ? { does } : {}),
  })
  world.happened.relayed({ ...passed, names: [second.name, gateway.name] })
  world.happened.handover = passed.handover
  world.happened.alive = passed.alive
  world.happened.arrived = await lookIntoMailbox(world)
  world.happened.notes.push(...gateway.log(second.flow.domain, 10))
}

/** How the client behaves when it delivers, as the Givens want it. */
function clientBehaviour(world: MailWorld): SenderBehaviour {
  const said = world.intent.read(
    'client',
    'tls',
    'maxVersion',
    'showsCertificate',
    'certificate',
    'resumes',
    'greetsAs',
    'beginsAs',
    'cuts',
    'endsTlsIn',
    'failsHandshake',
    'staysAfterFailedHandshake',
  )
  const { tls, maxVersion, showsCertificate, certificate, ...more } = said
  const { certificateName, clientDomain } = world.intent.read('connector', 'certificateName', 'clientDomain')
  const flaws = [...(certificate?.flaws ?? [])]
  return {
    tls: tls === 'falls back to unencrypted' ? 'falls back to clear' : (tls ?? 'uses'),
    ...(maxVersion ? { maxVersion } : {}),
    ...(showsCertificate
      ? {
          certificate: {
            names: certificate?.names ?? [certificateName ?? `mail.${clientDomain}`],
            flaws,
          },
        }
      : {}),
    ...more,
  }
}

/** How the same client behaves where everything is in order. */
function goodBehaviour(world: MailWorld): SenderBehaviour {
  const { certificateName } = world.intent.read('connector', 'certificateName')
  return {
    tls: 'uses',
    ...(certificateName ? { certificate: { names: [certificateName.replace('*', 'mail')] } } : {}),
  }
}

/** The client delivers a message; afterwards it is known what became of it in the mailbox. */
export async function deliver(world: MailWorld): Promise<void> {
  world.needsRole('receiver')
  world.needsRecipient()
  const gateway = await world.servers.gateway()
  const { flow } = gateway
  const { clientDomain } = world.intent.read('connector', 'clientDomain')
  if (!clientDomain) throw new Error('no Given says which inbound connector applies to the client')
  const said = world.intent.read('message', 'headers', 'encrypted')
  const { inCapitals } = world.intent.read('client', 'inCapitals')
  const behaviour = clientBehaviour(world)
  const { relays, partnerDomain } = world.intent.read('connector', 'relays', 'partnerDomain')
  if (relays) world.happened.relayedTo = await world.servers.partner({ domain: partnerDomain! })
  const to = [relays ? recipientAt(partnerDomain!) : flow.recipient]
  const mailbox = mailboxOf(world)
  const messageManner = said.encrypted ? {} : fittingMessage(world.manners.message, mailbox)
  const from = `sender@${inCapitals ? clientDomain.toUpperCase() : clientDomain}`
  const message = said.encrypted
    ? encryptedFrom(world, from, to)
    : compose({
        ...{ from, to, headers: said.headers ?? [], ...messageManner },
        ...(behaviour.cuts ? { size: 40_000 } : {}),
      })
  const options = { endpoint: gateway.inbound, hostname: flow.hostname, pki: world.run.pki }
  const receiving = { connectors: flow.inbound, domain: clientDomain, mailbox, message: messageManner }
  const manner = fitting(world.manners.client, behaviour, receiving)
  const good = goodBehaviour(world)
  noteMessage(world, messageManner, { ownSize: behaviour.cuts === true })
  world.happened.handover = await handOver(message, { ...options, behaviour, manner, good })
  const { declined, leftOut } = world.happened.handover
  const { session, messageWrites, ...rest } = manner
  const noDot = messageWrites === 'the final dot apart' && rest.transfer?.startsWith('BDAT')
  world.comes('client', {
    ...rest,
    ...(session && !leftOut ? { session } : {}),
    ...(messageWrites && !behaviour.cuts && !noDot ? { messageWrites } : {}),
  })
  if (declined) throw new Inapplicable(`the gateway need not take it so: ${declined}`)
  world.happened.notes.push(...gateway.log(`@${message.from.split('@')[1]}`, 10))
  world.happened.acted = true
  world.happened.arrived = await lookIntoMailbox(world)
  const { accepted } = world.happened.handover
  if (accepted && world.happened.arrived?.mails.length !== 0) return
  // A refusal counts only from a gateway that still takes the mail of others. Where a later message is in the mailbox, an
  // earlier one is not merely late.
  const other = await deliverForAnother(world, gateway)
  if (!accepted && !behaviour.cuts) world.happened.alive = other.accepted
  if (!mailbox) return
  const { token } = other.message
  // That one is for the gateway's own domain.
  if (relays) {
    world.happened.arrived = { mails: await mailbox.find(message.token), later: other.accepted }
    return
  }
  const found = await (other.accepted ? mailbox.await(token) : mailbox.find(token))
  world.happened.arrived = { mails: await mailbox.find(message.token), later: found.length > 0 }
}

/** The TLS version to which the gateway agrees with a client that has all; nothing where it takes no mail in, or starts no TLS. */
export async function versionAsReceiver({ run, servers, happened }: MailWorld): Promise<string | undefined> {
  if (run.gateways.source.untested?.('receiver')) return undefined
  const gateway = await servers.gateway()
  const domain = run.lab.freshDomain(STRANGERS)
  try {
    const session = await ClientSession.open(gateway.inbound, { domain, flow: gateway.flow, pki: run.pki })
    happened.clientSessions.push(session)
    await session.greet()
    if (session.offersStarttls) await session.startTls()
    session.close()
    return session.seen().conversation.handshake?.version
  } catch (error) {
    if (error instanceof WireError) return undefined
    throw error
  }
}

/** Where mail that the gateway has taken ends up; nothing where nobody can look into it. */
const mailboxOf = ({ happened, run }: MailWorld): Mailbox | undefined =>
  happened.inbox ?? (happened.relayedTo ? partnerMailbox(happened.relayedTo) : run.mailbox)

/** Waits for the delivered message, for a bounded time, where the gateway has accepted it: no other can come. */
async function lookIntoMailbox(world: MailWorld): Promise<InMailbox | undefined> {
  const mailbox = mailboxOf(world)
  const { delivered } = world.happened
  if (!mailbox) return undefined
  const { token } = delivered.message
  return { mails: await (delivered.accepted ? mailbox.await(token) : mailbox.find(token)), later: false }
}

/**
 * A message over TLS from a client that no connector names; without a mailbox, its beginning is enough. Where the gateway
 * takes no mail from domains that are made up, the message is from the domain of the client, with which all is in order.
 */
async function deliverForAnother(world: MailWorld, { inbound, flow }: Gateway): Promise<Handover> {
  const { run } = world
  const { clientDomain } = world.intent.read('connector', 'clientDomain')
  const deliver = (domain: string, behaviour: SenderBehaviour) => {
    const token = newToken()
    const body = { headers: [], text: token, token }
    const message = compose({ from: `other@${domain}`, to: [flow.recipient], body })
    const options = { endpoint: inbound, hostname: flow.hostname, pki: run.pki }
    return mailboxOf(world)
      ? handOver(message, { ...options, behaviour })
      : beginsOnly(handOver(message, { ...options, behaviour: { ...behaviour, leavesAt: 'MAIL' } }))
  }
  const other = await deliver(run.lab.freshDomain(STRANGERS), { tls: 'uses' })
  const madeUp = !other.accepted && other.reply && isAboutSendersDomain(other.reply)
  return madeUp ? deliver(clientDomain!, goodBehaviour(world)) : other
}

async function beginsOnly(begun: Promise<Handover>): Promise<Handover> {
  const { reply, stage, ...rest } = await begun
  const taken = stage === 'MAIL' && reply !== undefined && reply.code < 300
  return { ...rest, stage, ...(reply ? { reply } : {}), accepted: taken }
}
