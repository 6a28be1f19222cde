import { Run } from '/work/main/support/run/run.ts'
import { bundledGateway } from '/work/main/containers/index.ts'
import { Stream } from '/work/main/support/lab/stream.ts'
import { gatewayIdentity } from '/work/main/support/gateway/standard-flow.ts'
const run = await Run.start({ source: bundledGateway('haraka') })
for (let i = 0; i < Number(process.argv[2] ?? 4); i++) {
const g = await run.gateways.ofOwn('shows a certificate of the former authority')
const s = new Stream({ endpoint: g.inbound, hostname: g.flow.hostname, pki: run.pki, behaviour: { tls: 'uses' } }, { from: `s@${run.lab.freshDomain('*.stranger.test')}`, to: ['inbox@gateway.test'] })
await new Promise(r => setTimeout(r, 300 + i*20))
const t = performance.now()
await g.change({ ...g.flow, identity: await gatewayIdentity(g.flow, run.pki, 'new') })
const d = performance.now() - t
await new Promise(r => setTimeout(r, 400))
await s.end()
let dup = 0, miss = 0
for (const m of s.accepted) { const c = (await run.mailbox.await(m.token)).length; if (c === 0) miss++; if (c > 1) { dup++
  const tries = s.sessions.filter(x => x.handover.message.token === m.token)
  console.log('DUP', c, 'attempts with handshake', tries.length, tries.map(x => x.handover.stage + ':' + (x.handover.breakdown?.detail ?? x.handover.reply?.text)).join(' | '))
} }
console.log('change', Math.round(d), 'accepted', s.accepted.length, 'dup', dup, 'miss', miss, 'lost', s.lost.length)
if (process.env.L) console.log(g.log('', 60).join('\n'))
await g.stop()
}
await run.stop()
