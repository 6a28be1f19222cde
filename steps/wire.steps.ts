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
} from '../support/verdicts/judgements/wire.ts'
import type { MailWorld } from './world.ts'

Then('nothing of it crossed the wire in clear', function (this: MailWorld) {
  return this.conclude(nothingInClear(this.wire, this.only.message.token))
})

Then('only the greeting, EHLO and STARTTLS crossed the wire in clear', function (this: MailWorld) {
  const { token } = (this.handover ?? this.only).message
  return this.conclude(onlyGreetingInClear(this.wire, token))
})

Then('no MAIL command was sent before TLS', function (this: MailWorld) {
  return this.conclude(noMailBeforeTls(this.wire))
})

Then('no MAIL command was sent at all', function (this: MailWorld) {
  return this.conclude(noMail(this.wire))
})

Then('it took a single connection', function (this: MailWorld) {
  return this.conclude(singleConnection(this.wire))
})

Then('the first bytes after the go-ahead were a ClientHello', function (this: MailWorld) {
  return this.conclude(handshakeFirst(this.wire))
})

Then('no command followed the broken handshake on its connection', function (this: MailWorld) {
  return this.conclude(nothingButHandshake(this.wire))
})

Then('the gateway greeted again and used nothing that was offered in clear', function (this: MailWorld) {
  return this.conclude(greetedAgain(this.wire, this.gone))
})

Then('STARTTLS was not used again', function (this: MailWorld) {
  return this.conclude(startedOnce(this.wire))
})

Then('the gateway waits for the answer inside TLS', function (this: MailWorld) {
  return this.conclude(waitedForAnswer(this.wire, this.smuggled))
})

Then('the gateway offered TLS 1.2 or newer only', function (this: MailWorld) {
  return this.conclude(offersNew(this.wire))
})

Then('no TLS session was made with an older version than TLS 1.2', function (this: MailWorld) {
  return this.conclude(noOldSession(this.wire))
})

Then('no later handshake offered a lower version', function (this: MailWorld) {
  return this.conclude(noLowerOffer(this.wire))
})
