/**
 * Which server of another kind a product exchanges mail with, by the name that `bundledGateway` knows. All releases of
 * a product have the same; a product that is not here is paired with its own kind alone.
 */
export const PAIRS: Readonly<Record<string, string>> = { postfix: 'exim', exim: 'postfix' }
