import type { Catalogue } from '../catalogue/catalogue.ts'
import { type FeatureRule, placeOf } from '../catalogue/features.ts'
import type { Combination } from '../circumstances/dimensions.ts'
import type { RecordedVerdict } from '../verdicts/recorded-verdict.ts'
import type { VerdictRecord } from './verdict-record.ts'

/** A Rule, and the combination under which it is judged. */
export interface Assigned {
  rule: FeatureRule
  combination: Combination
}

/**
 * Many Rules have the same control: the same sentences, and in one pass the same combination. It runs in the first of
 * them, and its verdict counts in each where it holds.
 */
export class SharedControls {
  /** Of each Rule whose control does not run in it, the one in which it runs. */
  readonly #ranIn = new Map<FeatureRule, FeatureRule>()

  constructor(assigned: readonly Assigned[]) {
    const first = new Map<string, FeatureRule>()
    for (const { rule, combination } of assigned) {
      const controls = rule.examples.filter(({ control }) => control)
      if (controls.length !== 1) continue
      const key = JSON.stringify([rule.role, controls[0]!.steps, combination.map(({ name }) => name)])
      const ranIn = first.get(key)
      if (!ranIn) first.set(key, rule)
      else if (rule.examples.length > 1) this.#ranIn.set(rule, ranIn)
    }
  }

  /** The Rule with the examples that run in it. */
  run(rule: FeatureRule): FeatureRule {
    return this.#ranIn.has(rule)
      ? { ...rule, examples: rule.examples.filter(({ control }) => !control) }
      : rule
  }

  /** Tells the record of a pass in which Rule it finds the control of another one. */
  tell(record: Pick<VerdictRecord, 'shareControl'>): void {
    for (const [rule, ranIn] of this.#ranIn) record.shareControl(rule, ranIn)
  }

  /**
   * After the pass: adds the verdict of a control that holds for each Rule in which it did not run. Returns the Rules for
   * which nothing is known of their control, because it did not hold where it ran.
   */
  settle(verdicts: Map<string, RecordedVerdict>, catalogue: Catalogue): Set<FeatureRule> {
    const apart = new Set<FeatureRule>()
    for (const [rule, ranIn] of this.#ranIn) {
      const ran = verdicts.get(placeOfControl(ranIn))
      if (ran?.verdict === 'conformant') verdicts.set(placeOfControl(rule), inRule(ran, rule, catalogue))
      else apart.add(rule)
    }
    return apart
  }
}

/** The verdict of a control that ran in another Rule, as that of this Rule. */
function inRule(ran: RecordedVerdict, rule: FeatureRule, catalogue: Catalogue): RecordedVerdict {
  const { id: requirement, level, actor } = catalogue.get(rule.requirement)
  return { ...ran, requirement, level, actor, title: controlOf(rule).name, scenario: placeOfControl(rule) }
}

const controlOf = ({ examples }: FeatureRule) => examples.find(({ control }) => control)!

const placeOfControl = (rule: FeatureRule): string => placeOf({ uri: rule.uri, line: controlOf(rule).line })
