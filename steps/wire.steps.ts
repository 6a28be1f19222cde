import { Then } from '@cucumber/cucumber'
import {
  breaksOff,
  breaksOffWithAlert,
  heedsMark,
  namesServer,
  offersNo,
  offersProtection,
  PARTS,
  type PartName,
} from '../support/judgements/client-hello.ts'
import { offersWithin } from '../support/judgements/guideline.ts'
import { showsNameAsClient } from '../support/judgements/service-certificate.ts'
import { showsBoth } from '../support/judgements/transition.ts'
import {
  greetedAgain,
  hadForwardSecrecy,
  handshakeFirst,
  leftWithQuit,
  noDelayBeforeMail,
  noLowerOffer,
  noMail,
  noMailBeforeTls,
  noOldSession,
  nothingButHandshake,
  nothingInClear,
  offersNoOldVersion,
  onlyGreetingInClear,
  singleConnection,
  startedOnce,
} from '../support/judgements/wire.ts'
import type { MailFlow } from '../support/mailflow/mail-flow.ts'
import type { Observation } from '../support/verdicts/observation.ts'
import type { Conversation } from '../support/wire/conversation.ts'
import type { Happened } from './happened.ts'
import { words } from './vocabulary/parameters.ts'
import type { MailWorld } from './world.ts'

type Shown = (wire: readonly Conversation[], happened: Happened, flow: MailFlow) => Observation

/** What the connections between the gateway and the other side can show, in the words of the features. */
const SHOWN: Record<string, Shown> = {
  'no unencrypted part of the message': (wire, { only }) => nothingInClear(wire, only.message.token),
  'only the greeting, EHLO and STARTTLS outside TLS': (wire, happened) =>
    onlyGreetingInClear(wire, (happened.handover ?? happened.only).message.token),
  'no MAIL command before TLS': noMailBeforeTls,
  'no MAIL command': noMail,
  'no session that ends without QUIT': leftWithQuit,
  'no delay before the MAIL command': noDelayBeforeMail,
  'a single connection': singleConnection,
  'a ClientHello right after the go-ahead': handshakeFirst,
  'no command after the failed handshake': nothingButHandshake,
  'a new EHLO inside TLS and no use of what was offered only before TLS': (
    wire,
    { extensionsBeforeTlsOnly },
  ) => greetedAgain(wire, extensionsBeforeTlsOnly),
  'no second STARTTLS': startedOnce,
  'no offer of a version older than TLS 1.2': offersNoOldVersion,
  'no TLS session older than TLS 1.2': noOldSession,
  'the published name in the certificate of the gateway': (wire, _, { service }) =>
    showsNameAsClient(wire, service),
  'certificates of the former and of the new authority': showsBoth,
  'no later handshake with a lower version': noLowerOffer,
  'a session with forward secrecy': hadForwardSecrecy,
  ...Object.fromEntries(
    Object.keys(PARTS).map(part => [
      `no offer of ${part}`,
      (wire: readonly Conversation[]) => offersNo(wire, part as PartName),
    ]),
  ),
  'no offer of versions and suites that NIST forbids': wire => offersWithin(wire, 'NIST-01'),
  'no offer of groups, signature algorithms and options that NIST forbids': wire =>
    offersWithin(wire, 'NIST-02'),
  'no offer of what BSI forbids': wire => offersWithin(wire, 'BSI-02'),
  'an offer of secure renegotiation and the extended master secret': offersProtection,
  'no server name but that of the mail exchanger or the domain': (wire, { only }) =>
    namesServer(wire, only.partner.domain),
  'that the gateway breaks the handshake off': breaksOff,
  'that the gateway breaks the handshake off with an alert': breaksOffWithAlert,
  'that the gateway breaks the handshake off with an alert, if it offers TLS 1.3': heedsMark,
}
words('shown', SHOWN)

Then('the wire shows {shown}', function (this: MailWorld, shown: Shown) {
  return this.concludeOnWire(wire => shown(wire, this.happened, this.flow))
})
