import assert from 'node:assert/strict'
import { Resolver } from 'node:dns/promises'
import { connect } from 'node:net'
import { networkInterfaces } from 'node:os'
import { Pki } from '../pki/pki.ts'
import { LoopbackLab } from './loopback-lab.ts'

/** What somebody gets who connects: the first bytes, or the system's error code. */
const firstBytes = (host: string, port: number) =>
  new Promise<string>(resolve => {
    const socket = connect({ host, port })
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
    socket.once('data', bytes => {
      socket.destroy()
      resolve(bytes.toString())
    })
  })

describe('the lab on the loopback interface', () => {
  const lab = new LoopbackLab(new Pki())
  before(() => lab.start())
  after(() => lab.stop())

  it('gives each mail exchanger a loopback address of its own, all at one port', async () => {
    const partners = await lab.partners([
      { domain: 'd1.test', hosts: [{}, {}] },
      { domain: 'd2.test', hosts: [{}] },
    ])
    const hosts = partners.flatMap(({ hosts }) => hosts)
    assert.equal(new Set(hosts.map(({ address }) => address)).size, 3)
    for (const { address, hostname } of hosts)
      assert.equal(await firstBytes(address, lab.port), `220 ${hostname} ESMTP\r\n`)
  })

  it('accepts no connection that comes over another interface', async () => {
    await lab.partner({ domain: 'd3.test' })
    const others = Object.values(networkInterfaces())
      .flatMap(addresses => addresses ?? [])
      .filter(({ internal, scopeid = 0 }) => !internal && scopeid === 0)
    for (const { address } of others) assert.equal(await firstBytes(address, lab.port), 'ECONNREFUSED')
  })

  const onIpv6 = { manner: { place: 'at an IPv6 address' } } as const
  for (const [what, manner] of [
    ['an IPv4 address', {}],
    ['an IPv6 address', onIpv6],
  ] as const)
    it(`changes how a partner at ${what} behaves, from the next connection on`, async () => {
      const refuses = { greeting: 'refuses (554)', times: 1, ...manner } as const
      const [partner] = await lab.partners([{ domain: 'd4.test', hosts: [refuses] }])
      const greeting = async () => (await firstBytes(partner!.hosts[0]!.address, lab.port)).slice(0, 3)
      assert.deepEqual([await greeting(), await greeting()], ['554', '220'])
      await lab.change(partner!, [refuses])
      assert.deepEqual([await greeting(), await greeting()], ['554', '220'])
      await assert.rejects(lab.change(partner!, []), /0 behaviours for 1 mail exchangers/)
      lab.release(partner!)
    })

  it('gives its IPv6 address to one partner at a time, and IPv4 addresses to what does not fit', async () => {
    const hosts = [onIpv6]
    const [first] = await lab.partners([{ domain: 'd5.test', hosts }])
    let there = false
    const later = lab.partners([{ domain: 'd6.test', hosts }]).then(made => {
      there = true
      return made
    })
    const [one, other] = await lab.partners([
      { domain: 'd7.test', hosts: [onIpv6, {}] },
      { domain: 'd8.test' },
    ])
    for (const partner of [one, other])
      for (const { address } of partner!.hosts) assert.match(address, /^127\./)
    assert.equal(there, false)
    lab.release(first!)
    const [second] = await later
    assert.equal(second!.hosts[0]!.address, '::1')
    lab.release(second!)
  })

  it('leads more domains to a partner', async () => {
    const partner = await lab.partner({ domain: 'd9.test', alsoFor: ['d10.test'] })
    const resolver = new Resolver()
    resolver.setServers([`127.0.0.1:${lab.dnsPort}`])
    assert.deepEqual(await resolver.resolveMx('d10.test'), await resolver.resolveMx('d9.test'))
    assert.deepEqual(
      ['a@d9.test', 'a@D10.test', 'a@d11.test'].map(one => partner.expects(one)),
      [true, true, false],
    )
    assert.ok(partner.hosts[0]!.spec.names.includes('d10.test'))
  })
})
