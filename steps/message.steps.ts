import { type DataTable, defineParameterType, Given, Then, When } from '@cucumber/cucumber'
import type { Message } from '../support/evidence/mail.ts'
import type { Sent } from '../support/evidence/sent.ts'
import { asOn } from '../support/judgements/calendar.ts'
import { readable, staysSecret } from '../support/judgements/content.ts'
import { hopsHaveOwnSessions, onlyFirstHopClaimsTls } from '../support/judgements/hops.ts'
import {
  acceptedWithoutMailbox,
  doesNotReach,
  reaches,
  refusedWithoutMailbox,
} from '../support/judgements/inbound.ts'
import { authorNotified, nobodyNotified, reasonIsTls } from '../support/judgements/notices.ts'
import { allArriveOverTls, avoids } from '../support/judgements/one-name.ts'
import {
  arrivesAt,
  arrivesInClear,
  arrivesInClearOr,
  arrivesOnce,
  arrivesOverHighest,
  arrivesOverTls,
  type Cause,
  doesNotArrive,
  forEachCopy,
  judgeLater,
  offersVersion,
  ownRecipientsAlone,
  staysQueued,
  staysQueuedBecause,
  suitesOffered,
} from '../support/judgements/outbound.ts'
import type { Partner } from '../support/lab/partner/partner.ts'
import { compose } from '../support/traffic/message.ts'
import { awaitNotice, noticesAt } from '../support/traffic/notices.ts'
import type { WatchedMessage } from '../support/traffic/sending.ts'
import type { Observation } from '../support/verdicts/observation.ts'
import {
  deliver,
  receiveFromSecondServer,
  type Sending,
  sendCopies,
  sendTo,
  sendToPartner,
  sendToSecondServer,
  sendTwice,
  versionAsReceiver,
} from './act.ts'
import type { Happened } from './happened.ts'
import { Inapplicable, NO_MAILBOX } from './outcome.ts'
import { version, words } from './vocabulary/parameters.ts'
import type { MessageSaid } from './vocabulary/subjects.ts'
import type { MailWorld } from './world.ts'

/** What a message is like, in the words of the features. */
const PROPERTIES: Record<string, Partial<MessageSaid>> = {
  'is large': { size: 1_900_000 },
  'has no return path': { withoutReturnPath: true },
  "names the partner's domain in capitals": { inCapitals: true },
  'goes to an internationalised domain': { international: true },
  "names the partner's domain with U-labels": { uLabels: true },
  'was submitted over TLS': { submitted: 'over TLS' },
  'was submitted unencrypted': { submitted: 'unencrypted' },
  'is encrypted with S/MIME': { encrypted: true },
  'carries a forged Received line that claims TLS': {
    headers: [
      'Received: from mail.forged.test (mail.forged.test [192.0.2.1])\r\n\tby mx.forged.test with ESMTPS id forged\r\n' +
        '\t(version=TLSv1.3 cipher=TLS_AES_256_GCM_SHA384); Tue, 24 Nov 2026 00:00:00 +0000',
    ],
  },
}
words('property', PROPERTIES)

Given('the message {property}', function (this: MailWorld, property: Partial<MessageSaid>) {
  const { login, submitTls } = this.run.gateways.source
  if (property.submitted === 'unencrypted' && (login || (submitTls ?? 'none') !== 'none'))
    throw new Inapplicable('the gateway takes mail for sending on inside TLS alone')
  if (property.submitted === 'over TLS' && submitTls === 'none')
    throw new Inapplicable('the gateway takes mail for sending on without TLS alone')
  this.intent.add('message', property)
})

words<number>('count', { four: 4, nineteen: 19 })

Given('the gateway has {count} more messages for the partner', function (this: MailWorld, others: number) {
  this.intent.add('message', { others })
})

/** What can become of all messages of an example, in the words of the features. */
words<(happened: Happened) => Observation>('fateOfAll', {
  'arrives over TLS': ({ sent }) => allArriveOverTls(sent),
  'arrives over TLS at a server with the right certificate, or stays queued': ({ sent, watched }) => {
    const { spec } = watched[0]!.partner.hosts.find(one => one.spec.behaviour.tls?.presents)!
    return avoids({ host: spec.hostname, address: spec.address }, sent)
  },
})

