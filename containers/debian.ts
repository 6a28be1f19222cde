import type { Release } from '../support/gateway/adapter.ts'

/** A product as it is packaged in these releases of Debian, newest first. */
export const debian = (...suites: readonly string[]): Release[] =>
  suites.map(name => ({ name, base: `debian:${name}-slim` }))
