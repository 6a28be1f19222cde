import { defineParameterType, Given, Then, When } from '@cucumber/cucumber'
import { type Session, SMUGGLED, type Smuggled } from '../support/evidence/session.ts'
import {
  answersInOrder,
  bareStarttls,
  chainLeadsToRoot,
  handshakeSucceeds,
  loginRefused,
  loginSucceeds,
  nothingTookEffect,
  notOfferedOrRefused,
  refusedAlike,
  replyOfKind,
  replyWith,
  starttlsNotOffered,
  takesMessage,
} from '../support/judgements/session.ts'
import { ClientSession, type Mechanism } from '../support/traffic/session.ts'
import { all } from '../support/verdicts/observation.ts'
import { greets } from '../support/wire/smtp/greeting.ts'
import type { MailWorld } from './world.ts'

defineParameterType({
  name: 'smuggled',
  regexp: new RegExp(Object.keys(SMUGGLED).join('|')),
  transformer: (text: string) => text as Smuggled,
  useForSnippets: false,
})

async function openSession(
  world: MailWorld,
  where: 'inbound' | 'submission' = 'inbound',
): Promise<ClientSession> {
  const gateway = await world.gateway()
  const { flow } = gateway
  world.senderDomain ??= world.run.lab.freshDomain('*.stranger.test')
  const client = await ClientSession.open(gateway[where], { domain: world.senderDomain, flow })
  world.clientSessions.push(client)
  world.acted = true
  return client
}

/** The session that was opened last. */
const current = (world: MailWorld): ClientSession => {
  const last = world.clientSessions.at(-1)
  if (!last) throw new Error('there was no session')
  return last
}

/** What was seen of it. */
const session = (world: MailWorld): Session => current(world).seen()

/** How a sender leads a session, in the words of the features. */
const ACTS: Record<string, (client: ClientSession) => Promise<unknown>> = {
  'greets the gateway': client => client.greet(),
  'greets the gateway inside TLS': inTls,
  'says STARTTLS': greetAndStart,
  'says STARTTLS with a parameter': async client => {
    await client.greet()
    await client.say('STARTTLS now')
  },
  'says STARTTLS inside TLS': async client => {
    await inTls(client)
    await client.say('STARTTLS')
  },
  'starts TLS and begins a message': async client => {
    await inTls(client)
    await client.say(client.mail)
    await client.say(client.rcpt)
  },
  'begins a message, starts TLS and begins again': async client => {
    await beginAndStart(client)
    await client.greet()
    await client.say(client.mail)
    await client.say(client.rcpt)
  },
  'begins a message, starts TLS and goes on with it': async client => {
    await beginAndStart(client)
    await client.say(client.rcpt)
  },
}

async function greetAndStart(client: ClientSession): Promise<void> {
  await client.greet()
  await client.startTls()
}

async function inTls(client: ClientSession): Promise<void> {
  await greetAndStart(client)
  await client.greet()
}

async function beginAndStart(client: ClientSession): Promise<void> {
  await client.greet()
  const begun = await client.say(client.mail)
  await client.startTls({ givesUpMessage: begun?.code === 250 })
}

defineParameterType({
  name: 'act',
  regexp: new RegExp(Object.keys(ACTS).join('|')),
  transformer: (words: string) => ACTS[words]!,
  useForSnippets: false,
})

When('a sender {act}', async function (this: MailWorld, act: (client: ClientSession) => Promise<unknown>) {
  await act(await openSession(this))
})

When('a sender smuggles {smuggled}', async function (this: MailWorld, what: Smuggled) {
  const client = await openSession(this)
  await client.greet()
  await client.smuggle(what)
})

When('the sender says {word}', async function (this: MailWorld, command: string) {
  const client = await openSession(this)
  if (command !== 'EHLO') await client.greet()
  const whole: Record<string, string> = {
    EHLO: client.ehlo,
    MAIL: client.mail,
    RCPT: client.rcpt,
    VRFY: 'VRFY inbox',
  }
  await client.say(whole[command] ?? command)
})

