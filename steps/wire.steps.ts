import { Then } from '@cucumber/cucumber'
import {
  greetedAgain,
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
  waitedForAnswer,
} from '../support/judgements/wire.ts'
import { greets } from '../support/wire/smtp/greeting.ts'
import type { MailWorld } from './world.ts'

Then('nothing of it crossed the wire in clear', function (this: MailWorld) {
  return this.concludeOnWire(wire => nothingInClear(wire, this.only.message.token))
})

Then('only the greeting, EHLO and STARTTLS crossed the wire in clear', function (this: MailWorld) {
  const { token } = (this.handover ?? this.only).message
  return this.concludeOnWire(wire => onlyGreetingInClear(wire, token))
})

Then('no MAIL command was sent before TLS', function (this: MailWorld) {
  return this.concludeOnWire(noMailBeforeTls)
})

Then('no MAIL command was sent at all', function (this: MailWorld) {
  return this.concludeOnWire(noMail)
})

Then('it took a single connection', function (this: MailWorld) {
  return this.concludeOnWire(singleConnection)
})

Then('the first bytes after the go-ahead were a ClientHello', function (this: MailWorld) {
  return this.concludeOnWire(handshakeFirst)
})

Then('no command followed the broken handshake on its connection', function (this: MailWorld) {
  return this.concludeOnWire(nothingButHandshake)
})

Then('the gateway greeted again and used nothing that was offered in clear', function (this: MailWorld) {
  return this.concludeOnWire(wire => greetedAgain(wire, this.gone))
})

Then('STARTTLS was not used again', function (this: MailWorld) {
  return this.concludeOnWire(startedOnce)
})

Then('the gateway waits for the answer inside TLS', async function (this: MailWorld) {
  const alive = await greets((await this.gateway()).submission)
  return this.concludeOnWire(wire => waitedForAnswer(wire, { smuggled: this.smuggled, alive }))
})

Then('the gateway offered TLS 1.2 or newer only', function (this: MailWorld) {
  return this.concludeOnWire(offersNew)
})

Then('no TLS session was made with an older version than TLS 1.2', function (this: MailWorld) {
  return this.concludeOnWire(noOldSession)
})

Then('no later handshake offered a lower version', function (this: MailWorld) {
  return this.concludeOnWire(noLowerOffer)
})