Then('every message {fateOfAll}', function (this: MailWorld, fate: (happened: Happened) => Observation) {
  return this.conclude(fate(this.happened))
})

type MakesMail = (world: MailWorld) => Promise<Sending>

/** What the gateway is asked to send, in the words of the features. */
const MAILS: Record<string, MakesMail> = {
  'a message': async () => ({}),
  "a message for the second server's postmaster": async world => {
    mayWriteFor(world)
    const { flow } = await world.servers.secondServer()
    return { message: compose({ from: '', to: [`postmaster@${flow.domain}`] }) }
  },
  'a notification': notification,
}
words('mail', MAILS)

function mayWriteFor({ run }: MailWorld): void {
  if (run.gateways.source.login)
    throw new Inapplicable('the gateway takes mail for sending on from users alone, in their own name')
}

/** The gateway returns a message to its author, who is at the second server. */
async function notification(world: MailWorld): Promise<{ message: Message; cause: Message }> {
  mayWriteFor(world)
  const { lab } = world.run
  const author = (await world.servers.secondServer()).flow.recipient
  const nobody = await world.servers.partner({
    domain: lab.freshDomain('*.opportunistic.test'),
    hosts: [{ transaction: { refuses: { at: 'RCPT', reply: '550 5.1.1 No such mailbox' } } }],
  })
  const cause = compose({ from: author, to: [`nobody@${nobody.domain}`] })
  return { cause, message: { ...cause, from: '', to: [author] } }
}

type Sends = (world: MailWorld, how?: Sending) => Promise<WatchedMessage>
words<Sends>('addressee', { 'the partner': sendToPartner, 'the second server': sendToSecondServer })

When(
  'the gateway sends {mail} to {addressee}',
  async function (this: MailWorld, mail: MakesMail, sends: Sends) {
    await sends(this, await mail(this))
  },
)

When(
  'the gateway tries up to {int} times to send a message to {addressee}',
  async function (this: MailWorld, tries: number, sends: Sends) {
    const once = this.run.gateways.lacks('retry') !== undefined
    if (once && this.run.plan) this.needs('retry')
    await sends(this, { tries: once ? 1 : tries })
    // Where nobody can ask the gateway to try again, the first attempt is enough if nothing follows it.
    const { deliveryEvents, arrivals } = this.happened.only
    if (once && arrivals.length === 0 && deliveryEvents.at(-1)?.kind !== 'bounced') this.needs('retry')
  },
)

/** As often as "the gateway gives up after 3 attempts" says. */
const UNTIL_GIVEN_UP = 3

When(
  'the gateway tries to send a message to the partner until it gives up',
  async function (this: MailWorld) {
    this.needs('retry')
    // The author of the message needs one too.
    this.needsRoom(2)
    const watched = await sendToPartner(this, { tries: UNTIL_GIVEN_UP, givesUp: true })
    const { author } = this.happened
    if (!author || watched.arrivals.length > 0) return
    await awaitNotice(watched.seen(), author)
    // Where this message has arrived, a notification would be there too.
    const [later] = await sendTo(this, [author], { message: letterTo(author, this.flow.sender) })
    this.happened.laterToAuthor = later!.seen()
    this.happened.watched = [watched]
  },
)

const letterTo = (author: Partner, from: string): Message => compose({ from, to: [`later@${author.domain}`] })

When('the gateway sends the partner two messages, one after the other', async function (this: MailWorld) {
  await sendTwice(this)
})

When('the gateway sends the message to all of them', async function (this: MailWorld) {
  await sendCopies(this)
})

When(
  'the gateway sends the partner a message and the client of the same domain delivers one',
  async function (this: MailWorld) {
    await Promise.all([sendToPartner(this), deliver(this)])
  },
)

