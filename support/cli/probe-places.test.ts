import assert from 'node:assert/strict'
import { type Names, placesOf, placesOfDomains } from './probe-places.ts'

const failing = (code: string) => Promise.reject(Object.assign(new Error(code), { code }))
const NAMES: Names = {
  addresses: async host =>
    host === 'mx1.d.test'
      ? ['192.0.2.1', '2001:db8::1']
      : host === 'mx2.d.test'
        ? ['192.0.2.2']
        : failing('ENOTFOUND'),
  exchangers: domain =>
    ({
      'd.test': Promise.resolve([
        { priority: 20, exchange: 'mx2.d.test' },
        { priority: 10, exchange: 'mx1.d.test' },
      ]),
      'mx1.d.test': failing('ENODATA'),
      'null.test': Promise.resolve([{ priority: 0, exchange: '' }]),
      'lost.test': Promise.resolve([{ priority: 0, exchange: 'nowhere.test' }]),
    })[domain] ?? failing('ENOTFOUND'),
}
const told = (places: Awaited<ReturnType<typeof placesOf>>) =>
  places.map(({ host, address, port, service, name }) => [host, address, port, service, name].join(' '))

describe('where a probe asks', () => {
  const HOSTS: Record<string, string[]> = {
    'mx1.d.test': ['mx1.d.test 192.0.2.1 25 smtp mx1.d.test', 'mx1.d.test 2001:db8::1 25 smtp mx1.d.test'],
    'mx2.d.test:465': ['mx2.d.test 192.0.2.2 465 tls mx2.d.test'],
    'mx2.d.test:24': ['mx2.d.test 192.0.2.2 24 lmtp mx2.d.test'],
    '192.0.2.7:2525': ['192.0.2.7 192.0.2.7 2525 smtp '],
    '[2001:db8::7]:587': ['2001:db8::7 2001:db8::7 587 smtp '],
    '2001:db8::7': ['2001:db8::7 2001:db8::7 25 smtp '],
  }
  for (const [target, places] of Object.entries(HOSTS))
    it(`is every address of ${target}`, async () => {
      assert.deepEqual(told(await placesOf([target], undefined, undefined, NAMES)), places)
    })

  it('is what is said, where somebody says it', async () => {
    assert.deepEqual(told(await placesOf(['192.0.2.7:465'], 'smtp', 'mx.test', NAMES)), [
      '192.0.2.7 192.0.2.7 465 smtp mx.test',
    ])
  })

  it('is every address of every mail exchanger of a domain, the preferred one first', async () => {
    assert.deepEqual(told(await placesOfDomains(['d.test'], undefined, NAMES)), [
      'mx1.d.test 192.0.2.1 25 smtp mx1.d.test',
      'mx1.d.test 2001:db8::1 25 smtp mx1.d.test',
      'mx2.d.test 192.0.2.2 25 smtp mx2.d.test',
    ])
  })

  it('is the domain itself where it has no mail exchangers', async () => {
    assert.equal((await placesOfDomains(['mx1.d.test'], undefined, NAMES)).length, 2)
  })

  const WRONG: Record<string, RegExp> = {
    'null.test': /^--mx null\.test: this domain says that it takes no mail/,
    'gone.test': /^--mx gone\.test: its mail exchangers cannot be found \(ENOTFOUND\)/,
    'lost.test': /^nowhere\.test: no address is known of this name \(ENOTFOUND\)/,
  }
  for (const [domain, message] of Object.entries(WRONG))
    it(`is nowhere for ${domain}`, async () => {
      await assert.rejects(placesOfDomains([domain], undefined, NAMES), { name: 'InputError', message })
    })
})
