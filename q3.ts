import { Run, useRun } from '/work/main/support/run/run.ts'
import { bundledGateway } from '/work/main/containers/index.ts'
import { send } from '/work/main/support/gateway/sending.ts'
import { compose } from '/work/main/support/lab/message.ts'
const run = await Run.start({ source: bundledGateway('haraka') })
const g = await run.gateways.with('as it is')
let bad = 0
for (let r = 0; r < 15; r++) await Promise.all(Array.from({length: 12}, async () => {
  const domain = run.lab.freshDomain('*.opportunistic.test')
  const p = await run.lab.partner({ domain, hosts: [{}, {}, {}] })
  const [s] = await send({ gateway: g, submission: run.submission(g), message: compose({ from: 'probe@gateway.test', to: [`inbox@${domain}`] }), partners: [p] })
  if (s!.arrivals.length !== 1) { bad++; console.log(s!.word, s!.arrivals.length, g.log(domain, 20).join('\n')) }
}))
console.log('bad', bad)
await run.stop()