When('the gateway and the second server send each other a message', async function (this: MailWorld) {
  await sendToSecondServer(this)
  await receiveFromSecondServer(this)
})

/** What can become of a copy of a message, in the words of the features. */
const COPY_FATES: Record<string, (sent: Sent) => Observation> = {
  'arrives over TLS': forEachCopy(sent => arrivesOverTls(sent)),
  'arrives unencrypted': forEachCopy(arrivesInClear),
  'does not arrive': forEachCopy(doesNotArrive),
  'stays queued': forEachCopy(staysQueued),
  'arrives unencrypted or stays queued': forEachCopy(sent => arrivesInClearOr(staysQueued, sent)),
  'arrives unencrypted or does not arrive': forEachCopy(sent => arrivesInClearOr(doesNotArrive, sent)),
  'arrives exactly once': forEachCopy(sent => arrivesOnce(sent)),
  'arrives exactly once and complete': forEachCopy(sent => arrivesOnce(sent, { complete: true })),
}
words('copyFate', COPY_FATES)

function needsNewestTls({ run }: MailWorld): void {
  if (run.pki.peersPlay?.maxVersion) throw new Inapplicable('the partner plays a service without TLS 1.3')
}

type Fate = (happened: Happened, world: MailWorld) => Observation | Promise<Observation>

/** A gateway may keep its reasons to itself. */
const queuedBecause =
  (cause: Cause): Fate =>
  ({ only }) => {
    if (staysQueued(only).kind === 'kept' && only.deliveryEvents.length === 0)
      throw new Inapplicable('the gateway says nothing about its queue, so its reason is not known')
    return forEachCopy(sent => staysQueuedBecause(cause, sent))(only)
  }

/** What can become of the message of an example. */
const FATES: Record<string, Fate> = {
  ...Object.fromEntries(
    Object.entries(COPY_FATES).map(([text, judgement]) => [text, ({ only }: Happened) => judgement(only)]),
  ),
  'arrives over the highest TLS version of the gateway': async ({ only }, world) => {
    needsNewestTls(world)
    return arrivesOverHighest(only, await versionAsReceiver(world))
  },
  'arrives over TLS 1.3, if the gateway offers this version': ({ only }, world) => {
    needsNewestTls(world)
    if (offersVersion(only, 'TLSv1.3') === false) throw new Inapplicable('the gateway does not offer TLS 1.3')
    return forEachCopy(sent => arrivesOverTls(sent, { version: 'TLSv1.3' }))(only)
  },
  'arrives over the TLS of that day': ({ only, day }) => {
    const used = arrivesOverTls(only, { version: 'TLSv1.1' })
    return asOn(day!, { used, gone: used })
  },
  'stays queued for a reason that names the certificate': queuedBecause('the certificate'),
  'stays queued for a reason that names TLS': queuedBecause('TLS'),
  'can be read on the wire': ({ only }) => readable(only),
  'can be decrypted by its recipient and read by nobody else': decryptable,
  'arrives unencrypted, or its author gets one notification': happened =>
    happened.only.arrivals.length > 0
      ? arrivesInClear(happened.only)
      : judgeNotices(happened, authorNotified),
  'claims TLS in its Received lines only for the first hop': ({ only }, { servers }) =>
    onlyFirstHopClaimsTls(only, servers.hasSecondServer ? servers.gatewaySeen.flow : undefined),
  'reaches the mailbox': happened => inMailbox(happened),
  'reaches the mailbox unchanged': happened => inMailbox(happened, { unchanged: true }),
  'does not reach the mailbox': ({ delivered, arrived }) =>
    arrived ? doesNotReach(arrived.mails, arrived.later) : refusedWithoutMailbox(delivered),
}

function decryptable({ sent, arrived, secret }: Happened): Observation {
  const { text, decrypt } = secret!
  const [message] = sent
  if (!message && !arrived) throw new Inapplicable(NO_MAILBOX)
  const content = message ? message.arrivals[0]?.content : arrived!.mails[0]?.content
  const decrypted = content && decrypt(content)
  return staysSecret(content, message?.conversations ?? [], { text, decrypted })
}

