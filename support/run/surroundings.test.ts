import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { external } from '../gateway/external.ts'
import { loadGatewayFile } from '../gateway/gateway-file.ts'
import { writeAuthorities } from '../pki/authority-files.ts'
import { surroundings } from './surroundings.ts'

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
})
