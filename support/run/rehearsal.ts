import type { Sent } from '../evidence/sent.ts'
import { CommandFailure } from '../gateway/commands/command.ts'
import type { Gateway } from '../gateway/gateway.ts'
import { arrivesOverTls, staysQueued } from '../judgements/outbound.ts'
import { eachArrivedOnce, showsChange } from '../judgements/transition.ts'
import type { Behaviour } from '../lab/partner/behaviour.ts'
import type { Partner } from '../lab/partner/partner.ts'
import { CHANGES, type ChangeName, changed } from '../mailflow/changes.ts'
import { forLevel, NoConnector } from '../mailflow/connectors.ts'
import { OUTBOUND_LEVELS, type OutboundConnector, type OutboundLevel } from '../mailflow/mail-flow.ts'
import type { AuthorityName } from '../pki/flaws.ts'
import { compose } from '../traffic/message.ts'
import { sendAndWatch, type WatchedMessage } from '../traffic/sending.ts'
import { all, type Observation } from '../verdicts/observation.ts'
import { MAX_WAIT } from '../wire/patience.ts'
import { until } from '../wire/until.ts'
import { deliverThroughChange } from './certificate-change.ts'
import type { Run } from './run.ts'

/** One state of a change of authority at the other side, and what the gateway trusts meanwhile. */
export interface Phase {
  name: string
  /** What is the case then, in a sentence. */
  what: string
  /** What the gateway is told, and the roots that it trusts then. */
  change: ChangeName
  roots: readonly AuthorityName[]
  /** The other side's certificate at its first connection, and at all others. */
  shows: readonly [first: AuthorityName, others: AuthorityName]
  /** What becomes of mail that requires a valid certificate, if the gateway does as it should. */
  validated: 'arrives' | 'waits'
}

const phase = (
  name: string,
  what: string,
  [change, ...roots]: [ChangeName, ...AuthorityName[]],
  shows: Phase['shows'],
  validated: Phase['validated'] = 'arrives',
): Phase => ({ name, what, change, roots, shows, validated })

const FORMER: [ChangeName, AuthorityName] = ['trusts the former root', 'former']
const BOTH: [ChangeName, AuthorityName, AuthorityName] = ['trusts both roots', 'former', 'new']
const NEW: [ChangeName, AuthorityName] = ['trusts the new root', 'new']

/** The plan of a change, in its order. The second phase is what happens to who has not prepared. EXO-TRN-02 to EXO-TRN-04. */
export const PHASES: readonly Phase[] = [
  phase(
    'before',
    'The other side shows its former certificate, and the gateway trusts the former root.',
    FORMER,
    ['former', 'former'],
  ),
  phase(
    'unprepared',
    'The other side shows its new certificate, and nobody has installed the new root.',
    FORMER,
    ['new', 'new'],
    'waits',
  ),
  phase(
    'overlap',
    'The gateway trusts both roots, and the other side still shows its former certificate.',
    BOTH,
    ['former', 'former'],
  ),
  phase(
    'roll-out',
    'Some front ends of the other side show the former certificate, and some the new one.',
    BOTH,
    ['former', 'new'],
  ),
  phase('after', 'The other side shows its new certificate everywhere.', BOTH, ['new', 'new']),
  phase('clean-up', 'The former root is removed from the trusted roots of the gateway.', NEW, ['new', 'new']),
]

/** What became of one message in a phase. `asPlanned` is absent where that is not known. */
export interface RehearsedMail {
  phase: string
  /** The pattern of the connector, and what it requires. */
  connector: string
  level: OutboundLevel
  /** What the other side shows. */
  certificate: AuthorityName
  /** The message is the one that waited in an earlier phase. */
  waited?: true
  fate: 'over TLS' | 'unencrypted' | 'waits' | 'returned' | 'unknown'
  detail: string
  asPlanned?: boolean
}

/** What became of the mail that came in while the gateway's own certificate was changed, or why that was not tried. */
export type RehearsedChange = { messages: number; detail: string; asPlanned?: boolean } | { notTried: string }

export interface Rehearsal {
  mails: RehearsedMail[]
  /** Why no mail was sent, or nothing. */
  notSent?: string
  ownCertificate: RehearsedChange
  milliseconds: number
}

