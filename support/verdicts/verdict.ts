import type { Requirement } from '../catalogue/catalogue.ts'
import type { Broken, Lack, Observation } from './observation.ts'

export const VERDICTS = [
  'conformant',
  'non-conformant',
  'deviates',
  'stale',
  'declined',
  'inapplicable',
  'inconclusive',
  'lab-error',
] as const
/** What a requirement makes of an observation (README.md). */
export type VerdictName = (typeof VERDICTS)[number]

/** Verdicts in the order in which they need attention. The most urgent example decides for its requirement. */
export const BY_URGENCY: readonly VerdictName[] = [
  'non-conformant',
  'stale',
  'lab-error',
  'deviates',
  'declined',
  'inconclusive',
  'conformant',
  'inapplicable',
]

/** What came of an example under one combination of circumstances. */
export interface Cell {
  /** Their names. Empty: as the example is written. */
  circumstances: string[]
  verdict: VerdictName
  /** One sentence, shortened: what was seen. */
  detail: string
}

/** What a run says of one example under circumstances, in verdicts.json. */
export interface InCircumstances {
  /** Under how many combinations the example was run again. */
  tried: number
  /** Under how many of them the gateway breaks the requirement. */
  broken: number
  /** Under how many of them nothing could be said. */
  unclear: number
  /** The fewest circumstances that it takes to break it, where it breaks under some only. */
  only?: string[]
  /** What was not conformant: with the fewest circumstances, then the other broken ones, then those that are unclear. */
  cells: Cell[]
}

/** A known, recorded non-conformance of one gateway (README.md). */
export interface Deviation {
  requirement: string
  /** Part of the verdict's detail or symptom, in capitals or not. */
  symptom: string
  /** Range as npm writes them, such as `>=3.5 <4`; without it every version. */
  versions?: string
  /** In a file for several gateways: the one gateway that the entry is about, such as `postfix@bullseye`. */
  gateway?: string
  why: string
  reference?: string
  /** `2026-11-21` */
  since: string
}

/** One example of one requirement, judged. Field names are the contract of verdicts.json. */
export interface Verdict {
  requirement: string
  level: Requirement['level']
  actor: Requirement['actor']
  /** `features/…feature:LINE` */
  scenario: string
  title: string
  control: boolean
  verdict: VerdictName
  /** One sentence: what was seen. */
  detail: string
  /** Of what is broken: the part of `detail` that is the same in every run, which a recorded deviation names. */
  symptom?: string
  /** The recorded deviation that excuses what was seen, or that no longer shows. */
  deviation?: Deviation
  /** The pattern of the connector that the example is about, such as `*.forced.test`; absent where it is about none. */
  connector?: string
  /** It was judged a second time, alone with a gateway of its own, because a gateway had ended by itself. */
  again?: true
  /** Absent where the example was not run again under circumstances. */
  circumstances?: InCircumstances
  /** Folder relative to the report, absent when nothing was recorded. */
  evidence?: string
  /** Of a control that failed by what another requirement is about. It is not part of verdicts.json. */
  failed?: FailedControl
  /** The gateway refused by a reply that does not name TLS. It is not part of verdicts.json. */
  byReply?: true
  durationMs: number
}

/**
 * What became of the control of a Rule. A refusal elsewhere in the Rule counts only if the control held: the same gateway
 * did what was asked where everything was well.
 */
export type Control =
  | { state: 'held' }
  /** The gateway did not do what the control asks for. */
  | { state: 'failed' }
  /** Nothing is known of the control; `why` in a sentence. */
  | { state: 'absent'; why: string }

/** The state of a control, by its verdict. Without a verdict the control was not run. */
export function controlOf(verdict?: Pick<Verdict, 'verdict' | 'detail' | 'failed'>): Control {
  if (verdict?.failed) return { state: 'failed' }
  switch (verdict?.verdict) {
    case undefined:
      return { state: 'absent', why: 'the control of this Rule was not run' }
    case 'conformant':
      return { state: 'held' }
    case 'inapplicable':
    case 'inconclusive':
      return { state: 'absent', why: `the control of this Rule is ${verdict.verdict} (${verdict.detail})` }
    case 'lab-error':
      return { state: 'absent', why: `the lab failed in the control of this Rule (${verdict.detail})` }
    default:
      return { state: 'failed' }
  }
}

