export const kept = (detail: string): Observation => ({ kind: 'kept', detail })
/** Kept by not doing something: worth nothing unless the control of the Rule held. */
export const refused = (detail: string): Observation => ({ kind: 'kept', detail, refusal: true })
/**
 * `symptom`: the part of `detail` that is the same in every run, without queue ids, counts, addresses, times and the
 * product's own words. Default: all of it.
 */
export const broken = (detail: string, symptom?: string): Observation => ({
  kind: 'broken',
  detail,
  ...(symptom === undefined ? {} : { symptom }),
})
export const unclear = (detail: string): Observation => ({ kind: 'unclear', detail })

/** The first that is not kept, or all that was kept in one sentence. */
export function all(...observations: Observation[]): Observation {
  const trouble =
    observations.find(({ kind }) => kind === 'broken') ?? observations.find(({ kind }) => kind !== 'kept')
  if (trouble) return trouble
  return {
    kind: 'kept',
    detail: [...new Set(observations.map(({ detail }) => detail))].join('; '),
    refusal: observations.some(observation => observation.kind === 'kept' && observation.refusal),
  }
}

/**
 * What was seen in one example. `kept` and `broken` are claims about the gateway and need a wire that shows them;
 * `unclear` says why nothing can be claimed.
 */
export type Observation =
  | { kind: 'kept'; detail: string; refusal?: boolean }
  | { kind: 'broken'; detail: string; symptom?: string }
  | { kind: 'unclear'; detail: string }
