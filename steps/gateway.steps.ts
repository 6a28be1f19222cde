import { X509Certificate } from 'node:crypto'
import { Given, Then, When } from '@cucumber/cucumber'
import type { Session } from '../support/evidence/session.ts'
import { asOn, oldTlsOn, REMOVED_ON } from '../support/judgements/calendar.ts'
import { doesAsCheckSays } from '../support/judgements/checks.ts'
import { claimsNothingBehindPartner } from '../support/judgements/hops.ts'
import {
  accepts,
  acceptsUnencrypted,
  asksForCertificate,
  notTaken,
  refuses,
  refusesHandshake,
  refusesWithoutTls,
} from '../support/judgements/inbound.ts'
import { isFitForServer, isForOwnName, isWithinItsDates } from '../support/judgements/own-certificate.ts'
import {
  ownReceivedLineIsTrue,
  receivedLineIsTrue,
  receivedLineTraces,
} from '../support/judgements/received-lines.ts'
import { CAUSES, type Cause } from '../support/judgements/revocation.ts'
import { ofRoots } from '../support/judgements/roots.ts'
import {
  type AsService,
  differsIn,
  hasAttribute,
  isAsIn,
  isForAllCustomers,
  isNotAsIn,
} from '../support/judgements/service-certificate.ts'
import {
  answersInOrder,
  chainLeadsToRoot,
  forgetsGreeting,
  nothingTookEffect,
  passwordsRefusedAlike,
  refusesUsersTls,
  rightPasswordAlone,
  takesMessage,
} from '../support/judgements/session.ts'
import { eachArrivedOnce, showsChange, showsThroughout } from '../support/judgements/transition.ts'
import { waitedForReply } from '../support/judgements/wire.ts'
import type { ChangeName } from '../support/mailflow/changes.ts'
import { SERVICE_TEXTS, type ServiceText } from '../support/mailflow/mail-flow.ts'
import { certificatesIn } from '../support/pki/chain.ts'
import { standingOf } from '../support/pki/store.ts'
import { deliverThroughChange } from '../support/run/certificate-change.ts'
import type { Observation } from '../support/verdicts/observation.ts'
import {
  judgeAsked,
  judgeByStatusCheck,
  judgeCause,
  judgeFewRequests,
  judgeNotAsked,
  judgeWarned,
} from './authority.steps.ts'
import type { Happened } from './happened.ts'
import { judgeTellsWhichHadTls } from './log.steps.ts'
import { Inapplicable, NO_MAILBOX } from './outcome.ts'
import { type Distributed, type Installed, version, words } from './vocabulary/parameters.ts'
import type { MailWorld } from './world.ts'

/** How the gateway is told otherwise than usual, in the words of the features. */
const TOLD: Record<string, ChangeName> = {
  'trusts only the former root': 'trusts the former root',
  'trusts both roots': 'trusts both roots',
  'trusts only the new root': 'trusts the new root',
  'trusts both roots of the service': 'trusts both roots of the service',
  'gives up after 3 attempts': 'gives up after 3 attempts',
  'requires TLS of every client': 'requires TLS of every client',
  'expects the new name in the certificate of this server': 'expects another name of its relay',
  'has lost its certificate': 'has lost its certificate',
  'requires the status of certificates': 'requires the status of certificates',
  'shows a certificate of the former authority': 'shows a certificate of the former authority',
  'is set up to use only what the guidelines of governments allow':
    'uses only what the guidelines of governments allow',
  'shows the former certificate of the service': 'still shows the certificate before',
  'shows a certificate with another root': 'shows a certificate with another root',
  'shows a certificate with another name': 'shows a certificate with another name',
  'shows a certificate with another organisation': 'shows a certificate with another organisation',
  'shows a certificate with another unit': 'shows a certificate with another unit',
  'shows a certificate with another key': 'shows a certificate with another key',
}
words('change', TOLD)

Given('the gateway {change}', function (this: MailWorld, change: ChangeName) {
  this.change(change)
})

Given(
  'the administrator installs {installed} before the second attempt',
  function (this: MailWorld, installs: Installed) {
    if ('among' in installs && this.run.gateways.source.kind === 'external')
      throw new Inapplicable('the suite has no key for the certificates of a gateway that it did not start')
    this.intent.add('gateway', { installs })
  },
)

Given(
  "the gateway's machine fetches {distributed} as trusted roots before the second attempt",
  function (this: MailWorld, fetches: Distributed) {
    if (this.run.gateways.source.kind === 'external')
      throw new Inapplicable("the suite does not know how the gateway's machine gets its trusted roots")
    this.intent.add('gateway', { fetches })
  },
)

