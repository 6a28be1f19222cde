import { Then } from '@cucumber/cucumber'
import {
  greetedAgain,
  hadForwardSecrecy,
  handshakeFirst,
  noLowerOffer,
  noMail,
  noMailBeforeTls,
  noOldSession,
  nothingButHandshake,
  nothingInClear,
  offersNew,
  onlyGreetingInClear,
  singleConnection,
  startedOnce,
} from '../support/judgements/wire.ts'
import type { Observation } from '../support/verdicts/observation.ts'
import type { Conversation } from '../support/wire/conversation.ts'
import { words } from './vocabulary/parameters.ts'
import type { MailWorld } from './world.ts'

type Shown = (wire: readonly Conversation[], world: MailWorld) => Observation

/** What the connections between the gateway and the other side can show, in the words of the features. */
const SHOWN: Record<string, Shown> = {
  'no unencrypted part of the message': (wire, world) => nothingInClear(wire, world.only.message.token),
  'only the greeting, EHLO and STARTTLS outside TLS': (wire, world) =>
    onlyGreetingInClear(wire, (world.handover ?? world.only).message.token),
  'no MAIL command before TLS': noMailBeforeTls,
  'no MAIL command': noMail,
  'a single connection': singleConnection,
  'a ClientHello right after the go-ahead': handshakeFirst,
  'no command after the failed handshake': nothingButHandshake,
  'a new EHLO inside TLS and no use of what was offered before TLS': (wire, world) =>
    greetedAgain(wire, world.extensionsBeforeTlsOnly),
  'no second STARTTLS': startedOnce,
  'no offer of a version older than TLS 1.2': offersNew,
  'no TLS session older than TLS 1.2': noOldSession,
  'no later handshake with a lower version': noLowerOffer,
  'a session with forward secrecy': hadForwardSecrecy,
}
words('shown', SHOWN)

Then('the wire shows {shown}', function (this: MailWorld, shown: Shown) {
  return this.concludeOnWire(wire => shown(wire, this))
})
