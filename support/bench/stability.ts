import { loadCatalogue } from '../catalogue/catalogue.ts'
import { loadFeatures } from '../catalogue/features.ts'
import { Pki } from '../pki/pki.ts'
import { reference } from '../reference/gateway.ts'
import { withRun } from '../run/current.ts'
import { judgeAll } from '../run/judge-all.ts'
import { Run } from '../run/run.ts'

export interface Stability {
  runs: number
  verdicts: number
  /** Each verdict that differs from that of the first run: `run 7: features/….feature:12: inconclusive: …`. */
  differing: string[]
}

/** Judges the reference gateway `runs` times with all examples. Every run must give the same verdicts. */
export async function stability(
  runs: number,
  parallel: number,
  progressed: (run: number) => void,
): Promise<Stability> {
  const rules = loadFeatures(loadCatalogue())
  const pki = new Pki()
  const first = new Map<string, string>()
  const differing: string[] = []
  let verdicts = 0
  for (let n = 1; n <= runs; n++) {
    const run = await Run.start({ source: reference(), pki })
    try {
      await withRun(run, () => judgeAll(run, rules, parallel))
    } finally {
      await run.stop()
    }
    for (const { scenario, verdict, detail } of run.verdicts) {
      verdicts++
      if (!first.has(scenario)) first.set(scenario, verdict)
      if (first.get(scenario) !== verdict) differing.push(`run ${n}: ${scenario}: ${verdict}: ${detail}`)
    }
    progressed(n)
  }
  return { runs, verdicts, differing }
}
