export const kept = (detail: string): Observation => ({ kind: 'kept', detail })
/** Kept by not doing something: worth nothing unless the control of the Rule held. */
export const refused = (detail: string): Observation => ({ kind: 'kept', detail, refusal: true })
/**
 * `symptom`: the part of `detail` that is the same in every run, without queue ids, counts, addresses, times and the
 * product's own words. Default: all of it.
 */
export const broken = (detail: string, symptom?: string): Broken => ({
  kind: 'broken',
  detail,
  ...(symptom === undefined ? {} : { symptom }),
})
/** What is broken there is broken because of what the gateway does not do at all. */
export const because = (observation: Observation, lacks: Lack | undefined): Observation =>
  observation.kind === 'broken' && lacks ? { ...observation, lacks } : observation
export function withoutLack(observation: Observation): Observation {
  if (observation.kind !== 'broken') return observation
  const { lacks: _, ...rest } = observation
  return rest
}
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

/** What a gateway does not do although everything is in order. */
export interface Lack {
  what:
    | 'sends'
    | 'sends over TLS'
    | 'starts TLS'
    | 'goes on inside TLS'
    | 'takes mail over TLS'
    | 'takes mail unencrypted'
    | 'keeps mail'
  /** Of the partner or the client: its connector counts. */
  domain: string
  /** The only version that the other side spoke, such as `TLSv1.2`. */
  version?: string
}

/**
 * What was seen in one example. `kept` and `broken` are claims about the gateway and need a wire that shows them;
 * `unclear` says why nothing can be claimed.
 * `byReply`: the gateway refused a message by a reply that does not name TLS, and may have declined how it came.
 */
export type Observation =
  | { kind: 'kept'; detail: string; refusal?: boolean }
  | { kind: 'broken'; detail: string; symptom?: string; lacks?: Lack; byReply?: true }
  | { kind: 'unclear'; detail: string }

export type Broken = Extract<Observation, { kind: 'broken' }>
