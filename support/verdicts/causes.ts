import { commands, offersStarttls, secured, startedTls } from '../evidence/facts.ts'
import { counted, day, daysUntil } from '../quantities.ts'
import type { Conversation } from '../wire/conversation.ts'
import { spoken } from '../wire/tls/tls-names.ts'
import type { RecordedVerdict } from './recorded-verdict.ts'
import { ENDED_BY_ITSELF, isBroken, withoutReason } from './verdict.ts'

/** Why several examples came out as they did, in one sentence, so that nobody has to read them all to find it. */
export interface Cause {
  /** One of `CAUSES`. */
  id: string
  /** `lost` and `warning` are told whatever the exit status is. */
  kind: 'lost' | 'certificate' | 'finding' | 'warning'
  /** One sentence without a full stop: what the gateway does or has. */
  says: string
  /** What came of it, never empty. A verdict has one cause at most, except that a warning takes no verdict away. */
  verdicts: RecordedVerdict[]
}

type Found = Pick<Cause, 'says' | 'verdicts'>

interface Row {
  id: string
  kind: Cause['kind']
  /** What of these verdicts comes from the cause; nothing where the cause is not there. Pure. */
  find(verdicts: readonly RecordedVerdict[]): Found | undefined
}

/** A certificate that expires within so many days gets a warning. */
const SOON = 30

const isOpen = (one: RecordedVerdict): boolean => isBroken(one) || one.verdict === 'inconclusive'

/** What these verdicts show, with those of them that are open: what is kept needs no cause. */
const found = (says: string, verdicts: RecordedVerdict[]): Found | undefined =>
  verdicts.some(isOpen) ? { says, verdicts: verdicts.filter(isOpen) } : undefined

/** Connections on which the gateway was the client of a partner. */
const sent = ({ seen }: RecordedVerdict): Conversation[] =>
  seen.conversations.filter(({ gatewayIs }) => gatewayIs === 'sender')

/** Connections to the gateway that were to be used; none where the example is about mail that the gateway sends. */
const taken = (one: RecordedVerdict): Conversation[] =>
  sent(one).length > 0
    ? []
    : one.seen.conversations.filter(({ gatewayIs, crafted }) => gatewayIs === 'receiver' && !crafted)

/** What the Givens say, without the keyword. */
const given = ({ seen }: RecordedVerdict): string[] => {
  const until = seen.steps.findIndex(step => step.startsWith('When '))
  return seen.steps.slice(0, until < 0 ? undefined : until).map(step => step.replace(/^\w+ /, ''))
}

/** What the outbound connector asks for, in the words of the features; nothing where no Given names one. */
const demandOf = (one: RecordedVerdict): string | undefined => {
  for (const step of given(one)) {
    const [, demand] =
      /^an outbound connector that (uses opportunistic TLS|requires [a-z A-Z]+?|expects a certificate)(?: for |$)/.exec(
        step,
      ) ?? []
    if (demand !== undefined) return demand
  }
  return undefined
}
const OPPORTUNISTIC = 'uses opportunistic TLS'
const isForced = (one: RecordedVerdict): boolean => (demandOf(one) ?? OPPORTUNISTIC) !== OPPORTUNISTIC
const isValidated = (one: RecordedVerdict): boolean => /validation|expects/.test(demandOf(one) ?? '')

const says = (conversation: Conversation, verb: string, inside: boolean): boolean =>
  commands(conversation).some(one => one.verb === verb && one.secured === inside)

/** A message went to the partner: in the clear, or inside TLS. */
const wentInClear = (one: RecordedVerdict): boolean => sent(one).some(each => says(each, 'MAIL', false))
const wentInTls = (one: RecordedVerdict): boolean => sent(one).some(each => says(each, 'MAIL', true))

/** The gateway was at a partner, and no message went there. */
const leaves = (one: RecordedVerdict): boolean => sent(one).length > 0 && !wentInClear(one) && !wentInTls(one)

/** The reply to EHLO came in the clear. */
const hasGreeted = ({ events }: Conversation): boolean =>
  events.some(
    (event, at) =>
      event.kind === 'command' &&
      event.verb === 'EHLO' &&
      !event.secured &&
      events.slice(at + 1).find(({ kind }) => kind === 'reply' || kind === 'command')?.kind === 'reply',
  )

/** The command that was answered with 530 in the clear: RFC 3207 s4. */
const refusedWithoutTls = ({ events }: Conversation): string | undefined => {
  const at = events.findIndex(event => event.kind === 'reply' && event.code === 530 && !event.secured)
  const before = events.slice(0, Math.max(at, 0)).findLast(({ from }) => from === 'sender')
  return before?.kind === 'command' ? before.verb : before && 'the content'
}

