/**
 * The second server of another kind for each product, by its name in `bundledGateway`. It is the same for all releases
 * of the product. A product that is not listed here has second servers of its own kind only.
 */
export const PAIRS: Readonly<Record<string, string>> = { postfix: 'exim', exim: 'postfix' }
