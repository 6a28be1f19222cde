import type { RecordedVerdict } from '../verdicts/recorded-verdict.ts'
import { type Bench, type Cell, isBroken } from './under-combinations.ts'

/**
 * An example came out otherwise, and the circumstances are not to blame: the control came out as it should, or is itself
 * the example and was not refused by a reply, or only for what must be taken.
 */
export function isFinding({ verdict, control, combination }: Cell): boolean {
  if (!isBroken(verdict)) return false
  if (!verdict.control) return control?.verdict === 'conformant'
  return !isRefusal(verdict) || combination.every(({ mustBeTaken }) => mustBeTaken)
}

const isRefusal = ({ byReply, failed }: RecordedVerdict): boolean =>
  (byReply ?? failed?.seen.byReply) !== undefined

/** A control that was refused only for what must be taken tells of mail that is not kept, and of nothing else. */
export function forItsText(cell: Cell): Cell {
  const { verdict } = cell
  const { seen } = verdict.failed ?? {}
  if (!isRefusal(verdict) || !seen?.lacks) return cell
  const lacks = { what: 'keeps mail', domain: seen.lacks.domain } as const
  return { ...cell, verdict: { ...verdict, failed: { ...verdict.failed!, seen: { ...seen, lacks } } } }
}

/** A value that must be taken is tried by itself with so many controls that were refused with it among others. */
const TRIED_BY_ITSELF = 3

/** Looks for controls that were refused because of what must be taken. */
export class RefusedControls {
  readonly #bench: Bench
  readonly #tries = new Map<string, number>()

  constructor(bench: Bench) {
    this.#bench = bench
  }

  /** Of a control that was refused: what must be taken of its circumstances, if it is refused for that alone. */
  async among(cells: readonly Cell[]): Promise<Cell | undefined> {
    for (const cell of cells.filter(
      ({ verdict }) => verdict.control && isBroken(verdict) && isRefusal(verdict),
    ))
      for (const one of cell.combination.filter(({ mustBeTaken }) => mustBeTaken)) {
        const tries = this.#tries.get(one.name) ?? 0
        if (tries >= TRIED_BY_ITSELF) continue
        this.#tries.set(one.name, tries + 1)
        const found = (await this.#bench.again(cell, [[one]])).find(isFinding)
        if (found) return found
      }
    return undefined
  }
}