export interface RehearsalOptions {
  /** Called before each phase. */
  began?: (phase: Phase, number: number) => void
  /** Makes somebody install the roots of a phase; absent where the gateway is told so itself. */
  install?: (phase: Phase, number: number) => Promise<void>
  /** Called for each message. */
  seen?: (mail: RehearsedMail) => void
}

/** Walks a gateway through all phases, with the suite as the other side. Throws GatewayFailure. */
export async function rehearse(run: Run, options: RehearsalOptions = {}): Promise<Rehearsal> {
  const began = performance.now()
  const { source } = run.gateways
  const notSent = source.untested?.('sender')
  const mails = notSent === undefined ? await sentInAllPhases(run, options) : []
  return {
    mails,
    ...(notSent === undefined ? {} : { notSent }),
    ownCertificate: await ownCertificate(run).catch((error: unknown): RehearsedChange => {
      // What became of the mail is worth telling all the same.
      if (!(error instanceof CommandFailure)) throw error
      return { notTried: error.message }
    }),
    milliseconds: Math.round(performance.now() - began),
  }
}

/** A message that the gateway keeps, until the root is there that it needs. */
interface Waiting {
  connector: OutboundConnector
  partner: Partner
  watched: WatchedMessage
}

/** The same gateway throughout, so that its queue outlives the phases. */
async function sentInAllPhases(
  run: Run,
  { began, install, seen }: RehearsalOptions,
): Promise<RehearsedMail[]> {
  const mails: RehearsedMail[] = []
  const note = (mail: RehearsedMail) => {
    mails.push(mail)
    seen?.(mail)
  }
  const connectors = OUTBOUND_LEVELS.map(level => forLevel(run.flow, level)).filter(
    (found): found is OutboundConnector => !(found instanceof NoConnector),
  )
  const waiting: Waiting[] = []
  const turn = await run.gateways.turn([], true)
  const { gateway } = turn
  let has: ChangeName | undefined
  try {
    for (const [i, phase] of PHASES.entries()) {
      began?.(phase, i + 1)
      if (install) await install(phase, i + 1)
      else if (phase.change !== has)
        await gateway.change(await changed(gateway.flow, [CHANGES[phase.change]], run.pki))
      has = phase.change
      if (phase.roots.includes('new'))
        for (const one of waiting.splice(0)) note(await arrivesLate(one, phase, run, gateway))
      for (const connector of connectors) await sentIn(phase, connector, { run, gateway, note, waiting })
    }
    return mails
  } finally {
    for (const { partner } of waiting) run.lab.release(partner)
    turn.leave?.()
    await run.gateways.giveBack(gateway)
  }
}

interface Sending {
  run: Run
  gateway: Gateway
  note: (mail: RehearsedMail) => void
  waiting: Waiting[]
}

/** Where the front ends differ, one message for each certificate; otherwise one message. */
async function sentIn(
  phase: Phase,
  connector: OutboundConnector,
  { run, gateway, note, waiting }: Sending,
): Promise<void> {
  const { to, tls: level, tlsDomain } = connector
  const { lab, gateways } = run
  const [first, others] = phase.shows
  const shows = (authority: AuthorityName): Behaviour => ({ tls: { authority } })
  const domain = lab.freshDomain(to)
  const [partner] = await lab.partners([
    {
      domain,
      hosts: [first === others ? shows(first) : { times: 1, ...shows(first), always: shows(others) }],
      names: tlsDomain === undefined || tlsDomain.startsWith('*.') ? [] : [tlsDomain],
    },
  ])
  let keeps = false
  try {
    for (const [i, certificate] of [...new Set(phase.shows)].entries()) {
      const [watched] = await sendAndWatch({
        gateway,
        submission: run.submission(gateway),
        message: compose({ from: gateway.flow.sender, to: [`inbox${i + 1}@${domain}`] }),
        partners: [partner!],
      })
      const fate = fateOf(watched!.seen(), level, phase)
      note({ phase: phase.name, connector: to, level, certificate, ...fate })
      // Where each partner has an address of its own, it can stay until the gateway tries again.
      keeps = fate.fate === 'waits' && lab.room > OUTBOUND_LEVELS.length && !gateways.lacks('retry')
      if (keeps) waiting.push({ connector, partner: partner!, watched: watched! })
    }
  } finally {
    if (!keeps) lab.release(partner!)
  }
}

