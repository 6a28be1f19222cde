import assert from 'node:assert/strict'
import { randomInt } from 'node:crypto'
import { Resolver } from 'node:dns/promises'
import { once } from 'node:events'
import { connect, createServer, type LookupFunction } from 'node:net'
import { networkInterfaces } from 'node:os'
import { freePort } from '../free-port.ts'
import { Pki } from '../pki/pki.ts'
import { handOver } from '../traffic/deliver-message.ts'
import { fetched } from '../traffic/fetching.ts'
import { compose } from '../traffic/message.ts'
import { LoopbackLab } from './loopback-lab.ts'
import { AddressRange } from './partner/address-range.ts'

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

describe('the lab at addresses for a gateway of the user', () => {
  it('knows that somebody looked for a web host of its and did not come', async () => {
    const dns = { host: '127.0.0.1', port: await freePort('127.0.0.1') }
    const lab = new LoopbackLab(new Pki(), {
      ...{ partners: [new AddressRange(`127.99.${randomInt(256)}.0/29`)], port: 2525, dns, admitted: [] },
    })
    await lab.start()
    try {
      const { web } = lab
      const url = await web!.at('crl.d1.test', '/list.crl')
      await web!.serve(new Map([[url, { body: Buffer.from('here') }]]))
      assert.equal(web!.unreached!('d1.test'), undefined)
      const resolver = new Resolver()
      resolver.setServers([`${dns.host}:${dns.port}`])
      await resolver.resolve4('crl.d1.test')
      assert.equal(web!.unreached!('d1.test'), 'crl.d1.test')
      assert.equal(web!.unreached!('d2.test'), undefined)
      const lookup: LookupFunction = (name, _, done) =>
        void resolver.resolve4(name).then(found =>
          done(
            null,
            found.map(address => ({ address, family: 4 })),
          ),
        )
      const answer = await fetched(url, { most: 10, lookup })
      assert.equal(answer.toString(), 'here')
      assert.equal(web!.unreached!('d1.test'), undefined)
    } finally {
      await lab.stop()
    }
  })

  it('has no web hosts where there are too few addresses', () => {
    const about = { port: 2525, dns: { host: '127.0.0.1', port: 0 }, admitted: [] }
    const web = (range: string) =>
      new LoopbackLab(new Pki(), { ...about, partners: [new AddressRange(range)] }).web
    assert.equal(web('127.99.0.0/31'), undefined)
    assert.ok(web('127.99.0.0/29'))
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

describe('the lab at addresses that a user has chosen', () => {
  const pki = new Pki()
  const labs: LoopbackLab[] = []
  afterEach(async () => {
    await Promise.all(labs.splice(0).map(lab => lab.stop()))
  })

  /** A lab with these addresses for partners. No two tests have the same addresses. */
  const labAt = async (...partners: string[]) => {
    const lab = new LoopbackLab(pki, {
      partners: partners.map(text => new AddressRange(text)),
      port: 2600,
      dns: { host: '127.0.0.1', port: 0 },
      sender: 'a@gateway.test',
      connectors: [
        { to: '*.forced.test', tls: 'encryption-only' },
        { to: '*.plain.test', tls: 'opportunistic' },
      ],
      admitted: ['*.stranger.test'],
    })
    labs.push(lab)
    await lab.start()
    const resolver = new Resolver()
    resolver.setServers([`127.0.0.1:${lab.dnsPort}`])
    return { lab, resolver }
  }
  const net = (() => {
    let n = 0
    return () => `127.${randomInt(100, 190)}.${randomInt(256)}.${++n * 16}`
  })()
  const deliver = (domain: string, host: string) =>
    handOver(compose({ from: 'a@gateway.test', to: [`b@${domain}`] }), {
      ...{ endpoint: { host, port: 2600 }, hostname: `mx.${domain}`, pki, behaviour: { tls: 'uses' } },
    })

  it('has a partner at each address, and the DNS leads to it', async () => {
    const range = `${net()}/28`
    const { lab, resolver } = await labAt(range)
    assert.deepEqual([lab.room, lab.port], [13, 2600])
    const [one, two] = await lab.partners([
      { domain: 'a.forced.test', hosts: [{}, {}] },
      { domain: 'b.plain.test' },
    ])
    assert.deepEqual(
      (await resolver.resolveMx('a.forced.test'))
        .map(({ exchange, priority }) => [exchange, priority])
        .sort(),
      [
        ['mx.a.forced.test', 10],
        ['mx2.a.forced.test', 20],
      ],
    )
    const [host] = await resolver.resolve4('mx2.a.forced.test')
    assert.equal((await deliver('a.forced.test', host!)).accepted, true)
    assert.deepEqual([one!.messages.length, two!.messages.length], [1, 0])
    assert.equal(one!.messages[0]!.host, 'mx2.a.forced.test')
  })

  it('sees what comes back to the author of a message', async () => {
    const { lab, resolver } = await labAt(`${net()}/28`)
    const { domain, messages } = lab.author!
    assert.match(domain, /\.plain\.test$/)
    const [host] = await resolver.resolve4(`mx.${domain}`)
    assert.equal((await deliver(domain, host!)).accepted, true)
    assert.equal(messages.length, 1)
    assert.deepEqual(await resolver.resolve4('any.stranger.test'), [host])
  })

  it('gives an address to another partner where there is no other, and knows for which one a message is', async () => {
    const { lab } = await labAt(`${net()}/30`)
    assert.deepEqual([lab.room, lab.places], [1, []])
    const [first] = await lab.partners([{ domain: 'a.forced.test' }])
    let there = false
    const later = lab.partners([{ domain: 'b.forced.test' }]).then(([made]) => {
      there = true
      return made!
    })
    const { address } = first!.hosts[0]!
    assert.equal((await deliver('a.forced.test', address)).accepted, true)
    assert.equal(there, false)
    lab.release(first!)
    const second = await later
    assert.deepEqual([second.hosts[0]!.address, second.shared], [address, false])
    const late = await deliver('a.forced.test', address)
    assert.deepEqual([late.accepted, late.reply?.code], [false, 421])
    assert.equal((await deliver('b.forced.test', address)).accepted, true)
    assert.deepEqual([first!.messages.length, second.messages.length], [1, 1])
    // A client that is put off comes again.
    assert.ok(lab.strays > 0)
    // It came inside TLS, and met the certificate of the second partner.
    assert.equal(first!.conversations.length, 1)
    assert.equal(first!.misrouted, 'the gateway came again when another partner had the address')
  })

  it('says that earlier mail may come again to an address where it did not arrive', async () => {
    const { lab } = await labAt(`${net()}/30`)
    const [first] = await lab.partners([{ domain: 'a.forced.test', hosts: [{ greeting: 'refuses (554)' }] }])
    await deliver('a.forced.test', first!.hosts[0]!.address)
    lab.release(first!)
    const [second] = await lab.partners([{ domain: 'b.forced.test' }])
    assert.equal(second!.shared, true)
  })

  it('has partners at IPv6 addresses too, or alone', async () => {
    const { lab: both } = await labAt(`${net()}/28`, '::1')
    assert.ok(both.places.includes('at an IPv6 address'))
    const [partner] = await both.partners([
      { domain: 'a.plain.test', hosts: [{ manner: { place: 'at an IPv6 address' } }] },
    ])
    assert.equal(partner!.hosts[0]!.address, '::1')
    assert.equal((await deliver('a.plain.test', '::1')).accepted, true)
    assert.equal(partner!.messages.length, 1)
  })

  it('has an address at which nobody listens before a second mail exchanger, also where one listened before', async () => {
    const range = `${net()}/28`
    const { lab, resolver } = await labAt(range)
    for (let i = 0; i < 13; i++) lab.release(await lab.partner({ domain: `a${i}.plain.test` }))
    const [partner] = await lab.partners([
      { domain: 'b.plain.test', hosts: [{ manner: { place: 'at its second mail exchanger' } }] },
    ])
    const [first, second] = (await resolver.resolveMx('b.plain.test')).sort((a, b) => a.priority - b.priority)
    const [closed] = await resolver.resolve4(first!.exchange)
    assert.equal(await firstBytes(closed!, 2600), 'ECONNREFUSED')
    assert.equal(second!.exchange, partner!.hosts[0]!.hostname)
    assert.equal(await firstBytes(partner!.hosts[0]!.address, 2600), '220 mx.b.plain.test ESMTP\r\n')
  })

  it('does not start where this machine lacks an address, and leaves no partner waiting for one that another program has', async () => {
    await assert.rejects(labAt('192.0.2.128/25'), { name: 'CannotListen', code: 'EADDRNOTAVAIL' })
    const base = net()
    const other = createServer().listen(
      2600,
      base.replace(/\d+$/, last => String(Number(last) + 2)),
    )
    await once(other, 'listening')
    const { lab } = await labAt(`${base}/29`)
    await assert.rejects(lab.partner({ domain: 'a.plain.test' }), {
      name: 'CannotListen',
      code: 'EADDRINUSE',
    })
    await lab.partner({ domain: 'b.plain.test' })
    other.close()
  })
})
