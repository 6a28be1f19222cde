import { availableParallelism } from 'node:os'
import { loadFeatures, select } from '../../catalogue/features.ts'
import type { Adapter } from '../../gateway/adapter.ts'
import type { GatewaySource } from '../../gateway/source.ts'
import type { Pki } from '../../pki/pki.ts'
import { judgedIn } from '../../run/judge-all.ts'
import { Run } from '../../run/run.ts'
import type { Breakage } from './breakages.ts'
import { type Edit, edited } from './edits.ts'

/** Edits of a product's files, for the gateways that start from then on. */
export interface Edits {
  now: readonly Edit[]
}

export const withEdits = <P extends Adapter>(product: P, edits: Edits): P => ({
  ...product,
  render: (flow, place) => ({ files: edited(product.render(flow, place).files, edits.now) }),
})

/** What became of a requirement, whatever is recorded of the product. */
export interface Outcome {
  requirement: string
  is: 'broken' | 'kept' | 'unclear'
  /** What was seen in the example that decides. */
  why: string
}

/** What became of the requirements of a breakage. */
export interface Trial {
  broken: Outcome[]
  mended: Outcome[]
}

/**
 * Judges gateways of one product, one after the other, in one lab: for each breakage a broken one and a mended one. `all`: by
 * all requirements that are broken; otherwise by one for each remedy.
 */
export async function tried(
  breakages: readonly Breakage[],
  sourceOf: (edits: Edits) => GatewaySource,
  { pki, all = false }: { pki: Pki; all?: boolean },
): Promise<Trial[]> {
  const edits: Edits = { now: breakages[0]!.broken }
  const run = await Run.start({ source: sourceOf(edits), pki, aftermath: 0 })
  const judgedWith = async (now: readonly Edit[], requirements: readonly string[]) => {
    if (edits.now !== now) {
      edits.now = now
      await run.gateways.renew()
    }
    return judged(run, requirements)
  }
  try {
    const trials: Trial[] = []
    for (const { broken, mended, requirements, oneForEach } of breakages) {
      const chosen = all ? requirements : oneForEach
      trials.push({
        broken: await judgedWith(broken, chosen),
        mended: await judgedWith([...broken, ...mended], chosen),
      })
    }
    return trials
  } finally {
    await run.stop()
  }
}

async function judged(run: Run, requirements: readonly string[]): Promise<Outcome[]> {
  const pass = run.pass(new Map())
  const selection = select(loadFeatures(run.catalogue), run.catalogue, { requirements })
  await judgedIn(pass, selection, 3 * availableParallelism())
  const verdicts = [...pass.verdicts, ...pass.record.ofFailedControls()]
  return requirements.map((requirement): Outcome => {
    const own = verdicts.filter(one => one.requirement === requirement)
    const bad = own.find(({ verdict }) => ['non-conformant', 'declined'].includes(verdict))
    if (bad) return { requirement, is: 'broken', why: bad.detail }
    const unclear = own.find(({ verdict }) => ['inconclusive', 'lab-error'].includes(verdict))
    if (unclear) return { requirement, is: 'unclear', why: unclear.detail }
    const good = own.find(({ verdict }) => verdict === 'conformant')
    return { requirement, is: good ? 'kept' : 'unclear', why: (good ?? own[0])?.detail ?? 'no example ran' }
  })
}
