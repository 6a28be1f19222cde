export interface Spread {
  median: number
  p95: number
  count: number
}

/** Median and 95th percentile by the nearest-rank method; all zero if there are no values. */
export function spread(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b)
  const at = (share: number) => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0
  return { median: at(0.5), p95: at(0.95), count: sorted.length }
}
