import { Then, When } from '@cucumber/cucumber'
import type { Login, Session } from '../support/evidence/session.ts'
import { isWorthAnotherTry } from '../support/evidence/temporary-refusal.ts'
import {
  bareStarttls,
  handshakeSucceeds,
  notOfferedOrRefused,
  replyOfKind,
  replyWith,
  starttlsNotOffered,
} from '../support/judgements/session.ts'
import { STRANGERS } from '../support/mailflow/domains.ts'
import { fitting, inSession } from '../support/traffic/client-manner.ts'
import { clientTls } from '../support/traffic/client-manner-tls.ts'
import { ClientSession, type Mechanism } from '../support/traffic/client-session.ts'
import type { Observation } from '../support/verdicts/observation.ts'
import { comeAgain } from '../support/wire/come-again.ts'
import type { Conversation } from '../support/wire/conversation.ts'
import { greets } from '../support/wire/smtp/greeting.ts'
import type { ClientTls } from '../support/wire/smtp/smtp.ts'
import { WireError } from '../support/wire/wire-error.ts'
import { Inapplicable } from './outcome.ts'
import { words } from './vocabulary/parameters.ts'
import type { MailWorld } from './world.ts'

type Where = 'inbound' | 'submission' | 'submissions'

/** The client connects; where the Givens want it so, it starts TLS before the act that is judged. */
async function open(world: MailWorld, where: Where = 'inbound', tls?: ClientTls): Promise<ClientSession> {
  world.needsRole(where === 'inbound' ? 'receiver' : 'sender')
  const gateway = await world.servers.gateway()
  const { flow } = gateway
  const domain = world.happened.sessionsDomain ?? world.run.lab.freshDomain(STRANGERS)
  world.happened.sessionsDomain = domain
  const receiving = { connectors: flow.inbound, domain, mailbox: world.run.mailbox }
  const { namesNoServer } = world.intent.read('client', 'namesNoServer')
  const manner = {
    ...fitting(world.manners.client, { tls: 'uses' }, receiving),
    ...(namesNoServer ? { serverName: 'none' as const } : {}),
  }
  const failed = (conversation: Conversation) => world.happened.conversations.push(conversation)
  const about = { domain, flow, manner, pki: world.run.pki, failed, ...(tls ? { tls } : {}) }
  const session = await ClientSession.open(gateway[where]!, about)
  world.comes('client', inSession(manner))
  world.happened.clientSessions.push(session)
  world.happened.acted = true
  return session
}

async function startTls(world: MailWorld): Promise<void> {
  world.happened.command = 'STARTTLS'
  const { injects, starttlsParameter } = world.intent.read('client', 'injects', 'starttlsParameter')
  // What the gateway says to RCPT shows whether it executed MAIL, or whether the session goes on.
  if (injects === 'EHLO and MAIL' || starttlsParameter) world.needsRecipient()
  const session = await open(world)
  await session.greet()
  if (injects) {
    await session.smuggle(injects)
    world.happened.alive =
      !session.seen().breakdown || (await greets((await world.servers.gateway()).inbound))
  } else if (starttlsParameter) {
    const reply = await session.say('STARTTLS now')
    if (reply && reply.code >= 400) await session.transaction()
  } else if (session.offersStarttls) {
    await session.startTls()
    await session.probeOrder()
  }
}

async function beginInside(world: MailWorld): Promise<void> {
  world.needsRecipient()
  const { beginsBeforeTls, greetsOnce } = world.intent.read('client', 'beginsBeforeTls', 'greetsOnce')
  if (greetsOnce) {
    // What the gateway demands of a client that has not greeted it.
    const stranger = await open(world)
    await stranger.say(stranger.mail)
    stranger.close()
  }
  const session = await open(world)
  await session.greet()
  const begun = beginsBeforeTls && (await session.say(session.mail))
  await session.startTls({ givesUpMessage: begun?.code === 250 })
  if (beginsBeforeTls !== 'and continues inside TLS') {
    if (!greetsOnce) await session.greet()
    await session.say(session.mail)
  }
  await session.say(session.rcpt)
}

/** Throws WireError where the client cannot get into TLS: what it does there then shows nothing. */
async function getIntoTls(session: ClientSession): Promise<void> {
  await session.startTls()
  const { secured, breakdown } = session.seen()
  if (!secured)
    throw new WireError(breakdown?.kind ?? 'handshake failure', `TLS did not start: ${breakdown?.detail}`)
}

/** Whether the client is inside TLS already when it greets or says STARTTLS. */
async function openForStarttls(world: MailWorld): Promise<ClientSession> {
  const { insideTls } = world.intent.read('client', 'insideTls')
  const session = await open(world)
  if (!insideTls) return session
  await session.greet()
  await getIntoTls(session)
  return session
}

/** A server may guard one mechanism and forget the other. */
async function logIn(world: MailWorld): Promise<void> {
  for (const mechanism of ['PLAIN', 'LOGIN'] as const)
    for (const password of ['right', 'wrong'] as const)
      world.happened.logins.push({ mechanism, password, ...(await loggedIn(world, password, mechanism)) })
}

