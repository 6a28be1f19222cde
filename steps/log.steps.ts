import { defineParameterType, Then } from '@cucumber/cucumber'
import { logSays, SESSION_CLASSES, type SessionClass } from '../support/verdicts/judgements/log.ts'
import type { MailWorld } from './world.ts'

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
    const words = gateway.sessions(this.handover ? (this.senderDomain ?? '') : this.only.partner.domain)
    this.notes.push(...words.map(({ line }) => line))
    return this.conclude(logSays(words, expected, this.wire))
  },
)
