import { Then } from '@cucumber/cucumber'
import { secured } from '../support/evidence/facts.ts'
import {
  logAgreesWithWire,
  SESSION_CLASSES,
  type SessionClass,
  tellsWhichHadTls,
} from '../support/judgements/log.ts'
import { type Observation, unclear } from '../support/verdicts/observation.ts'
import { until } from '../support/wire/until.ts'
import { namesOf, sessionsAbout } from './earlier-mail.ts'
import { words } from './vocabulary/parameters.ts'
import type { MailWorld } from './world.ts'

/** A log may tell of a session a moment after its end; how long it is waited for, in ms. */
const LOG = 2_000

words<SessionClass>('sessionClass', Object.fromEntries(SESSION_CLASSES.map(one => [one, one])))

Then(
  "the gateway's log calls the session {sessionClass}",
  async function (this: MailWorld, expected: SessionClass) {
    const gateway = await this.servers.gateway()
    const { handover } = this.happened
    const about = handover ? [handover.message.from.split('@')[1]!] : namesOf(this.happened.only.partner)
    const words = () =>
      sessionsAbout(gateway, about, this.happened.earlierDomain)
        .slice(this.happened.saidBefore)
        .filter(one => this.role === 'receiver' || !one.incoming)
    const told = () =>
      words().length > 0 || this.happened.watched.some(({ deliveryEvents }) => deliveryEvents.length > 0)
    await until(told, [gateway], LOG)
    const said = words()
    this.happened.notes.push(...said.map(({ line }) => line))
    // Who delivers to an address, and looks up no name, cannot write one.
    if (this.role === 'sender' && said.length === 0 && this.run.lab.port === 0)
      return this.conclude(
        unclear('the log names no session with the partner, who has no address of its own'),
      )
    return this.conclude(logAgreesWithWire(said, expected, this.happened.wire))
  },
)

/** Whether the log tells of TLS in just the sessions with the partner that had it. */
export async function judgeTellsWhichHadTls(world: MailWorld): Promise<Observation> {
  const { happened } = world
  const gateway = await world.servers.gateway()
  const said = () => sessionsAbout(gateway, namesOf(happened.only.partner)).filter(one => !one.incoming)
  const had = new Set(happened.wire.filter(secured).map(({ id }) => id)).size
  const told = () =>
    said().length >= had && happened.watched.every(({ deliveryEvents }) => deliveryEvents.length > 0)
  await until(told, [gateway], LOG)
  happened.notes.push(...said().map(({ line }) => line))
  // Who delivers to an address, and looks up no name, cannot write one.
  if (said().length === 0 && world.run.lab.port === 0)
    return unclear('the log names no session with the partner, who has no address of its own')
  return tellsWhichHadTls(said(), happened.wire)
}