/** What is known of an example when it is judged. */
export interface ToJudge {
  level: Requirement['level']
  observation: Observation
  /** The recorded deviation of this gateway and version for this requirement, if there is one. */
  deviation?: Deviation
  /** The control of the same Rule. Absent where the example is the control itself. */
  control?: Control
}

/** What a requirement makes of an observation. */
export interface Judged {
  verdict: VerdictName
  /** One sentence: what was seen. */
  detail: string
  /** Of what is broken: the part of `detail` that is the same in every run. */
  symptom?: string
  /** The recorded deviation that excuses it. */
  deviation?: Deviation
  /** Of a control that failed by what another requirement is about. */
  failed?: FailedControl
  /** What is broken is a refusal by a reply that does not name TLS. */
  byReply?: true
  /** The verdict is conformant because the gateway refused something, and the control held. */
  refusal?: true
}

/** What a control shows that failed by what another requirement is about. */
export interface FailedControl {
  breaks: string
  seen: Broken & { lacks: Lack }
}

/** The symptom of an example in which the gateway crashed or ended otherwise by itself. */
export const ENDED_BY_ITSELF = 'ended by itself'

/** Between what was seen and the circumstances that it takes, in the detail of a verdict. */
export const ONLY_WHEN = ' (only when '

/** Between what was seen and why it is excused, in the detail of a verdict that deviates. */
const RECORDED = ' (recorded: '

/**
 * The one place where an observation becomes a verdict. A refusal proves nothing without a control that held. A deviation
 * excuses only the symptom that it names. `stale` is not decided here: only a whole run can tell (see `staleVerdicts`).
 */
export function judge({ level, observation, deviation, control }: ToJudge): Judged {
  const { kind, detail } = observation
  if (kind === 'unclear') return { verdict: 'inconclusive', detail }
  if (kind === 'kept')
    return observation.refusal && control ? ofRefusal(detail, control) : { verdict: 'conformant', detail }
  const { symptom = detail, byReply } = observation
  const about = { symptom, ...(byReply ? { byReply } : {}) }
  if (deviation && shows({ detail, symptom }, deviation))
    return { verdict: 'deviates', detail: `${detail}${RECORDED}${deviation.why})`, deviation, ...about }
  return { verdict: level === 'must' ? 'non-conformant' : 'declined', detail, ...about }
}

/** What a refusal is worth beside the control of its Rule. */
export function ofRefusal(detail: string, control: Control): Judged {
  switch (control.state) {
    case 'held':
      return { verdict: 'conformant', detail, refusal: true }
    case 'failed':
      return {
        verdict: 'inconclusive',
        detail: `${detail}; but the control of this Rule failed too, so the refusal proves nothing`,
      }
    case 'absent':
      return {
        verdict: 'inconclusive',
        detail: `${detail}; but there was no control to compare the refusal with: ${control.why}`,
      }
  }
}

/** Whether the symptom of a recorded deviation is part of what was seen, in capitals or not. */
export function shows(seen: { detail: string; symptom?: string }, recorded: { symptom: string }): boolean {
  const texts = [withoutReason(seen.detail), seen.symptom ?? '']
  return texts.some(text => text.toLowerCase().includes(recorded.symptom.toLowerCase()))
}

/** What was seen, from a verdict's detail: without the reason that `judge` adds to a recorded deviation. */
export function withoutReason(detail: string): string {
  const end = detail.indexOf(RECORDED)
  return end < 0 ? detail : detail.slice(0, end)
}

/** The gateway does otherwise than its requirement says, recorded or not. */
export const isBroken = ({ verdict }: Pick<Verdict, 'verdict'>): boolean =>
  verdict === 'non-conformant' || verdict === 'declined' || verdict === 'deviates'

/** Something is said of the gateway. */
export const isDecided = ({ verdict }: Pick<Verdict, 'verdict'>): boolean =>
  verdict !== 'inapplicable' && verdict !== 'inconclusive' && verdict !== 'lab-error'

/** How often each verdict was given; every name is there, also with 0. */
export function totals(verdicts: readonly Pick<Verdict, 'verdict'>[]): Record<VerdictName, number> {
  const counts = Object.fromEntries(VERDICTS.map(name => [name, 0])) as Record<VerdictName, number>
  for (const { verdict } of verdicts) counts[verdict]++
  return counts
}
