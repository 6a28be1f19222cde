import type { Catalogue, Requirement } from '../catalogue/catalogue.ts'
import { type FeatureRule, placeOf } from '../catalogue/features.ts'
import { counted } from '../quantities.ts'
import { recordedDeviation } from '../verdicts/deviations.ts'
import { unexplained } from '../verdicts/failed-controls.ts'
import { type Broken, because, broken, type Lack, type Observation } from '../verdicts/observation.ts'
import type { Evidence, RecordedVerdict } from '../verdicts/recorded-verdict.ts'
import {
  type Control,
  controlOf,
  type Deviation,
  ENDED_BY_ITSELF,
  type FailedControl,
  isBroken,
  type Judged,
  judge,
  ofRefusal,
} from '../verdicts/verdict.ts'
import type { RuleExample } from './example.ts'

/** An example that is over. */
export interface Concluded {
  example: RuleExample
  /** `features/….feature:LINE` */
  scenario: string
  judged: Judged
  /** The pattern of the connector that the example is about, where it is about one. */
  connector?: string
  durationMs: number
  seen: Evidence
}

/** The verdicts of a run. What becomes known later changes them in place. */
export class VerdictRecord {
  readonly verdicts: RecordedVerdict[] = []
  /** Recorded deviations of the gateway. Those of other versions go once the version of the gateway is known. */
  deviations: readonly Deviation[]
  readonly #catalogue: Catalogue
  readonly #told: (key: string, verdict: RecordedVerdict) => void
  readonly #requirementOf: (lack: Lack) => string | undefined
  /** By the place of the Rule. */
  readonly #controls = new Map<string, RecordedVerdict>()
  /** The places of Rules whose control runs in another Rule, and the place of that one. */
  readonly #sharing = new Map<string, string>()
  /** Verdicts that are conformant because the gateway refused something, each with its Rule. */
  readonly #refusals = new Map<RecordedVerdict, FeatureRule>()

  /**
   * `told` is called with each verdict that is added, and again with an empty key when it is changed by `accuse` or `blame`.
   * `requirementOf`: which requirement a gateway breaks by what it lacks.
   */
  constructor(
    catalogue: Catalogue,
    deviations: readonly Deviation[],
    told: (key: string, verdict: RecordedVerdict) => void = () => {},
    requirementOf: (lack: Lack) => string | undefined = () => undefined,
  ) {
    this.#requirementOf = requirementOf
    this.#catalogue = catalogue
    this.deviations = deviations
    this.#told = told
  }

  /**
   * What the requirement makes of an observation in an example. `level` in place of that of the requirement. A control that
   * fails by what another requirement is about says nothing about its own; see `ofFailedControls`.
   */
  judge({ rule, control }: RuleExample, observation: Observation, level?: Requirement['level']): Judged {
    const failed = this.#failedControl(rule, observation)
    if (failed && control)
      return {
        verdict: 'inconclusive',
        detail: `the control failed: ${observation.detail} (see ${failed.breaks})`,
        failed,
      }
    if (!control && this.#failsLikeControl(rule, observation))
      return {
        verdict: 'inconclusive',
        detail: `${observation.detail}; but the control of this Rule failed in the same way`,
      }
    const requirement = this.#catalogue.get(rule.requirement)
    const deviation = recordedDeviation(this.deviations, { ...observation, requirement: requirement.id })
    return judge({
      level: level ?? requirement.level,
      observation,
      ...(deviation ? { deviation } : {}),
      ...(control ? {} : { control: this.#stateOfControl(rule) }),
    })
  }

  /** From now on, the control of one Rule stands for that of another Rule, too, which runs without one. */
  shareControl(rule: FeatureRule, of: FeatureRule): void {
    this.#sharing.set(placeOf(rule), placeOf(of))
  }

  #controlFor(rule: FeatureRule): RecordedVerdict | undefined {
    const place = placeOf(rule)
    return this.#controls.get(this.#sharing.get(place) ?? place)
  }

  #stateOfControl(rule: FeatureRule): Control {
    const control = this.#controlFor(rule)
    // The control of another Rule may come later: `recheckRefusals` looks again.
    return !control && this.#sharing.has(placeOf(rule)) ? { state: 'held' } : controlOf(control)
  }

  #failedControl(rule: FeatureRule, seen: Observation): FailedControl | undefined {
    if (seen.kind !== 'broken' || !seen.lacks) return undefined
    const breaks = this.#requirementOf(seen.lacks)
    return breaks === undefined || breaks === rule.requirement
      ? undefined
      : { breaks, seen: { ...seen, lacks: seen.lacks } }
  }

