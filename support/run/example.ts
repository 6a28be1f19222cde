import type { FeatureRule } from '../catalogue/features.ts'

/** One example of the suite as a scenario finds itself again. */
export interface RuleExample {
  rule: FeatureRule
  title: string
  control: boolean
}

/** An example that would be judged, or why not. */
export interface PlannedExample extends RuleExample {
  inapplicable?: string
}