/** The reply with which the gateway refused STARTTLS, which it offered. */
const refusalOfTls = (conversation: Conversation): string | undefined => {
  const { events } = conversation
  const at = events.findIndex(event => event.kind === 'command' && event.verb === 'STARTTLS')
  const reply = at < 0 ? undefined : events.slice(at).find(({ kind }) => kind === 'reply')
  return reply?.kind === 'reply' && (reply.code ?? 0) >= 400 && offersStarttls(conversation)
    ? reply.text
    : undefined
}

/** The gateway took a message in the clear. */
const tookInClear = ({ events }: Conversation): boolean => {
  const at = events.findIndex(
    ({ kind, from, secured }) => kind === 'content' && from === 'sender' && !secured,
  )
  const reply = at < 0 ? undefined : events.slice(at).find(({ kind }) => kind === 'reply')
  return reply?.kind === 'reply' && reply.code === 250
}

const OLD = ['TLSv1', 'TLSv1.1', 'SSLv3']

/** The old versions that the gateway accepted, offered or used, as the sentences about it say; also in a failed control. */
function oldVersionsIn(one: RecordedVerdict): string[] {
  const said = [isBroken(one) ? one.detail : '', one.failed?.seen.detail ?? '']
  return said
    .filter(text => /\bthe gateway (accepts only|offered|used|accepted the answer)\b/.test(text))
    .flatMap(
      text => `${text} ${/accepted the answer/.test(text) ? one.title : ''}`.match(/\bTLS 1\.[01]\b/g) ?? [],
    )
}

const anyOf = (all: readonly RecordedVerdict[], holds: (one: Conversation) => boolean) =>
  all.filter(one => taken(one).some(holds))

/** A finding if several connections to the gateway got as far as `begun`, and none of them as far as `done`. */
const never = (
  id: string,
  begun: (one: Conversation) => boolean,
  done: (one: Conversation) => boolean,
  sentence: string,
): Row => ({
  id,
  kind: 'finding',
  find(all) {
    const connections = all.flatMap(taken).filter(begun)
    return connections.length > 1 && !connections.some(done) ? found(sentence, anyOf(all, begun)) : undefined
  },
})

/** Every demand of the connectors in these verdicts shows in one of `broken`. */
const allDemands = (all: readonly RecordedVerdict[], broken: readonly RecordedVerdict[]): boolean => {
  const shown = new Set(broken.map(demandOf))
  return all.every(one => shown.has(demandOf(one)))
}

