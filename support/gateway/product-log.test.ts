import assert from 'node:assert/strict'
import { GatewayFailure } from '../gateway-failure.ts'
import type { Adapter } from './adapter.ts'
import { ProductLog } from './product-log.ts'

describe('the log of a product', () => {
  const adapter: Adapter = {
    name: 'sample',
    capabilities: new Set(),
    reasons: {},
    ready: /^up$/,
    render: () => ({ files: [] }),
    read: line =>
      line.startsWith('lost ') ? { kind: 'bounced', recipient: line.slice(5), reason: 'r' } : undefined,
    session: () => undefined,
  }

  it('tells its watchers of words about recipients, and of the end', () => {
    const log = new ProductLog(adapter)
    const told: unknown[] = []
    log.watch(event => told.push(event?.recipient ?? log.end?.message))
    for (const line of ['up', 'lost a@b.test']) log.add(line)
    log.ended(new GatewayFailure('it fell'))
    log.add('lost c@d.test')
    assert.deepEqual(told, ['a@b.test', 'it fell'])
    assert.equal(log.events.length, 1)
  })

  it('ends at a limit, because a line that is not kept could be missed', () => {
    const log = new ProductLog(adapter)
    for (let n = 0; n < 50_000; n++) log.add('x'.repeat(n === 7 ? 5_000 : 9))
    assert.equal(log.end, undefined)
    log.add('x')
    assert.match(log.end!.message, /^sample says more than 50000 lines/)
    assert.ok(log.mentioning('xxxxxxxxxx', 1)[0]!.length < 700)
  })
})
