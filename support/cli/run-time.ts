import { changesGateway } from '../circumstances/range.ts'
import { isExternal } from '../gateway/external.ts'
import type { PlannedExample } from '../run/example.ts'
import type { Order } from './order.ts'

// In ms, as measured on two cores; docs/performance.md has the runs.

/** Until the first example: the gateway and the lab are there. */
const START = { embedded: 2_000, container: 8_000, external: 3_000 }
/** The share of an example in a run, without what it waits for. */
const EACH = 100
/** An exchange of certificate or roots, for which all other examples wait. */
const CHANGE = 2_500
/** For circumstances, however long everything before them took. */
export const LEAST = 60_000

/** In these examples a gateway has to hold a message back. */
const HOLDS_BACK = /\b(stays? queued|does not arrive)\b/

/** About how long a run takes whose examples run on so many lanes, in ms; without what the user has asked for of circumstances. */
export function runTime(
  plan: readonly PlannedExample[],
  { source, circumstances }: Pick<Order, 'source' | 'circumstances'>,
  parallel: number,
): number {
  const judged = plan
    .filter(({ inapplicable }) => inapplicable === undefined)
    .map(({ rule, title }) => rule.examples.find(({ name }) => name === title)!)
  const heldBack = judged.filter(({ steps }) => steps.some(step => HOLDS_BACK.test(step))).length
  const changes = source.changesInPlace ? judged.filter(changesGateway).length : 0
  const plain =
    START[source.kind] + judged.length * EACH + changes * CHANGE + heldBack * silence(source, parallel)
  return circumstances?.within === undefined ? plain : Math.max(circumstances.within, plain + LEAST)
}

/** How long one message that is held back keeps the run waiting, where the gateway does not say so itself. */
function silence(source: Order['source'], parallel: number): number {
  const { outbound, commands, names, lab } = isExternal(source) ? source.file : {}
  if (!outbound || (commands?.log && commands.reader && commands.queue)) return 0
  const routes = new Set(outbound.connectors.map(({ partner }) => JSON.stringify(partner))).size
  return outbound.settle / (names || lab ? parallel : Math.min(routes, parallel))
}
