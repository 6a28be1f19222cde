import { type DataTable, defineParameterType, Given, Then, When } from '@cucumber/cucumber'
import type { Message } from '../support/evidence/mail.ts'
import type { Sent } from '../support/evidence/sent.ts'
import { onlyDecryptable, readable } from '../support/judgements/content.ts'
import { firstHopAlone, hopsOfTheirOwn, noFurtherClaim } from '../support/judgements/hops.ts'
import { authorTold, nobodyTold } from '../support/judgements/notices.ts'
import {
  arrivesAt,
  arrivesInClear,
  arrivesInClearOrHeldBack,
  arrivesOnce,
  arrivesOverTls,
  isHeldBack,
  judgeLater,
  ownRecipientsAlone,
  staysQueued,
  staysQueuedForCertificate,
} from '../support/judgements/outbound.ts'
import type { TlsVersion } from '../support/lab/partner/behaviour.ts'
import type { Partner } from '../support/lab/partner/partner.ts'
import { compose, type MessageOptions } from '../support/traffic/message.ts'
import { awaitNotice, noticesAt } from '../support/traffic/notices.ts'
import { passOn } from '../support/traffic/onward.ts'
import { sendAndWatch, type WatchedMessage } from '../support/traffic/sending.ts'
import { encrypted } from '../support/traffic/smime.ts'
import type { Observation } from '../support/verdicts/observation.ts'
import { receiveFromPeer, sendToPeer } from './pair.steps.ts'
import { deliver } from './sender.steps.ts'
import { Inapplicable, type MailWorld } from './world.ts'

async function partnerOf(world: MailWorld): Promise<Partner> {
  world.domain ??= world.run.lab.freshDomain(
    world.flow.outbound.find(({ to, tls }) => tls === 'opportunistic' && to.startsWith('*.'))!.to,
  )
  return world.partner({ domain: world.domain, hosts: world.hosts })
}

interface Sending extends Partial<MessageOptions> {
  tries?: number
  message?: Message
  /** Handed over in its place; between two servers alone. */
  cause?: Message
}

async function sendTo(
  world: MailWorld,
  partners: readonly Partner[],
  { tries = 1, message, ...how }: Sending = {},
) {
  const gateway = await world.gateway()
  const watched = await sendAndWatch({
    gateway,
    submission: world.run.submission(gateway),
    message:
      message ??
      compose({
        from: gateway.flow.sender,
        to: partners.map(({ domain }) => `inbox@${world.inCapitals ? domain.toUpperCase() : domain}`),
        ...how,
      }),
    partners,
    tries,
    ...(world.comesIn === 'over TLS' ? { tls: {} } : {}),
  })
  for (const { domain } of partners) world.notes.push(...gateway.log(domain, 12))
  world.watched.push(...watched)
  world.settled(watched)
  world.acted = true
  return watched
}

async function sendOne(world: MailWorld, how: Sending = {}): Promise<WatchedMessage> {
  if (world.peer) return sendToPeer(world, how)
  return (await sendTo(world, [await partnerOf(world)], how))[0]!
}

/** What crosses the hop that is not simply a message of a user. */
const MAILS: Record<string, (world: MailWorld) => Promise<Sending>> = {
  'a message': async () => ({}),
  'a message for its postmaster': async world => {
    mayWriteFor(world)
    const { flow } = await world.secondServer()
    return { message: compose({ from: '', to: [`postmaster@${flow.domain}`] }) }
  },
  'a notification': notification,
}

function mayWriteFor({ run }: MailWorld): void {
  if (run.gateways.source.login)
    throw new Inapplicable('the gateway takes mail for sending on from users alone, in their own name')
}

/** The gateway returns a message to its author, who is at the second server. */
async function notification(world: MailWorld): Promise<{ message: Message; cause: Message }> {
  mayWriteFor(world)
  const { lab } = world.run
  const author = (await world.secondServer()).flow.recipient
  const nobody = await world.partner({
    domain: lab.freshDomain('*.opportunistic.test'),
    hosts: [{ transaction: { refuses: { at: 'RCPT', reply: '550 5.1.1 No such mailbox' } } }],
  })
  const cause = compose({ from: author, to: [`nobody@${nobody.domain}`] })
  return { cause, message: { ...cause, from: '', to: [author] } }
}