function inMailbox({ delivered, arrived }: Happened, { unchanged = false } = {}): Observation {
  if (!arrived && unchanged) throw new Inapplicable(NO_MAILBOX)
  if (!arrived) return acceptedWithoutMailbox(delivered)
  const overtaken = delivered.accepted && arrived.later
  return reaches(delivered, arrived.mails, { unchanged, overtaken })
}
words('fate', FATES)

Then('the (outgoing )message {fate}', async function (this: MailWorld, fate: Fate) {
  return this.conclude(await fate(this.happened, this))
})

Then('the later message {copyFate}', function (this: MailWorld, judgement: (sent: Sent) => Observation) {
  return this.conclude(judgeLater(this.happened.sent, judgement))
})

defineParameterType({
  name: 'version',
  regexp: /TLS 1\.[0-3]/,
  transformer: version,
  useForSnippets: false,
})

Then('the message arrives over {version}', function (this: MailWorld, version: string) {
  return this.conclude(forEachCopy(sent => arrivesOverTls(sent, { version }))(this.happened.only))
})

/** Which suites a gateway offers is its own choice, so where it offers none of these there is nothing to judge. */
function concludeOnSuites(world: MailWorld, suites: readonly string[]) {
  const { only } = world.happened
  const offered = suitesOffered(only, suites)
  if (offered?.length === 0) throw new Inapplicable(`the gateway does not offer ${suites.join(' or ')}`)
  const [strongest = suites[0]!] = offered ?? []
  return world.conclude(forEachCopy(sent => arrivesOverTls(sent, { suite: strongest }))(only))
}

Then(
  'the message arrives over TLS with {suite}, if the gateway offers this suite',
  function (this: MailWorld, suite: string) {
    return concludeOnSuites(this, [suite])
  },
)

Then(
  'the message arrives over TLS with {suite}, or with {suite} if the gateway does not offer the stronger suite',
  function (this: MailWorld, stronger: string, weaker: string) {
    return concludeOnSuites(this, [stronger, weaker])
  },
)

Then('the message arrives at mail exchanger {int}', function (this: MailWorld, exchanger: number) {
  return this.conclude(forEachCopy(sent => arrivesAt(sent, exchanger))(this.happened.only))
})

/** Columns: partner, copy. */
Then('the copies end as follows', function (this: MailWorld, table: DataTable) {
  for (const { partner, copy: words } of table.hashes()) {
    const at = this.happened.copies.findIndex(one => one.partner === partner)
    const judgement = COPY_FATES[words!]
    if (at < 0) throw new Error(`no partner is called ${partner}`)
    if (!judgement) throw new Error(`no copy is known that ${words}`)
    const seen = judgement(this.happened.sent[at]!)
    const ends = this.conclude({ ...seen, detail: `${partner}: ${seen.detail}` })
    if (ends) return ends
  }
  return undefined
})

Then('no partner gets a RCPT command for a recipient of another partner', function (this: MailWorld) {
  return this.conclude(ownRecipientsAlone(this.happened.sent))
})

/** What a notification to the author is like. */
words<typeof authorNotified>('notice', {
  'with a null return path': authorNotified,
  'that gives TLS as the reason': reasonIsTls,
})

Then(
  'the author gets one notification {notice}',
  function (this: MailWorld, judgement: typeof authorNotified) {
    return this.conclude(judgeNotices(this.happened, judgement))
  },
)

Then('nobody gets a notification', function (this: MailWorld) {
  return this.conclude(judgeNotices(this.happened, nobodyNotified))
})

function judgeNotices(
  { watched, author, laterToAuthor }: Happened,
  judgement: typeof authorNotified | typeof nobodyNotified,
): Observation {
  const [given] = watched
  if (!author || !laterToAuthor) return staysQueued(given!.seen())
  return judgement(given!.seen(), noticesAt(author, given!.partner), laterToAuthor)
}

Then('each hop has a TLS session of its own', function (this: MailWorld) {
  return this.conclude(hopsHaveOwnSessions(this.happened.only))
})
