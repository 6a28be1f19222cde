import assert from 'node:assert/strict'
import type { LookupFunction } from 'node:net'
import { fetched, NotFetched } from '../../traffic/fetching.ts'
import type { WayToHost } from '../lab.ts'
import { LoopbackWeb } from './loopback-web.ts'

describe('the way to a web host of the lab', () => {
  const addresses = new Map<string, string | undefined>()
  const web = new LoopbackWeb((host, address) => addresses.set(host, address))
  after(() => web.stop())

  const lookup: LookupFunction = (hostname, { all }, done) => {
    const address = addresses.get(hostname)
    const noName = Object.assign(new Error('no name'), { code: 'ENOTFOUND' })
    // Later, as a resolver answers.
    setImmediate(() => {
      if (address === undefined) done(noName, '')
      else if (all) done(null, [{ address, family: 4 }])
      else done(null, address, 4)
    })
  }
  const outcome = async (url: string) =>
    fetched(url, { most: 100, lookup, wait: 500 }).then(
      body => body.toString(),
      error => {
        if (error instanceof NotFetched) return error.fault
        throw error
      },
    )

  const CASES: [way: WayToHost, outcome: string][] = [
    ['refused', 'refused'],
    ['dropped', 'filtered'],
    ['without a name', 'name resolution'],
    ['open', 'here'],
  ]
  for (const [way, expected] of CASES)
    it(`can be ${way}`, async () => {
      const url = await web.at('crl.d1.test', '/list.crl')
      await web.serve(new Map([[url, { body: Buffer.from('here') }]]))
      await web.way(url, way)
      assert.equal(await outcome(url), expected)
    })
})