defineParameterType({
  name: 'mail',
  regexp: new RegExp(Object.keys(MAILS).reverse().join('|')),
  transformer: (words: string) => MAILS[words]!,
  useForSnippets: false,
})

When(
  'the gateway sends {mail} to the partner',
  async function (this: MailWorld, what: (typeof MAILS)[string]) {
    const sent = await sendOne(this, await what(this))
    const [arrival] = sent.arrivals
    if (!this.passesOn || !arrival) return
    this.passedOn = await passOn(this.run.pki, sent.partner, arrival.content)
  },
)

/** What the gateway is asked to send when it may have to try several times. */
const MESSAGES: Record<string, (world: MailWorld) => Promise<Sending>> = {
  // A user who has to log in writes in nobody else's name.
  'a message': async world =>
    world.run.gateways.source.login ? {} : { from: `author@${await author(world)}` },
  'a large message': async () => ({ size: 1_900_000 }),
  'a message without return path': async world => ({
    from: '',
    headers: [`Reply-To: <author@${await author(world)}>`],
  }),
}

defineParameterType({
  name: 'message',
  regexp: new RegExp(Object.keys(MESSAGES).join('|')),
  transformer: (words: string) => MESSAGES[words]!,
  useForSnippets: false,
})

/** The author is at a partner too, so that a notification is seen. */
async function author(world: MailWorld): Promise<string> {
  world.notices = await world.partner({ domain: world.run.lab.freshDomain('*.opportunistic.test') })
  return world.notices.domain
}

When(
  'the gateway tries up to {int} times to send {message} to the partner',
  async function (this: MailWorld, tries: number, how: (world: MailWorld) => Promise<Sending>) {
    await sendOne(this, { tries, ...(await how(this)) })
  },
)

When('the gateway sends two messages to the partner, one after the other', async function (this: MailWorld) {
  const partner = await partnerOf(this)
  await sendTo(this, [partner])
  // To somebody else there: what the gateway says about the first recipient is not about this message.
  await sendTo(this, [partner], { to: [`later@${partner.domain}`] })
})

When('the gateway sends the message to all of them', async function (this: MailWorld) {
  await sendTo(
    this,
    await this.partners(this.copies.map(({ domain, behaviour }) => ({ domain, hosts: [behaviour] }))),
  )
})

When('the gateway sends an S\\/MIME encrypted message to the partner', async function (this: MailWorld) {
  const partner = await partnerOf(this)
  const { message, secret } = encrypted({
    from: this.flow.sender,
    to: [`inbox@${partner.domain}`],
  })
  this.secret = secret.text
  await sendTo(this, [partner], { message })
  this.decrypt = secret.decrypt
})

When('the partner and the gateway send each other a message', async function (this: MailWorld) {
  if (!this.peer) await Promise.all([sendOne(this), deliver(this)])
  else {
    await sendOne(this)
    await receiveFromPeer(this)
  }
})

/** What can become of a message, in the words of the features. */
const FATES: Record<string, (sent: Sent) => Observation> = {
  'arrives over TLS': sent => arrivesOverTls(sent),
  'arrives in clear': arrivesInClear,
  'is held back': isHeldBack,
  'stays queued': staysQueued,
  'stays queued for a reason that names the certificate': staysQueuedForCertificate,
  'arrives in clear or is held back': sent => arrivesInClearOrHeldBack(sent, { queued: false }),
  'arrives in clear or stays queued': sent => arrivesInClearOrHeldBack(sent, { queued: true }),
}

/** Throws for words that are no fate: a table cell has no parameter type to check it. */
function fate(words: string): (sent: Sent) => Observation {
  const found = FATES[words]
  if (!found) throw new Error(`no message is known that ${words}`)
  return found
}

