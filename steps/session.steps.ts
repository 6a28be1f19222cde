import { defineParameterType, Given, Then, When } from '@cucumber/cucumber'
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
import { Dialogue, type Mechanism, SMUGGLED, type Smuggled } from '../support/traffic/session.ts'
import { all } from '../support/verdicts/observation.ts'
import { greets } from '../support/wire/smtp/greeting.ts'
import type { MailWorld } from './world.ts'

defineParameterType({
  name: 'smuggled',
  regexp: new RegExp(Object.keys(SMUGGLED).join('|')),
  transformer: (text: string) => text as Smuggled,
  useForSnippets: false,
})

async function dialogue(world: MailWorld, where: 'inbound' | 'submission' = 'inbound'): Promise<Dialogue> {
  const gateway = await world.gateway()
  const { flow } = gateway
  world.senderDomain ??= world.run.lab.freshDomain('*.stranger.test')
  const talk = await Dialogue.open(gateway[where], { domain: world.senderDomain, flow })
  world.conversations.push(talk.conversation)
  world.dialogues.push(talk)
  world.acted = true
  return talk
}

const talk = (world: MailWorld): Dialogue => {
  const last = world.dialogues.at(-1)
  if (!last) throw new Error('there was no session')
  return last
}

/** How a sender leads a session, in the words of the features. */
const ACTS: Record<string, (talk: Dialogue) => Promise<unknown>> = {
  'greets the gateway': talk => talk.greet(),
  'greets the gateway inside TLS': inTls,
  'says STARTTLS': greetAndStart,
  'says STARTTLS with a parameter': async talk => {
    await talk.greet()
    await talk.say('STARTTLS now')
  },
  'says STARTTLS inside TLS': async talk => {
    await inTls(talk)
    await talk.say('STARTTLS')
  },
  'starts TLS and begins a message': async talk => {
    await inTls(talk)
    await talk.say(talk.mail)
    await talk.say(talk.rcpt)
  },
  'begins a message, starts TLS and begins again': async talk => {
    await beginAndStart(talk)
    await talk.greet()
    await talk.say(talk.mail)
    await talk.say(talk.rcpt)
  },
  'begins a message, starts TLS and goes on with it': async talk => {
    await beginAndStart(talk)
    await talk.say(talk.rcpt)
  },
}

async function greetAndStart(talk: Dialogue): Promise<void> {
  await talk.greet()
  await talk.startTls()
}

async function inTls(talk: Dialogue): Promise<void> {
  await greetAndStart(talk)
  await talk.greet()
}

async function beginAndStart(talk: Dialogue): Promise<void> {
  await talk.greet()
  const begun = await talk.say(talk.mail)
  await talk.startTls({ givesUpMessage: begun?.code === 250 })
}

defineParameterType({
  name: 'act',
  regexp: new RegExp(Object.keys(ACTS).join('|')),
  transformer: (words: string) => ACTS[words]!,
  useForSnippets: false,
})

When('a sender {act}', async function (this: MailWorld, act: (talk: Dialogue) => Promise<unknown>) {
  await act(await dialogue(this))
})

When('a sender smuggles {smuggled}', async function (this: MailWorld, what: Smuggled) {
  const talk = await dialogue(this)
  await talk.greet()
  await talk.smuggle(what)
})

When('the sender says {word}', async function (this: MailWorld, command: string) {
  const talk = await dialogue(this)
  if (command !== 'EHLO') await talk.greet()
  const whole: Record<string, string> = {
    EHLO: talk.ehlo,
    MAIL: talk.mail,
    RCPT: talk.rcpt,
    VRFY: 'VRFY inbox',
  }
  await talk.say(whole[command] ?? command)
})

Then('STARTTLS is offered as a bare keyword', function (this: MailWorld) {
  return this.conclude(bareStarttls(talk(this)))
})

Then('STARTTLS is not offered', function (this: MailWorld) {
  return this.conclude(starttlsNotOffered(talk(this)))
})

Then('STARTTLS is not offered or refused with 454', async function (this: MailWorld) {
  return this.conclude(await notOfferedOrRefused(talk(this)))
})

Then('the handshake succeeds', async function (this: MailWorld) {
  return this.conclude(await handshakeSucceeds(talk(this)))
})

Then('its chain leads to a root that the sender trusts', function (this: MailWorld) {
  return this.conclude(chainLeadsToRoot(talk(this)))
})

Then('the reply is {int}', function (this: MailWorld, code: number) {
  return this.conclude(replyWith(talk(this), code))
})

Then('the reply is {int} with status {word}', function (this: MailWorld, code: number, status: string) {
  return this.conclude(replyWith(talk(this), code, status))
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
    return this.conclude(replyOfKind(talk(this), ...kinds))
  })

Then('a message can still be delivered in clear on the same connection', async function (this: MailWorld) {
  return this.conclude(await takesMessage(talk(this)))
})

Then('the first reply inside TLS answers the first command inside TLS', async function (this: MailWorld) {
  return this.conclude(await answersInOrder(talk(this)))
})

Then('nothing that was smuggled took effect inside TLS', async function (this: MailWorld) {
  const session = talk(this)
  const alive = !session.breakdown || (await greets((await this.gateway()).inbound))
  return this.conclude(nothingTookEffect(session, alive))
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
    const talk = await dialogue(world, 'submission')
    await talk.greet()
    if (world.sender.tls === 'uses') {
      await talk.startTls()
      await talk.greet()
    }
    world.logins.push(await talk.login(password, mechanism))
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