/** How long a message that waited may take when it is tried again, in ms. */
const LATE = 2 * MAX_WAIT

/** A message that waited for a root is there once the root is, and so is not lost. */
async function arrivesLate(
  { connector: { to, tls: level }, partner, watched }: Waiting,
  { name: phase }: Phase,
  { lab }: Run,
  gateway: Gateway,
): Promise<RehearsedMail> {
  try {
    await gateway.retry(partner.domain)
    await until(() => watched.arrivals.length > 0, [partner], LATE)
    const arrived = arrivesOverTls(watched.seen())
    const about = { phase, connector: to, level, certificate: 'new' as const, waited: true as const }
    if (arrived.kind === 'kept')
      return { ...about, fate: 'over TLS', detail: arrived.detail, asPlanned: true }
    const inClear = watched.arrivals.length > 0
    return inClear
      ? { ...about, fate: 'unencrypted', detail: arrived.detail, asPlanned: false }
      : {
          ...about,
          fate: 'waits',
          detail: `the message that waited did not arrive: ${arrived.detail}`,
          asPlanned: false,
        }
  } finally {
    lab.release(partner)
  }
}

const validates = (level: OutboundLevel): boolean =>
  level === 'certificate-validation' || level === 'domain-validation'

function fateOf(
  sent: Sent,
  level: OutboundLevel,
  { validated }: Phase,
): Pick<RehearsedMail, 'fate' | 'detail' | 'asPlanned'> {
  const plan = validates(level) ? validated : 'arrives'
  const arrived = arrivesOverTls(sent)
  if (arrived.kind === 'kept')
    return { fate: 'over TLS', detail: arrived.detail, asPlanned: plan === 'arrives' }
  if (sent.arrivals.length > 0) return { fate: 'unencrypted', detail: arrived.detail, asPlanned: false }
  const queued = staysQueued(sent)
  if (queued.kind === 'kept') return { fate: 'waits', detail: queued.detail, asPlanned: plan === 'waits' }
  const returned = sent.deliveryEvents.some(({ kind }) => kind === 'bounced')
  return returned
    ? { fate: 'returned', detail: queued.detail, asPlanned: false }
    : { fate: 'unknown', detail: queued.detail }
}

/** Where nobody can look into the mailbox. */
const NOT_MISSED = { missing: [], queued: [], doubled: [] }

/** The gateway's own certificate is changed while mail comes in. EXO-TRN-01. */
async function ownCertificate(run: Run): Promise<RehearsedChange> {
  const { source } = run.gateways
  const change = CHANGES['shows a certificate of the former authority']
  const not = source.untested?.('receiver') ?? source.recipientUnknown ?? source.refuses?.(change)
  if (not !== undefined) return { notTried: not }
  const turn = await run.gateways.turn([change], true)
  try {
    const { stream, arrivals } = await deliverThroughChange(run, turn.gateway, { changes: true })
    const seen = all(eachArrivedOnce(stream, arrivals ?? NOT_MISSED), showsChange(stream))
    if (!arrivals && seen.kind === 'kept')
      return {
        messages: stream.accepted.length,
        detail: `${showsChange(stream).detail}; whether all ${stream.accepted.length} messages arrived is not known, because no mailbox is named`,
      }
    return { messages: stream.accepted.length, detail: seen.detail, ...planned(seen) }
  } finally {
    turn.leave?.()
    await run.gateways.giveBack(turn.gateway)
  }
}

const planned = ({ kind }: Observation): { asPlanned?: boolean } =>
  kind === 'unclear' ? {} : { asPlanned: kind === 'kept' }

/** 0: all went as planned; 1: something did not; 2: nothing can be said. */
export function exitOf({ mails, ownCertificate }: Rehearsal): 0 | 1 | 2 {
  const outcomes = [...mails, ...('notTried' in ownCertificate ? [] : [ownCertificate])]
  if (outcomes.some(({ asPlanned }) => asPlanned === false)) return 1
  return outcomes.some(({ asPlanned }) => asPlanned) ? 0 : 2
}
