import type { FeatureExample, FeatureRule } from '../catalogue/features.ts'
import type { Dimension } from './dimensions.ts'

/**
 * Whether an example can run under circumstances. The suite cannot vary what two real servers send. A domain that a
 * connector names exactly cannot be used twice. Where a partner falls silent, each run takes long.
 */
export const mayVary = ({ steps }: Pick<FeatureExample, 'steps'>): boolean =>
  !steps.some(step => /second server|all the time|probes|exactly the|falls silent/.test(step))

/** Whether the gateway of an example has another certificate or other roots than usual. */
export const changesGateway = ({ steps }: Pick<FeatureExample, 'steps'>): boolean =>
  steps.some(step =>
    /^the (gateway (trusts (only|both)|shows a certificate|gets a certificate) |administrator installs |gateway's machine fetches )/.test(
      step,
    ),
  )

/** What must not matter to a requirement, for the roles in which these Rules of it can vary; only dimensions with values. */
export function rangeOf(
  requirement: string,
  rules: readonly FeatureRule[],
  dimensions: readonly Dimension[],
): Dimension[] {
  const own = rules.filter(
    rule => rule.requirement === requirement && rule.examples.some(one => one.control && mayVary(one)),
  )
  const roles = new Set(own.map(({ role }) => role))
  return dimensions
    .filter(({ role }) => roles.has(role))
    .map(one => ({ ...one, values: one.values.filter(({ mattersTo }) => !mattersTo.includes(requirement)) }))
    .filter(({ values }) => values.length > 0)
}
