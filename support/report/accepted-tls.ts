import { type Grade, TLS_PROFILES } from '../catalogue/tls-profiles.ts'
import { counted } from '../quantities.ts'
import { type Accepted, type AcceptedRow, isDisputed } from '../verdicts/accepted-tls.ts'
import { clipped } from './visible.ts'

const WORDS: Record<Grade, string> = { good: 'allowed', weak: 'should not', wrong: 'must not' }

/** What the report shows of the TLS that a gateway accepts: first where profiles disagree. */
export function acceptedView({ address, rows }: Accepted) {
  const [disputed, others] = [rows.filter(isDisputed), rows.filter(row => !isDisputed(row))]
  return {
    told:
      disputed.length === 0
        ? `All profiles say the same of everything that the gateway accepts at ${clipped(address, 300)}.`
        : `Profiles say different things of ${disputed.length} of ${counted(rows.length, 'finding')} at ${clipped(address, 300)}.`,
    columns: TLS_PROFILES.map(({ profile, short, source }) => ({ profile, short, source })),
    disputed: disputed.map(rowView),
    others: others.map(rowView),
  }
}

const rowView = ({ what, grades }: AcceptedRow) => ({
  what: clipped(what, 200),
  cells: TLS_PROFILES.map(({ profile }) => {
    const grade = grades[profile]
    return grade ? { word: WORDS[grade], looks: `grade-${grade}` } : { word: '', looks: 'dim' }
  }),
})
