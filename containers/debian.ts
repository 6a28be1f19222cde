import type { Release } from '../support/gateway/adapter.ts'

/** The releases of a product that Debian packages, one for each release of Debian; the newest first. */
export const debian = (...suites: readonly string[]): Release[] =>
  suites.map(name => ({ name, base: `debian:${name}-slim` }))