async function loggedIn(
  world: MailWorld,
  ...as: ['right' | 'wrong', Mechanism]
): Promise<Omit<Login, 'mechanism' | 'password'>> {
  const said = world.intent.read('client', 'tls', 'beginsWithTls', 'maxVersion')
  const { hostname } = world.flow
  const tls = said.maxVersion
    ? await clientTls({
        behaviour: { tls: 'uses', maxVersion: said.maxVersion },
        hostname,
        pki: world.run.pki,
      })
    : undefined
  try {
    const session = await open(world, said.beginsWithTls ? 'submissions' : 'submission', tls)
    await session.greet()
    if (!said.tls && !said.beginsWithTls) {
      await getIntoTls(session)
      await session.greet()
    }
    const reply = await session.login(...as)
    const { version } = session.seen().conversation.handshake ?? {}
    session.close()
    return { reply, ...(version ? { version } : {}) }
  } catch (error) {
    if (!(error instanceof WireError && error.breakdown === 'handshake failure')) throw error
    world.happened.acted = true
    return { reply: undefined, failed: error.message }
  }
}

const saying = (command: string) => async (world: MailWorld) => {
  world.happened.command = command
  if (command === 'RCPT') world.needsRecipient()
  const { tls } = world.intent.read('client', 'tls')
  const session = await open(world)
  if (!tls) {
    await session.greet()
    await getIntoTls(session)
  }
  if (command !== 'EHLO') await session.greet()
  const whole: Record<string, string> = {
    EHLO: session.ehlo,
    MAIL: session.mail,
    RCPT: session.rcpt,
    VRFY: 'VRFY inbox',
  }
  await session.say(whole[command] ?? command)
}

type Act = (world: MailWorld) => Promise<unknown>

/** What a client does in a session, in the words of the features. */
const ACTS: Record<string, Act> = {
  'greets the gateway': async world => (await openForStarttls(world)).greet(),
  'starts TLS': startTls,
  'begins a message inside TLS': beginInside,
  'logs in with the right password and with a wrong one': logIn,
  'says STARTTLS': async world => {
    world.happened.command = 'STARTTLS'
    const session = await openForStarttls(world)
    await session.greet()
    await session.say('STARTTLS')
  },
  ...Object.fromEntries(
    ['MAIL', 'RCPT', 'VRFY', 'RSET', 'EHLO', 'NOOP', 'QUIT'].map(command => [
      `says ${command}`,
      saying(command),
    ]),
  ),
}
words('act', ACTS)

/** Where the gateway refuses for now, the client comes again from the same domain. Gives what was seen in the end. */
async function actAgain(world: MailWorld, act: Act): Promise<Session[]> {
  const { happened, servers } = world
  const attempt = async () => {
    for (const client of happened.clientSessions.splice(0)) {
      client.close()
      happened.conversations.push(client.seen().conversation)
    }
    happened.logins.splice(0)
    await act(world)
    return happened.clientSessions.map(client => client.seen())
  }
  const to = (await servers.gateway())[act === logIn ? 'submission' : 'inbound']
  return (await comeAgain(to, attempt, sessions => sessions.some(isWorthAnotherTry))).last
}

When('the client {act}', async function (this: MailWorld, act: Act) {
  if (act === logIn) {
    this.needs('submission')
    const { tls, beginsWithTls } = this.intent.read('client', 'tls', 'beginsWithTls')
    if (beginsWithTls) this.needs('implicit-tls')
    if (tls && this.run.gateways.source.kind === 'external')
      throw new Inapplicable(
        'the password of a gateway that the suite did not start is sent inside TLS alone',
      )
  }
  const sessions = await actAgain(this, act)
  const declined = sessions.map(session => session.declined).find(Boolean)
  if (declined) throw new Inapplicable(`the gateway need not take it so: ${declined}`)
})

type Judgement = (session: Session) => Observation

const OFFERS: Record<string, Judgement> = {
  'is offered as a bare keyword': bareStarttls,
  'is not offered': starttlsNotOffered,
  'is not offered or is refused with 454': notOfferedOrRefused,
}
words('offer', OFFERS)

Then('STARTTLS {offer}', function (this: MailWorld, judgement: Judgement) {
  return this.conclude(judgement(this.happened.session))
})

Then('the TLS handshake succeeds', function (this: MailWorld) {
  return this.conclude(handshakeSucceeds(this.happened.session))
})

/** What a reply can be, in the words of the features. */
const REPLIES: Record<string, (session: Session, command: string) => Observation> = {
  'a success': (session, command) => replyOfKind(session, command, '2'),
  'a permanent refusal': (session, command) => replyOfKind(session, command, '5'),
  '501': (session, command) => replyWith(session, command, 501),
  '530 with status 5.7.0': (session, command) => replyWith(session, command, 530, '5.7.0'),
}
words('reply', REPLIES)

Then('the reply is {reply}', function (this: MailWorld, judgement: (typeof REPLIES)[string]) {
  return this.conclude(judgement(this.happened.session, this.happened.command))
})

words<('2' | '4' | '5')[]>('taken', { accepted: ['2'], refused: ['4', '5'] })

Then('the recipient is {taken}', function (this: MailWorld, kinds: ('2' | '4' | '5')[]) {
  return this.conclude(replyOfKind(this.happened.session, 'RCPT', ...kinds))
})