/** The causes that are looked for, in the order in which a verdict is given to them. */
export const CAUSES: readonly Row[] = [
  {
    id: 'lost',
    kind: 'lost',
    find(all) {
      const lost = all.filter(one => isBroken(one) && /\blost\b/.test(one.symptom ?? one.detail))
      return lost[0] && found(`mail is lost: ${withoutReason(lost[0].detail)}`, lost)
    },
  },
  {
    id: 'ends',
    kind: 'finding',
    find(all) {
      const ends = all.filter(one => one.symptom === ENDED_BY_ITSELF)
      return ends[0] && found(withoutReason(ends[0].detail), ends)
    },
  },
  never('no-starttls', hasGreeted, offersStarttls, 'STARTTLS is not offered'),
  {
    id: 'refused-tls',
    kind: 'finding',
    find(all) {
      const asked = all.flatMap(taken).filter(one => says(one, 'STARTTLS', false))
      const replies = asked.flatMap(one => refusalOfTls(one) ?? [])
      return replies.length > 1 && !asked.some(startedTls)
        ? found(
            `STARTTLS is offered, and then refused to every client (${replies[0]})`,
            anyOf(all, one => refusalOfTls(one) !== undefined),
          )
        : undefined
    },
  },
  never('no-handshake', startedTls, secured, 'no TLS handshake with the gateway succeeds'),
  {
    id: 'tls-of-all',
    kind: 'finding',
    find(all) {
      const clear = all.flatMap(taken)
      const verb = clear.map(refusedWithoutTls).find(one => one !== undefined)
      if (verb === undefined || clear.some(tookInClear)) return undefined
      return found(
        `every sender must use TLS (530 at ${verb})`,
        anyOf(all, one => refusedWithoutTls(one) !== undefined),
      )
    },
  },
  {
    id: 'certificate',
    kind: 'certificate',
    find(all) {
      const about = ['PKIX-07', 'PKIX-08', 'PKIX-06'].flatMap(id =>
        all.filter(one => one.requirement === id && isBroken(one) && taken(one).length > 0),
      )
      return about[0] && found(withoutReason(about[0].detail), about)
    },
  },
  {
    id: 'old-versions',
    kind: 'finding',
    find(all) {
      const old = (one: Conversation) => OLD.includes(one.handshake?.version ?? '') && secured(one)
      const agreed = anyOf(all, old).filter(isBroken)
      const versions = agreed.flatMap(taken).filter(old)
      const told = all.filter(one => oldVersionsIn(one).length > 0)
      const names = [
        ...versions.map(({ handshake }) => spoken(handshake!.version!)),
        ...told.flatMap(oldVersionsIn),
      ]
      const sorted = [...new Set(names)].sort()
      return found(`the gateway still uses ${sorted.join(' and ')}`, [...new Set([...agreed, ...told])])
    },
  },
  {
    id: 'required-in-clear',
    kind: 'finding',
    find: all =>
      found(
        'an inbound connector that requires TLS takes mail in the clear',
        anyOf(all, tookInClear).filter(
          one =>
            isBroken(one) && given(one).some(step => /^an inbound connector that requires TLS/.test(step)),
        ),
      ),
  },
  {
    id: 'never-starts-tls',
    kind: 'finding',
    find(all) {
      const offered = (one: RecordedVerdict) => sent(one).filter(offersStarttls)
      const opportunistic = all.filter(one => !isForced(one) && offered(one).length > 0)
      const starts = (one: RecordedVerdict) => offered(one).some(each => says(each, 'STARTTLS', false))
      if (opportunistic.length === 0 || opportunistic.some(starts)) return undefined
      const others = all.filter(one => isForced(one) && offered(one).length > 0)
      return others.some(starts)
        ? found(
            'mail goes without TLS to partners that offer TLS, unless a connector requires TLS',
            opportunistic,
          )
        : found(
            'all mail goes without TLS, also to partners that offer TLS',
            all.filter(one => sent(one).length > 0),
          )
    },
  },
  {
    id: 'untrusted',
    kind: 'finding',
    find(all) {
      const controls = all.filter(one => one.control && isValidated(one) && sent(one).some(startedTls))
      const left = controls.filter(one => isOpen(one) && leaves(one))
      // One connector alone may expect another name.
      if (left.length < 2 || left.length < controls.length || !all.some(wentInTls)) return undefined
      const others = all.filter(one => isValidated(one) && sent(one).some(startedTls) && !wentInTls(one))
      return found(
        "no certificate under the suite's root (pki/root.pem) is accepted where certificates are validated: the gateway does not trust this root, or expects another name",
        others,
      )
    },
  },
  {
    id: 'level',
    kind: 'finding',
    find(all) {
      const judged = all.filter(one => sent(one).length > 0)
      const forced = judged.filter(isForced)
      const inClear = forced.filter(one => isBroken(one) && wentInClear(one))
      // A gateway that does not know of a revocation, or trusts too much in its store, may validate everything else.
      const accepted = judged.filter(
        one =>
          isValidated(one) && isBroken(one) && wentInTls(one) && !isAboutStatus(one) && !isAboutRoots(one),
      )
      const heldBack = judged.filter(
        one => demandOf(one) === OPPORTUNISTIC && isBroken(one) && !wentInClear(one) && !wentInTls(one),
      )
      // What shows that a level does take effect: the faults are about something else then.
      const validates = judged.some(
        one => isValidated(one) && !isOpen(one) && leaves(one) && sent(one).some(startedTls),
      )
      const isOptional = judged.some(one => demandOf(one) === OPPORTUNISTIC && wentInClear(one))
      const none = 'no level of any outbound connector takes effect: all mail is sent as'
      const all3 = [...new Set([...inClear, ...accepted, ...heldBack])]
      if (inClear.length > 0 && allDemands(forced, [...inClear, ...accepted]))
        return found(`${none} opportunistic`, all3)
      if (heldBack.length > 0 && accepted.length > 0 && inClear.length === 0 && !validates && !isOptional)
        return found(`${none} encryption only`, all3)
      if (inClear.length > 0)
        return found(
          `a connector that ${demandOf(inClear[0]!)} has no effect: mail goes in the clear to partners without TLS`,
          inClear,
        )
      if (accepted.length > 1 && !validates && allDemands(judged.filter(isValidated), accepted))
        return found('no certificate is validated, also where the connector requires it', accepted)
      if (heldBack.length > 1 && !isOptional)
        return found('partners without good TLS get no mail, also where TLS is opportunistic', heldBack)
      return undefined
    },
  },
  {
    id: 'expires-soon',
    kind: 'warning',
    find(all) {
      for (const one of all)
        for (const { handshake, startedAt } of taken(one)) {
          const { notAfter = '' } = handshake?.serverCertificate ?? {}
          const days = daysUntil(notAfter, startedAt)
          if (days >= 0 && days < SOON)
            return {
              says: `the gateway's certificate expires on ${day(notAfter)}, ${days === 0 ? 'within a day' : `in ${counted(days, 'day')}`}`,
              verdicts: [one],
            }
        }
      return undefined
    },
  },
]

