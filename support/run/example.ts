import type { FeatureRule } from '../catalogue/features.ts'

/** An example with the Rule that it belongs to. */
export interface RuleExample {
  rule: FeatureRule
  title: string
  control: boolean
}

/** An example of a dry run. */
export interface PlannedExample extends RuleExample {
  /** Why the example would not be judged. Absent where it would. */
  inapplicable?: string
}
