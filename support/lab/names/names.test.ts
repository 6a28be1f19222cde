import assert from 'node:assert/strict'
import { Resolver } from 'node:dns/promises'
import { Names } from './names.ts'

describe('the DNS server of the lab without containers', () => {
  const all = new Names()
  const view = new Names(all)
  const ask = (port: number) => {
    const resolver = new Resolver()
    resolver.setServers([`127.0.0.1:${port}`])
    return resolver
  }
  let main: Resolver
  let seen: Resolver
  before(async () => {
    ;[main, seen] = (await Promise.all([all.start(), view.start()])).map(ask) as [Resolver, Resolver]
    all.setMx('d1.test', [{ preference: 10, hostname: 'mx.d1.test', address: '127.64.0.1' }])
    all.setMx('d2.test', [{ preference: 10, hostname: 'mx.d2.test', address: '127.64.0.2' }])
    view.setMx('d1.test', [{ preference: 10, hostname: 'mailbox.d1.test', address: '127.64.0.3' }])
  })
  after(() => Promise.all([all.stop(), view.stop()]))

  it('asks the other server for names that it does not have', async () => {
    const exchange = async (resolver: Resolver, domain: string) =>
      (await resolver.resolveMx(domain))[0]!.exchange
    assert.equal(await exchange(main, 'd1.test'), 'mx.d1.test')
    assert.equal(await exchange(seen, 'd1.test'), 'mailbox.d1.test')
    assert.equal(await exchange(seen, 'D2.test'), 'mx.d2.test')
    assert.deepEqual(await seen.resolve4('mailbox.d1.test'), ['127.64.0.3'])
    await assert.rejects(main.resolve4('mailbox.d1.test'), /ENOTFOUND/)
    await assert.rejects(seen.resolveMx('d3.test'), /ENOTFOUND/)
  })
})
