import { Given, When } from '@cucumber/cucumber'
import type { Interference } from '../support/lab/lab.ts'
import { SECOND_SERVER_KINDS, type SecondServerKind } from '../support/mailflow/capabilities.ts'
import { STATIC_RSA } from '../support/wire/tls/tls-names.ts'
import { receiveFromSecondServer } from './act.ts'
import { Inapplicable } from './outcome.ts'
import { words } from './vocabulary/parameters.ts'
import type { Subjects } from './vocabulary/subjects.ts'
import type { MailWorld } from './world.ts'

words('kind', Object.fromEntries(SECOND_SERVER_KINDS.map(kind => [kind, kind])))

Given('the second server is of {kind}', function (this: MailWorld, kind: SecondServerKind) {
  this.needs(kind === 'the same kind' ? 'pair' : 'mixed-pair')
  this.intent.add('secondServer', { kind })
})

/** Between the servers of a service TLS is required in both directions. */
Given('the gateway and the second server belong to one service', function (this: MailWorld) {
  this.needs('pair')
  if (this.role === 'sender' && this.flow.outbound.every(({ tls }) => tls === 'opportunistic'))
    throw new Inapplicable('the gateway has no outbound connector that requires TLS')
  this.change('belongs to a service')
})

Given('the service uses only TLS 1.2', function (this: MailWorld) {
  this.change('speaks TLS 1.2 and nothing newer')
})

Given('the service uses only key exchange with forward secrecy', function (this: MailWorld) {
  this.change('uses key exchange with forward secrecy alone')
})

/** What somebody does at the tap, in the words of the features. */
const INTERFERENCES: Record<string, Interference> = {
  'removes STARTTLS': { faults: { stripsStarttls: true } },
  'overwrites the go-ahead': { faults: { corruptsGoAhead: true } },
  'resets the connection at the ClientHello': { faults: { cutsAfter: 'ClientHello' } },
  'resets the connection at the ServerHello': { faults: { cutsAfter: 'ServerHello' } },
  'shows a certificate of its own': { faults: { swapsTls: true }, tls: { presents: ['self-signed'] } },
  'offers only TLS 1.1': { faults: { swapsTls: true }, tls: { maxVersion: 'TLSv1.1' } },
  'offers only key exchange by RSA': {
    faults: { swapsTls: true },
    tls: { maxVersion: 'TLSv1.2', suites: [...STATIC_RSA], followsSender: true },
  },
}

/** The direction of the mail, seen from the gateway, and the connections on which somebody interferes. */
const WHERE: Record<string, (does: Interference) => Partial<Subjects['tap']>> = {
  '': does => ({ always: does }),
  ' from incoming mail': does => ({ in: does }),
  ' from outgoing mail': does => ({ out: does }),
  ' on the first connection': does => ({ out: { ...does, times: 1 } }),
}

words(
  'interference',
  Object.fromEntries(
    Object.entries(INTERFERENCES).flatMap(([what, does]) =>
      Object.entries(WHERE).map(([where, place]) => [what + where, { what, ...place(does) }]),
    ),
  ),
)

Given(
  'the tap {interference}',
  function (this: MailWorld, { what, ...does }: { what: string } & Partial<Subjects['tap']>) {
    // Only a gateway that validates certificates can notice that the tap shows its own.
    if (what === 'shows a certificate of its own') this.needs('domain-validation')
    // Only a gateway that requires TLS of the second server refuses an unencrypted message.
    if (what === 'removes STARTTLS' && this.role === 'receiver' && (does.always ?? does.in))
      this.needs('inbound-required')
    this.intent.add('tap', does)
  },
)

When('the second server sends a message to the gateway', async function (this: MailWorld) {
  await receiveFromSecondServer(this)
})