defineParameterType({
  name: 'fate',
  regexp: new RegExp(Object.keys(FATES).join('|')),
  transformer: fate,
  useForSnippets: false,
})

Then('the message {fate}', function (this: MailWorld, judgement: (sent: Sent) => Observation) {
  return this.conclude(judgement(this.only))
})

Then('the message arrives over {version}', function (this: MailWorld, version: TlsVersion) {
  return this.conclude(arrivesOverTls(this.only, { version }))
})

Then('the message arrives over TLS with {suite}', function (this: MailWorld, suite: string) {
  return this.conclude(arrivesOverTls(this.only, { suite }))
})

Then('the later message {fate}', function (this: MailWorld, judgement: (sent: Sent) => Observation) {
  return this.conclude(judgeLater(this.sent, judgement))
})

Then('it arrives exactly once', function (this: MailWorld) {
  return this.conclude(arrivesOnce(this.only))
})

Then('it arrives exactly once and complete', function (this: MailWorld) {
  return this.conclude(arrivesOnce(this.only, { complete: true }))
})

Then('it arrives at mail exchanger {int}', function (this: MailWorld, exchanger: number) {
  return this.conclude(arrivesAt(this.only, exchanger))
})

/** Columns: partner, fate. */
Then('the copies fare so', function (this: MailWorld, table: DataTable) {
  for (const { partner, fate: words } of table.hashes()) {
    const copy = this.copies.findIndex(({ name }) => name === partner)
    if (copy < 0) throw new Error(`no partner is called ${partner}`)
    const seen = fate(words!)(this.sent[copy]!)
    const outcome = this.conclude({ ...seen, detail: `${partner}: ${seen.detail}` })
    if (outcome) return outcome
  }
  return undefined
})

Then("no partner hears of the others' recipients", function (this: MailWorld) {
  return this.conclude(ownRecipientsAlone(this.sent))
})

Then('the author gets one notification with a null return path', async function (this: MailWorld) {
  const watched = this.watched.at(-1)!
  const author = this.notices!
  await awaitNotice(watched.seen(), author)
  const [later] = await sendTo(this, [author])
  const notices = noticesAt(author, watched.partner)
  return this.conclude(authorTold(watched.seen(), notices, later!.seen()))
})

Then('nobody gets a notification', async function (this: MailWorld) {
  const watched = this.watched.at(-1)!
  const author = this.notices!
  const [later] = await sendTo(this, [author])
  const notices = noticesAt(author, watched.partner)
  return this.conclude(nobodyTold(watched.seen(), notices, later!.seen()))
})

Then('its text can be read on the wire', function (this: MailWorld) {
  return this.conclude(readable(this.only))
})

Then('its text cannot be read on the wire, and its recipient can decrypt it', function (this: MailWorld) {
  const [arrival] = this.only.arrivals
  const decrypted = arrival && this.decrypt!(arrival.content)
  return this.conclude(onlyDecryptable(this.only, { text: this.secret, decrypted }))
})

Then('its Received lines claim TLS for the first hop alone', async function (this: MailWorld) {
  const flow = this.peer && (await this.gateway()).flow
  return this.conclude(firstHopAlone(this.only, flow))
})

Then('the two hops have sessions of their own', function (this: MailWorld) {
  return this.conclude(hopsOfTheirOwn(this.only))
})

Then(
  "neither the message nor the gateway's log claims protection beyond the first hop",
  async function (this: MailWorld) {
    const gateway = await this.gateway()
    const log = gateway.log(this.only.partner.domain)
    const { passedOn } = this
    return this.conclude(noFurtherClaim(this.only, { passedOn, flow: gateway.flow, log }))
  },
)

Given("the message names the partner's domain in capitals", function (this: MailWorld) {
  this.inCapitals = true
})

Given('the message comes in over TLS', function (this: MailWorld) {
  this.comesIn = 'over TLS'
})

Given('the message comes in in clear', function (this: MailWorld) {
  if (this.run.gateways.source.login)
    throw new Inapplicable('the gateway takes mail for sending on inside TLS alone')
  this.comesIn = 'in clear'
})
