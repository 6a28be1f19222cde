import { loadRemedies, type Setting, settingsFor } from '../catalogue/remedies.ts'
import type { RecordedVerdict } from '../verdicts/recorded-verdict.ts'
import { ENDED_BY_ITSELF } from '../verdicts/verdict.ts'

/** What to do about a requirement, for the reader of one report. */
export interface ToDo {
  /** One sentence for any gateway. */
  sentence: string
  /** Of the product that was judged; of all products where the gateway is none that comes with the suite. */
  settings: readonly Setting[]
  /** Whether the settings are those of the product that was judged. */
  own: boolean
}

/** What lets a gateway keep a requirement; nothing for a requirement of which the suite knows no remedy. */
export function toDoFor(requirement: string, gateway: string): ToDo | undefined {
  const remedy = loadRemedies().get(requirement)
  if (!remedy) return undefined
  const products = new Set([...loadRemedies().values()].flatMap(one => one.settings).map(one => one.product))
  const own = products.has(gateway.split('@')[0]!)
  return {
    sentence: remedy.sentence,
    settings: own ? settingsFor(remedy, gateway) : remedy.settings,
    own,
  }
}

/**
 * The same for a verdict: nothing where nothing is broken, and where no setting could help. Where a control fails, the
 * requirement is not what is broken.
 */
export function toDoAbout(
  { requirement, control, verdict, symptom }: RecordedVerdict,
  gateway: string,
): ToDo | undefined {
  const open = verdict === 'non-conformant' || verdict === 'declined'
  return open && !control && symptom !== ENDED_BY_ITSELF ? toDoFor(requirement, gateway) : undefined
}
