import { hash } from 'node:crypto'
import type { FeatureRule } from '../catalogue/features.ts'
import type { Combination, Dimension } from '../circumstances/dimensions.ts'
import { mayVary, rangeOf } from '../circumstances/range.ts'
import { MUTANTS, type Mutant } from './mutants/index.ts'

/** A defect that acts under some circumstances only, as it was drawn. */
export interface Draw {
  base: Mutant
  circumstances: Combination
}

/** Of so many draws, one has a single circumstance, and the others have a pair. */
const SINGLE = 4

/**
 * Conditional defects without end, the same for the same seed: one for each requirement in turn, out of the defects that
 * break it and of the circumstances that must not matter to it. `dimensions`: with the values that may be drawn.
 */
export function* draws(
  seed: string,
  {
    rules,
    dimensions,
    requirements,
  }: {
    rules: readonly FeatureRule[]
    dimensions: readonly Dimension[]
    requirements?: readonly string[] | undefined
  },
): Generator<Draw, never> {
  const pick = picker(seed)
  const wanted = MUTANTS.filter(({ requirement }) => requirements?.includes(requirement) ?? true)
  const known = [...Map.groupBy(wanted, ({ requirement }) => requirement).values()]
    .map(bases =>
      bases
        .map(base => ({
          base,
          range: rangeOf(base.requirement, rules, dimensions).filter(({ role }) => actsAs(base, role)),
        }))
        .filter(({ range }) => range.length > 1),
    )
    .filter(bases => bases.length > 0)
  for (;;)
    for (const bases of shuffled(known, pick)) {
      const { base, range } = pick(bases)
      const first = pick(range)
      const second = pick(range.filter(one => one !== first && one.role === first.role))
      const chosen = pick(Array.from({ length: SINGLE }).keys().toArray()) === 0 ? [first] : [first, second]
      yield { base, circumstances: chosen.map(({ values }) => pick(values)) }
    }
}

/** Whether the gateway decides anything otherwise in this role. Where it sends, it has got the message before. */
const actsAs = ({ receiver, words }: Mutant, role: Dimension['role']): boolean =>
  role === 'sender' || receiver !== undefined || words !== undefined

type Pick = <T>(from: readonly T[]) => T

function picker(seed: string): Pick {
  let count = 0
  return from => {
    const number = Number.parseInt(hash('sha256', `${seed} ${count++}`).slice(0, 12), 16)
    return from[number % from.length]!
  }
}

function shuffled<T>(items: readonly T[], pick: Pick): T[] {
  const left = [...items]
  return items.map(() => left.splice(left.indexOf(pick(left)), 1)[0]!)
}

/** The Rules of a requirement with the examples that can vary. */
export const rulesOf = (requirement: string, rules: readonly FeatureRule[]): FeatureRule[] =>
  rules.flatMap(rule => {
    const examples = rule.examples.filter(mayVary)
    const varies = rule.requirement === requirement && examples.some(({ control }) => control)
    return varies ? [{ ...rule, examples }] : []
  })