/** What comes out otherwise under one circumstance alone, beginning with the one that explains most. */
function ofCircumstances(all: readonly RecordedVerdict[]): Cause[] {
  const causes: Cause[] = []
  let left = all.filter(one => isOpen(one) && one.circumstances?.only)
  for (;;) {
    const names = left.flatMap(({ circumstances }) => circumstances!.only!)
    const groups = Object.entries(Object.groupBy(names, name => name))
    const [name, uses] = groups.sort(([, a = []], [, b = []]) => b.length - a.length)[0] ?? []
    if (name === undefined || uses!.length < 2) return causes
    const under = Object.groupBy(left, ({ circumstances }) => `${circumstances!.only!.includes(name)}`)
    const says = `the gateway breaks what it keeps otherwise under the circumstance "${name}"`
    causes.push({ id: `only-${name}`, kind: 'finding', says, verdicts: under['true']! })
    left = under['false'] ?? []
  }
}

/** What failed controls show, by the requirement that it breaks. */
function ofControls(all: readonly RecordedVerdict[]): Cause[] {
  const groups = Map.groupBy(
    all.filter(({ failed }) => failed),
    ({ failed }) => failed!.breaks,
  )
  return [...groups].map(([id, controls]) => ({
    id: `control-${id}`,
    kind: 'finding',
    says: `a control fails: ${controls[0]!.failed!.seen.detail}`,
    verdicts: [...all.filter(one => one.requirement === id && isBroken(one)), ...controls],
  }))
}

const WORST: readonly (readonly string[])[] = [['non-conformant', 'stale'], ['deviates', 'declined'], []]
const rank = ({ kind, verdicts }: Cause): number => {
  if (kind === 'lost') return -1
  if (kind === 'warning') return WORST.length
  return WORST.findIndex(
    names => names.length === 0 || verdicts.some(({ verdict }) => names.includes(verdict)),
  )
}

/** The causes in the verdicts of one run, the most urgent first. Pure. */
export function causesOf(verdicts: readonly RecordedVerdict[]): Cause[] {
  const free = new Set(verdicts)
  const causes: Cause[] = []
  const add = (cause: Cause) => {
    if (cause.kind !== 'warning') for (const one of cause.verdicts) free.delete(one)
    causes.push(cause)
  }
  for (const { id, kind, find } of CAUSES) {
    const what = find(kind === 'warning' ? verdicts : [...free])
    // A single finding says itself what is wrong.
    if (what && (kind !== 'finding' || what.verdicts.length > 1)) add({ id, kind, ...what })
    // What shows under a circumstance alone is no sign of a fault that is always there.
    if (kind === 'lost') for (const cause of ofCircumstances([...free])) add(cause)
  }
  for (const cause of ofControls([...free])) add(cause)
  return causes.sort((a, b) => rank(a) - rank(b))
}

/** The cause of each verdict that has one. A warning explains none. */
export const causeOfEach = (causes: readonly Cause[]): ReadonlyMap<RecordedVerdict, Cause> =>
  new Map(
    causes
      .filter(({ kind }) => kind !== 'warning')
      .flatMap(cause => cause.verdicts.map(verdict => [verdict, cause] as const)),
  )

/** `what: 16 requirements fail because of it, and 3 could not be judged`; the sentence alone where it is one requirement. */
export function toldOf({ says: sentence, kind, verdicts }: Cause): string {
  const ids = (holds: (one: RecordedVerdict) => boolean) =>
    new Set(verdicts.filter(holds).map(({ requirement }) => requirement))
  const fail = ids(isBroken)
  const unknown = ids(one => !isBroken(one)).difference(fail)
  if (kind === 'warning' || fail.size + unknown.size < 2) return sentence
  const failing = `${counted(fail.size, 'requirement fails', 'requirements fail')} because of it`
  if (unknown.size === 0) return `${sentence}: ${failing}`
  const rest = `${unknown.size} could not be judged`
  return fail.size === 0 ? `${sentence}: ${rest}` : `${sentence}: ${failing}, and ${rest}`
}

const isAboutStatus = ({ requirement }: RecordedVerdict): boolean =>
  /^(EXO-(REV-|FRC-08)|OCSP-|PKIX-05)/.test(requirement)

const isAboutRoots = ({ requirement }: RecordedVerdict): boolean => requirement.startsWith('EXO-ROOT-')