/** Which texts describe the service. */
words<{ texts: readonly ServiceText[]; day?: string }>('service', {
  'the service': { texts: SERVICE_TEXTS },
  'the service of 2018': { texts: ['exchange-online-2018'] },
  'the service of today': { texts: ['exchange-online-current'] },
  ...Object.fromEntries(
    ['2018-10-30', '2018-10-31', '2021-01-10', REMOVED_ON].map(day => [
      `the service of ${day}`,
      { texts: [oldTlsOn(day) === 'removed' ? 'exchange-online-2021' : 'exchange-online-2018'], day },
    ]),
  ),
})

Given(
  'the gateway stands in for {service}',
  function (this: MailWorld, { texts, day }: { texts: readonly ServiceText[]; day?: string }) {
    this.needsService(texts)
    this.happened.day = day
  },
)

Given(
  'the gateway has sent the partner a message before, for which TLS is optional',
  function (this: MailWorld) {
    this.intent.add('gateway', { resumable: true })
  },
)

Given('the gateway logs its TLS sessions', function (this: MailWorld) {
  this.needs('session-log')
})

Given(
  'the gateway gets a certificate of the new authority while the client delivers messages',
  function (this: MailWorld) {
    this.intent.add('gateway', { certificateChanges: true })
  },
)

When('the client delivers one message after another', async function (this: MailWorld) {
  const { certificateChanges } = this.intent.read('gateway', 'certificateChanges')
  this.needsRecipient()
  this.needsMailbox()
  const gateway = await this.servers.gatewayOfOwn()
  this.happened.acted = true
  const { stream, arrivals } = await deliverThroughChange(this.run, gateway, {
    changes: certificateChanges === true,
  })
  this.happened.stream = stream
  this.happened.arrivals = arrivals
})

Then('every message arrives exactly once', function (this: MailWorld) {
  return this.conclude(eachArrivedOnce(this.happened.stream!, this.happened.arrivals!))
})

Then('every session shows the former certificate within its validity', function (this: MailWorld) {
  return this.conclude(showsThroughout(this.happened.stream!, 'former'))
})

Then(
  'sessions show the former certificate before the change and the new one afterwards, within their validity',
  function (this: MailWorld) {
    return this.conclude(showsChange(this.happened.stream!))
  },
)

type Reaction = (happened: Happened, world: MailWorld) => Observation | Promise<Observation>

const service =
  (judgement: (session: Session, about: AsService) => Observation): Reaction =>
  ({ session }, { servers }) =>
    judgement(session, servers.gatewaySeen.flow)

/** What a gateway that stands in for the service shows. */
const OF_SERVICE: Record<string, Reaction> = {
  ...Object.fromEntries(
    (['root', 'name', 'organisation', 'unit', 'key'] as const).flatMap(attribute => [
      [`has the published ${attribute} in its certificate`, service(hasAttribute(attribute))],
      [`has the former ${attribute} in its certificate`, service(hasAttribute(attribute, 'former'))],
      [
        `has a certificate that differs from the published one only in the ${attribute}`,
        service(differsIn(attribute)),
      ],
    ]),
  ),
  'has all published attributes in its certificate': service(isAsIn('published')),
  'has a certificate with all attributes of the former one': service(isAsIn('former')),
  'has a certificate that differs from the former one': service(isNotAsIn('former')),
  'has a certificate that differs from the published one': service(isNotAsIn('published')),
  'has a certificate for the mail exchangers of all customers, and for no name a label deeper':
    service(isForAllCustomers),
}

/** Whether the gateway trusts the partner's root just as `mail-tls roots` says of what the gateway has as trusted roots. */
async function judgeByCheck({ only }: Happened, { servers, intent, run }: MailWorld): Promise<Observation> {
  const { gatewaySeen } = servers
  const store = (await gatewaySeen.trusted?.()) ?? gatewaySeen.flow.trust.join('')
  const { always } = intent.read('partner', 'always')
  const root = new X509Certificate(await run.pki.root(always?.tls?.authority))
  const place = 'the trusted roots of the gateway'
  const standing = standingOf(root, { place, certificates: certificatesIn(Buffer.from(store)) })
  return doesAsCheckSays(ofRoots(standing), only)
}