  #failsLikeControl(rule: FeatureRule, seen: Observation): boolean {
    const control = this.#controlFor(rule)?.failed
    return seen.kind === 'broken' && control !== undefined && seen.lacks?.what === control.seen.lacks.what
  }

  /**
   * What failed controls show: one verdict for each requirement that they break, unless examples of its own show that it is
   * broken, or another requirement that is broken explains it.
   */
  ofFailedControls(): RecordedVerdict[] {
    const byRequirement = Map.groupBy(
      this.verdicts.filter(({ failed }) => failed),
      ({ failed }) => failed!.breaks,
    )
    const known = new Set(this.verdicts.filter(isBroken).map(({ requirement }) => requirement))
    return unexplained([...new Set([...byRequirement.keys(), ...known])])
      .filter(id => !known.has(id))
      .map(id => this.#ofFailedControls(byRequirement.get(id)!))
  }

  #ofFailedControls(controls: readonly RecordedVerdict[]): RecordedVerdict {
    const [first] = controls
    const { breaks, seen } = first!.failed!
    const { id: requirement, level, actor } = this.#catalogue.get(breaks)
    const deviation = recordedDeviation(this.deviations, { ...seen, requirement })
    const detail = `${seen.detail} (in ${counted(controls.length, 'control')})`
    const observation = broken(detail, seen.symptom ?? seen.detail)
    return {
      ...{ requirement, level, actor, scenario: first!.scenario, control: false },
      title: `the control of ${first!.requirement}: ${first!.title}`,
      ...judge({ level, observation, ...(deviation ? { deviation } : {}) }),
      ...{ durationMs: 0, seen: first!.seen },
    }
  }

  /** `key`: of the example, for the listener of the run. */
  add(key: string, { example, scenario, judged, connector, durationMs, seen }: Concluded): RecordedVerdict {
    const { rule, title, control } = example
    const { id: requirement, level, actor } = this.#catalogue.get(rule.requirement)
    const { refusal, ...rest } = judged
    const verdict = {
      ...{ requirement, level, actor, scenario, title, control, ...rest },
      ...(connector === undefined ? {} : { connector }),
      ...{ durationMs, seen },
    }
    if (control) this.#controls.set(placeOf(rule), verdict)
    if (refusal) this.#refusals.set(verdict, rule)
    this.verdicts.push(verdict)
    this.#told(key, verdict)
    return verdict
  }

  /** Judges an example again by what was seen since. */
  change(verdict: RecordedVerdict, judged: Judged): void {
    const { refusal: _, ...rest } = judged
    delete verdict.failed
    delete verdict.deviation
    delete verdict.byReply
    Object.assign(verdict, rest)
  }

  /** The gateway ended because of the example, whatever the level of its requirement: an error of a must. */
  blame(verdict: RecordedVerdict, example: RuleExample, detail: string): void {
    this.change(verdict, this.judge(example, broken(detail, ENDED_BY_ITSELF), 'must'))
    this.#told('', verdict)
  }

  /** Judges an example by what came of it elsewhere, too; `as`: that observation, with where that was. */
  accuse(
    verdict: RecordedVerdict,
    example: RuleExample,
    found: RecordedVerdict,
    as: (detail: string, symptom?: string) => Broken,
  ): void {
    const { detail, symptom } = found.failed?.seen ?? found
    const seen = as(detail, symptom)
    // No example may bring a mail server down, whatever the level of its requirement.
    const level = symptom === ENDED_BY_ITSELF ? 'must' : undefined
    this.change(
      verdict,
      found.failed || isBroken(found)
        ? this.judge(example, because(seen, found.failed?.seen.lacks), level)
        : { verdict: found.verdict, detail: seen.detail },
    )
    verdict.seen = found.seen
    this.#told('', verdict)
  }

  /** Where a control holds no more, the refusals of its Rule prove nothing any more. */
  recheckRefusals(): void {
    for (const [verdict, rule] of this.#refusals)
      if (verdict.verdict === 'conformant')
        this.change(verdict, ofRefusal(verdict.detail, controlOf(this.#controlFor(rule))))
  }

  /** Of examples that were judged a second time, from the verdict at `start` on: the second verdict stands, and says so. */
  dropFormer(start: number): void {
    for (const verdict of this.verdicts.slice(start)) verdict.again = true
    const again = new Set(this.verdicts.slice(start).map(({ scenario }) => scenario))
    const kept = this.verdicts.filter(({ scenario }, at) => at >= start || !again.has(scenario))
    this.verdicts.splice(0, this.verdicts.length, ...kept)
  }

  /**
   * Nothing can be claimed about these examples, because the gateway ended by itself and none of them is the cause.
   */
  withdraw(scenarios: ReadonlySet<string>, detail: string): void {
    for (const verdict of this.verdicts)
      if (scenarios.has(verdict.scenario))
        this.change(verdict, { verdict: 'lab-error', detail, symptom: ENDED_BY_ITSELF })
  }
}
