import { defineParameterType, Then } from '@cucumber/cucumber'
import { logSays, SESSION_CLASSES, type SessionClass } from '../support/judgements/log.ts'
import { until } from '../support/wire/until.ts'
import type { MailWorld } from './world.ts'

/** A log may tell a moment after what it tells of; how long it is waited for, in ms. */
const LOG = 2_000

defineParameterType({
  name: 'session',
  regexp: new RegExp(SESSION_CLASSES.join('|')),
  transformer: (text: string) => text as SessionClass,
  useForSnippets: false,
})

Then(
  "the gateway's log calls the session {session}",
  async function (this: MailWorld, expected: SessionClass) {
    this.needs('session-log')
    const gateway = await this.gateway()
    const about = this.handover ? (this.senderDomain ?? '') : this.only.partner.domain
    const told = () => gateway.sessions(about).length > 0 || this.watched.some(({ word }) => word.length > 0)
    await until(told, [gateway], LOG)
    const words = gateway.sessions(about)
    this.notes.push(...words.map(({ line }) => line))
    return this.conclude(logSays(words, expected, this.wire))
  },
)
