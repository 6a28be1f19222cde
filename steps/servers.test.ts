import assert from 'node:assert/strict'
import type { Partner } from '../support/lab/partner/partner.ts'
import type { Run } from '../support/run/run.ts'
import { NotBegun } from './outcome.ts'
import { Servers } from './servers.ts'
import { Intent } from './vocabulary/intent.ts'
import type { Subjects } from './vocabulary/subjects.ts'

describe('the servers of an example', () => {
  let over: boolean
  let released: string[]
  let servers: Servers
  beforeEach(() => {
    over = false
    released = []
    const lab = {
      partners: async (asked: readonly { domain: string }[]) => asked as readonly unknown[] as Partner[],
      release: ({ domain }: Partner) => released.push(domain),
    }
    const run = { lab, isOver: () => over, flow: { outbound: [] }, gateways: { source: {} } }
    servers = new Servers(run as unknown as Run, new Intent<Subjects>(), 'sender')
  })

  it('do not begin if the time was over while the example waited for its first partner', async () => {
    over = true
    await assert.rejects(servers.partner({ domain: 'a.test' }), NotBegun)
    servers.release()
    assert.deepEqual(released, ['a.test'])
  })

  it('go on if the time is over later', async () => {
    await servers.partner({ domain: 'a.test' })
    over = true
    assert.equal((await servers.partner({ domain: 'b.test' })).domain, 'b.test')
  })
})
