import { isGood, isRefusal, type Strength } from '../evidence/offer.ts'
import { counted } from '../quantities.ts'
import { broken, kept, type Observation, unclear } from '../verdicts/observation.ts'

/** Every address that accepts connections offers the same TLS; a difference is named with both addresses. */
export function equallyStrong(all: readonly Strength[]): Observation {
  const there = all.filter(({ absent }) => !absent)
  const [first, ...others] = there
  if (!first) return unclear('no server accepts connections at any address')
  const unanswered = there.find(one => one.unanswered)
  if (unanswered) return unclear(`${unanswered.address}: ${unanswered.unanswered}`)
  const differences = others.flatMap(other =>
    Object.entries(first.outcomes).flatMap(([probe, outcome]) => {
      const one = { address: first.address, outcome }
      const another = { address: other.address, outcome: other.outcomes[probe]! }
      return outcome === another.outcome || (refuses(one) && refuses(another)) ? [] : { probe, one, another }
    }),
  )
  // A probe that one address refuses and the other accepts tells which address is the weaker one.
  const telling = differences.find(({ one, another }) => refuses(one) !== refuses(another))
  const difference = telling ?? differences[0]
  if (difference)
    return broken(
      `the addresses differ: ${saidOf(difference)}`,
      `the addresses differ: asked for ${difference.probe}`,
    )
  const missing =
    all.length > there.length
      ? `; ${counted(all.length - there.length, 'address', 'addresses')} without a server left out`
      : ''
  return kept(`${counted(there.length, 'address', 'addresses')} with the same TLS${missing}`)
}

interface Outcome {
  address: string
  outcome: string
}

const refuses = ({ outcome }: Outcome): boolean => isRefusal(outcome)

function saidOf({ probe, one, another }: { probe: string; one: Outcome; another: Outcome }): string {
  const answers = [one, another].map(({ address, outcome }) => `${address} answers ${outcome}`).join(', ')
  if (refuses(one) === refuses(another)) return `asked for ${probe}, ${answers}`
  const weak = refuses(one) === isGood(probe) ? one : another
  return `asked for ${probe}, ${weak.address} is the weaker: ${answers}`
}
