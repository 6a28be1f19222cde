import assert from 'node:assert/strict'
import { fetched, NotFetched } from '../../traffic/fetching.ts'
import type { WayToHost } from '../lab.ts'
import { AddressWeb } from './address-web.ts'

describe('a web host of the lab without a name', () => {
  for (const address of ['127.0.0.1', '::1'])
    it(`can be refused, dropped and open again at ${address}`, async () => {
      const web = new AddressWeb(address)
      try {
        const url = await web.at('crl.d1.test', '/list.crl')
        const other = await web.at('ocsp.d1.test', '/answers')
        await web.serve(
          new Map([
            [url, { body: Buffer.from('here') }],
            [other, { body: Buffer.from('there') }],
          ]),
        )
        const outcomes: string[] = []
        for (const way of ['open', 'refused', 'dropped', 'open'] satisfies WayToHost[]) {
          await web.way(url, way)
          outcomes.push(await outcome(url))
          assert.equal(await outcome(other), 'there')
        }
        assert.deepEqual(outcomes, ['here', 'refused', 'filtered', 'here'])
        const hosts = (await web.requests('d1.test')).map(({ host }) => host)
        assert.equal(hosts.filter(host => host === 'crl.d1.test').length, 2)
        assert.deepEqual(await web.requests('d2.test'), [])
      } finally {
        await web.stop()
      }
    })
})

const outcome = (url: string) =>
  fetched(url, { most: 100, wait: 500 }).then(
    body => body.toString(),
    error => {
      if (error instanceof NotFetched) return error.fault
      throw error
    },
  )