/** What the gateway can do with what comes to it, in the words of the features. */
const REACTIONS: Record<string, Reaction> = {
  'accepts the message': ({ delivered }) => accepts(delivered),
  'accepts the incoming message over TLS': ({ delivered }) => accepts(delivered, { tls: true }),
  'accepts the unencrypted message': ({ delivered }) => acceptsUnencrypted(delivered),
  'accepts the message over TLS': ({ delivered }) => accepts(delivered, { tls: true }),
  ...Object.fromEntries(
    ['TLS 1.0', 'TLS 1.1', 'TLS 1.2', 'TLS 1.3'].map(text => [
      `accepts the message over ${text}`,
      ({ delivered }: Happened) => accepts(delivered, { version: version(text) }),
    ]),
  ),
  'asks the authority of the partner for the status of its certificate': (_, world) => judgeAsked(world),
  'sends the message only if the check finds the status of the certificate': (_, world) =>
    judgeByStatusCheck(world),
  ...Object.fromEntries(
    (Object.keys(CAUSES) as Cause[]).map(cause => [
      `names the cause that the check finds: ${cause}`,
      (_: Happened, world: MailWorld) => judgeCause(world, cause),
    ]),
  ),
  'asks the authority only a few times': (_, world) => judgeFewRequests(world),
  'warns in its log that the status is not known': (_, world) => judgeWarned(world),
  'tells in its log of TLS in just the sessions that had it': (_, world) => judgeTellsWhichHadTls(world),
  'asks nobody for the status of the certificate': (_, world) => judgeNotAsked(world),
  ...OF_SERVICE,
  'trusts the root of the partner only if the check of its trusted roots finds it': judgeByCheck,
  'refuses the message': ({ delivered, alive }) => refuses(delivered, alive),
  'refuses the incoming message because TLS is missing': ({ delivered }) => refusesWithoutTls(delivered),
  'refuses the message because TLS is missing': ({ delivered }) => refusesWithoutTls(delivered),
  'treats TLS 1.1 as the service did on that day': ({ delivered, alive, day }) =>
    asOn(day!, {
      used: accepts(delivered, { version: 'TLSv1.1' }),
      gone: refusesHandshake(delivered, alive),
    }),
  'refuses the TLS handshake': ({ delivered, alive }) => refusesHandshake(delivered, alive),
  "asks for the client's certificate": ({ delivered }) => asksForCertificate(delivered),
  'accepts the unencrypted message on the same connection': ({ session }) => takesMessage(session),
  'answers MAIL as it answers a client that never greeted': ({ clientSessions }) =>
    forgetsGreeting(clientSessions.map(one => one.seen())),
  'answers each command inside TLS once': ({ session }) => answersInOrder(session),
  'executes nothing inside TLS that was injected before': ({ session, alive }) =>
    nothingTookEffect(session, alive),
  'accepts only the right password': ({ logins }, { run }) =>
    rightPasswordAlone(logins, { isOurs: run.gateways.source.kind !== 'external' }),
  'refuses the TLS of users': ({ logins }) => refusesUsersTls(logins),
  'refuses both passwords alike': ({ logins }) => passwordsRefusedAlike(logins),
  'claims no protection behind the next server': ({ only, passedOn }, { servers: { gatewaySeen } }) =>
    claimsNothingBehindPartner(only, {
      passedOn,
      flow: gatewaySeen.flow,
      log: gatewaySeen.log(only.partner.domain),
    }),
}
words('reaction', REACTIONS)

Then('the gateway {reaction}', async function (this: MailWorld, reaction: Reaction) {
  return this.conclude(await reaction(this.happened, this))
})

Then('the gateway takes no reply that came unencrypted', function (this: MailWorld) {
  const smuggled = this.happened.injectedByPartner === 'reply' ? 'answer' : 'line'
  return this.concludeOnWire(wire => waitedForReply(wire, { smuggled, alive: this.happened.alive }))
})

Then("the gateway's certificate is within its dates", function (this: MailWorld) {
  return this.conclude(isWithinItsDates(this.happened.session))
})

Then("the gateway's certificate is for the gateway's own name", function (this: MailWorld) {
  return this.conclude(isForOwnName(this.happened.session, this.flow.hostname))
})

Then("the gateway's certificate is fit for a server", function (this: MailWorld) {
  return this.conclude(isFitForServer(this.happened.session))
})

Then("the gateway's certificate chain leads to a root that the client trusts", function (this: MailWorld) {
  return this.conclude(chainLeadsToRoot(this.happened.session))
})

/** What the line can say, in the words of the features. */
words<(world: MailWorld) => Observation>('line', {
  'agrees with the wire': receivedLine,
  'says from whom and when the message came, and whether over TLS': ({
    happened: { delivered, arrived },
  }) => {
    if (!arrived) throw new Inapplicable(NO_MAILBOX)
    return receivedLineTraces(delivered, arrived.mails[0])
  },
})

Then(
  "the gateway's Received line {line}",
  function (this: MailWorld, judgement: (world: MailWorld) => Observation) {
    return this.conclude(judgement(this))
  },
)

function receivedLine({ happened, servers }: MailWorld): Observation {
  const { sent, arrived } = happened
  const { flow } = servers.gatewaySeen
  const [first] = sent
  if (first) return ownReceivedLineIsTrue(first.arrivals[0]?.content, flow, first.submission)
  if (!arrived) throw new Inapplicable(NO_MAILBOX)
  const [mail] = arrived.mails
  return servers.hasSecondServer
    ? (notTaken(happened.delivered) ??
        ownReceivedLineIsTrue(mail?.content, flow, happened.delivered.conversations.at(-1)))
    : receivedLineIsTrue(happened.delivered, mail)
}
