import { Run, useRun } from '/work/main/support/run/run.ts'
import { runExamples } from '/work/main/support/run/cucumber.ts'
import { bundledGateway } from '/work/main/containers/index.ts'
import { loadFeatures, select } from '/work/main/support/verdicts/features.ts'
const t0 = performance.now()
const run = await Run.start({ source: bundledGateway(process.env.G ?? 'haraka'), listener: { began() {}, judged(_k, v) { if (process.env.V || v.verdict !== 'conformant') console.log(v.verdict, v.requirement, v.scenario, '|', v.title, '|', v.detail, v.durationMs) } } })
console.log('start', performance.now() - t0)
useRun(run)
const ids = process.argv.slice(2)
const sel = select(loadFeatures(run.catalogue), run.catalogue, ids.length ? { requirements: ids } : {})
const m = await runExamples(sel, Number(process.env.P ?? 4))
const c: any = {}; for (const v of run.verdicts) c[v.verdict] = (c[v.verdict] ?? 0) + 1
console.log(c, performance.now() - t0, m.length)
if (process.env.F) for (const x of m) if (x.testStepFinished?.testStepResult.status === 'FAILED') console.log(x.testStepFinished.testStepResult.message)
for (const x of m) if (x.testStepFinished?.testStepResult.status === 'UNDEFINED' || x.testStepFinished?.testStepResult.status === 'AMBIGUOUS') console.log(x.testStepFinished.testStepResult)
await run.stop()
