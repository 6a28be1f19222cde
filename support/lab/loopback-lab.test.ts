import assert from 'node:assert/strict'
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
})