Then('STARTTLS is offered as a bare keyword', function (this: MailWorld) {
  return this.conclude(bareStarttls(session(this)))
})

Then('STARTTLS is not offered', function (this: MailWorld) {
  return this.conclude(starttlsNotOffered(session(this)))
})

Then('STARTTLS is not offered or refused with 454', async function (this: MailWorld) {
  await current(this).askForTlsWhereOffered()
  return this.conclude(notOfferedOrRefused(session(this)))
})

Then('the handshake succeeds', async function (this: MailWorld) {
  await current(this).beginTls()
  return this.conclude(handshakeSucceeds(session(this)))
})

Then('its chain leads to a root that the sender trusts', function (this: MailWorld) {
  return this.conclude(chainLeadsToRoot(session(this)))
})

Then('the reply is {int}', function (this: MailWorld, code: number) {
  return this.conclude(replyWith(session(this), code))
})

Then('the reply is {int} with status {word}', function (this: MailWorld, code: number, status: string) {
  return this.conclude(replyWith(session(this), code, status))
})

/** First digits of a reply. */
const KINDS: Record<string, ('2' | '4' | '5')[]> = {
  'the reply is a success': ['2'],
  'the reply is a permanent refusal': ['5'],
  'the recipient is accepted': ['2'],
  'the recipient is refused': ['4', '5'],
}

for (const [text, kinds] of Object.entries(KINDS))
  Then(text, function (this: MailWorld) {
    return this.conclude(replyOfKind(session(this), ...kinds))
  })

Then('a message can still be delivered in clear on the same connection', async function (this: MailWorld) {
  await current(this).transaction()
  return this.conclude(takesMessage(session(this)))
})

Then('the first reply inside TLS answers the first command inside TLS', async function (this: MailWorld) {
  await current(this).probeOrder()
  return this.conclude(answersInOrder(session(this)))
})

Then('nothing that was smuggled took effect inside TLS', async function (this: MailWorld) {
  const seen = session(this)
  const alive = !seen.breakdown || (await greets((await this.gateway()).inbound))
  return this.conclude(nothingTookEffect(seen, alive))
})

Given('a user of the gateway', function (this: MailWorld) {
  this.changes.length = 0
})

Given("the user's client uses TLS", function (this: MailWorld) {
  this.sender = { tls: 'uses' }
})

Given("the user's client does not use TLS", function (this: MailWorld) {
  this.sender = { tls: 'does not use' }
})

async function login(
  world: MailWorld,
  mechanism: Mechanism,
  ...passwords: ('right' | 'wrong')[]
): Promise<void> {
  for (const password of passwords) {
    const client = await openSession(world, 'submission')
    await client.greet()
    if (world.sender.tls === 'uses') {
      await client.startTls()
      await client.greet()
    }
    world.logins.push(await client.login(password, mechanism))
  }
}

When('the client logs in with the right password', async function (this: MailWorld) {
  await login(this, 'PLAIN', 'right')
})

When('the client logs in with a wrong password', async function (this: MailWorld) {
  await login(this, 'PLAIN', 'wrong')
})

When('the client logs in with the right password and with a wrong one', async function (this: MailWorld) {
  // A server may guard one mechanism and forget the other.
  await login(this, 'PLAIN', 'right', 'wrong')
  await login(this, 'LOGIN', 'right', 'wrong')
})

Then('the login succeeds', function (this: MailWorld) {
  return this.conclude(loginSucceeds(this.logins[0]))
})

Then('the login is refused', function (this: MailWorld) {
  return this.conclude(loginRefused(this.logins[0]))
})

Then('both logins are refused alike', function (this: MailWorld) {
  const [right, wrong, ...more] = this.logins
  return this.conclude(all(refusedAlike(right, wrong), refusedAlike(more[0], more[1])))
})
