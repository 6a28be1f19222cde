import { Then } from '@cucumber/cucumber'
import {
  greetedAgain,
  hadForwardSecrecy,
  handshakeFirst,
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
import type { Observation } from '../support/verdicts/observation.ts'
import type { Conversation } from '../support/wire/conversation.ts'
import type { Happened } from './happened.ts'
import { words } from './vocabulary/parameters.ts'
import type { MailWorld } from './world.ts'

type Shown = (wire: readonly Conversation[], happened: Happened) => Observation

/** What the connections between the gateway and the other side can show, in the words of the features. */
const SHOWN: Record<string, Shown> = {
  'no unencrypted part of the message': (wire, { only }) => nothingInClear(wire, only.message.token),
  'only the greeting, EHLO and STARTTLS outside TLS': (wire, happened) =>
    onlyGreetingInClear(wire, (happened.handover ?? happened.only).message.token),
  'no MAIL command before TLS': noMailBeforeTls,
  'no MAIL command': noMail,
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
  'no later handshake with a lower version': noLowerOffer,
  'a session with forward secrecy': hadForwardSecrecy,
}
words('shown', SHOWN)

Then('the wire shows {shown}', function (this: MailWorld, shown: Shown) {
  return this.concludeOnWire(wire => shown(wire, this.happened))
})
