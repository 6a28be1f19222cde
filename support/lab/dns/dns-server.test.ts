import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { Resolver } from 'node:dns/promises'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, isIPv6 } from 'node:net'
import { decode, encode, type StringAnswer } from 'dns-packet'
import { freePort } from '../../free-port.ts'
import { Names } from './dns-server.ts'

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

  it('does not say of a name that nothing is below it where something is', async () => {
    await assert.rejects(main.resolve4('d4.test'), /ENOTFOUND/)
    all.setMx('a.d4.test', [{ preference: 10, hostname: 'mx.a.d4.test', address: '127.64.0.4' }])
    await assert.rejects(main.resolve4('d4.test'), /ENODATA/)
    await assert.rejects(seen.resolve4('d4.test'), /ENODATA/)
    await assert.rejects(main.resolve4('b.d4.test'), /ENOTFOUND/)
  })

  it('has an address for senders that were admitted, unless they have records of their own', async () => {
    all.admit(['*.admitted.test', 'own.test'], '127.64.0.9')
    all.setMx('d5.admitted.test', [
      { preference: 10, hostname: 'mx.d5.admitted.test', address: '127.64.0.5' },
    ])
    assert.deepEqual(await main.resolve4('any.Admitted.test'), ['127.64.0.9'])
    assert.deepEqual(await main.resolve4('own.test'), ['127.64.0.9'])
    assert.deepEqual(await main.resolve4('mx.d5.admitted.test'), ['127.64.0.5'])
    await assert.rejects(main.resolve4('d5.admitted.test'), /ENODATA/)
    await assert.rejects(main.resolveMx('any.admitted.test'), /ENODATA/)
    await assert.rejects(main.resolve4('admitted.test'), /ENODATA/)
    await assert.rejects(main.resolve4('sub.own.test'), /ENOTFOUND/)
  })
})

describe('the DNS server of the lab at an address', () => {
  const question = encode({ type: 'query', id: 7, questions: [{ type: 'A', name: 'mx.d1.test' }] })

  for (const host of ['127.0.0.1', '::1'])
    it(`answers over UDP and TCP at ${host}, and ends although a client stays`, async () => {
      const names = new Names()
      const port = await freePort(host)
      assert.equal(await names.start({ host, port }), port)
      names.setMx('d1.test', [{ preference: 10, hostname: 'mx.d1.test', address: '127.64.0.1' }])
      const resolver = new Resolver()
      resolver.setServers([isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`])
      assert.deepEqual(await resolver.resolve4('mx.d1.test'), ['127.64.0.1'])
      const socket = connect({ host, port })
      socket.write(Buffer.concat([Buffer.from([0, question.length]), question]))
      const [answer] = (await once(socket, 'data')) as [Buffer]
      assert.equal((decode(answer.subarray(2)).answers![0] as StringAnswer).data, '127.64.0.1')
      socket.on('error', () => {})
      await names.stop()
      socket.destroy()
    })

  it('says where it cannot listen, if another program has the port on TCP or UDP', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const endpoint = { host: '127.0.0.1', port }
    const names = new Names()
    await assert.rejects(names.start(endpoint), { name: 'CannotListen', endpoint, code: 'EADDRINUSE' })
    await names.stop()
    server.close()
    const socket = createSocket('udp4').bind(port, '127.0.0.1')
    await once(socket, 'listening')
    const others = new Names()
    await assert.rejects(others.start(endpoint), { name: 'CannotListen', endpoint, code: 'EADDRINUSE' })
    await others.stop()
    socket.close()
    const last = new Names()
    await last.start(endpoint)
    await last.stop()
  })

  it('outlives bytes that are no DNS, over UDP and TCP', async () => {
    const names = new Names()
    const port = await freePort('127.0.0.1')
    await names.start({ host: '127.0.0.1', port })
    const socket = createSocket('udp4')
    for (const junk of ['', 'x', Buffer.alloc(500, 0xff)]) socket.send(junk, port, '127.0.0.1')
    const stream = connect({ host: '127.0.0.1', port })
    stream.end(Buffer.concat([Buffer.from([0, 3]), Buffer.from('abc')]))
    stream.on('error', () => {})
    stream.resume()
    await once(stream, 'close')
    const resolver = new Resolver()
    resolver.setServers([`127.0.0.1:${port}`])
    await assert.rejects(resolver.resolve4('mx.d1.test'), /ENOTFOUND/)
    socket.close()
    await names.stop()
  })
})
