import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { external } from '../gateway/external.ts'
import { loadGatewayFile } from '../gateway/gateway-file.ts'
import { writeAuthorities } from '../pki/authority-files.ts'
import { surroundings } from './start-lab.ts'

describe('the lab around a gateway of a file', () => {
  let folder: string
  const other = createServer()
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'surroundings-'))
    writeAuthorities(join(folder, 'pki'))
    await once(other.listen(0, '127.0.0.1'), 'listening')
  })
  after(() => {
    other.close()
    rmSync(folder, { recursive: true })
  })

  const refused = async (common: string, own: string, key: string) => {
    const file = join(folder, 'gateway.yaml')
    writeFileSync(
      file,
      `name: a
outbound:
  submit: 127.0.0.1:1
  sender: a@b.test
  partner: ${common}
  connectors:
    - { to: a.test, tls: opportunistic }
    - { to: b.test, tls: opportunistic, partner: ["${own}"] }
`,
    )
    await assert.rejects(surroundings(external(loadGatewayFile(file))), {
      name: 'InputError',
      message: new RegExp(`^${file}: ${key}: the suite cannot listen there: .*EADDRINUSE`),
    })
  }

  it('names the key whose address another program has', async () => {
    const { port } = other.address() as AddressInfo
    const [taken, free] = [`127.0.0.1:${port}`, `127.0.0.2:${port}`]
    await refused(taken, free, 'outbound\\.partner')
    await refused(free, taken, 'outbound\\.connectors\\[1\\]\\.partner')
  })

  const named = (names: object) => {
    const file = join(folder, 'gateway.yaml')
    const connectors = [{ to: '*.a.test', tls: 'opportunistic' }]
    const outbound = { submit: '127.0.0.1:1', sender: 'a@b.test', connectors }
    writeFileSync(file, JSON.stringify({ name: 'a', outbound, names }))
    return surroundings(external(loadGatewayFile(file)))
  }

  it('names the key where the suite cannot answer DNS or play partners', async () => {
    const { port } = other.address() as AddressInfo
    const fit = { listen: `127.95.0.1:${port}`, partners: ['127.93.0.0/24'], port: 2600 }
    for (const [names, message] of [
      [{ listen: `127.0.0.1:${port}` }, /: names\.listen: the suite cannot listen there: .*EADDRINUSE/],
      [{ partners: ['127.93.1.0/24', '127.0.0.0/30'], port }, /: names\.partners\[1\]: .*EADDRINUSE/],
      [
        { partners: ['192.0.2.128/25'] },
        /: names\.partners\[0\]: .*EADDRNOTAVAIL.*; this machine must have every/,
      ],
    ] as const)
      await assert.rejects(named({ ...fit, ...names }), { name: 'InputError', message })
  })

  it('is one in which partners have addresses of their own, with the key names', async () => {
    const { port } = other.address() as AddressInfo
    const { lab } = await named({ listen: `127.95.0.1:${port}`, partners: ['127.94.0.0/24'], port: 2600 })
    assert.deepEqual([lab.room, lab.port, lab.leadsAll], [253, 2600, true])
    assert.match(lab.author!.domain, /\.a\.test$/)
    await lab.stop()
  })
})
