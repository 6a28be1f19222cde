import assert from 'node:assert/strict'
import { generateKeyPairSync, X509Certificate } from 'node:crypto'
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { connect, TLSSocket } from 'node:tls'
import { InputError } from '../input-error.ts'
import { readAuthorities, writeAuthorities } from './authority-files.ts'
import { certificate } from './certificate.ts'
import { type Identity, Pki } from './pki.ts'

describe('the authorities that last longer than a run', () => {
  let place: string
  let folder: string

  // Made once and copied: keys cost time.
  let ready: string
  before(() => {
    ready = join(mkdtempSync(join(tmpdir(), 'authorities-')), 'pki')
    writeAuthorities(ready)
  })
  after(() => rmSync(dirname(ready), { recursive: true }))

  beforeEach(() => {
    place = mkdtempSync(join(tmpdir(), 'authorities-'))
    folder = join(place, 'pki')
    mkdirSync(folder)
    for (const file of readdirSync(ready)) copyFileSync(join(ready, file), join(folder, file))
  })
  afterEach(() => rmSync(place, { recursive: true }))

  const refused = (message: RegExp) =>
    assert.throws(
      () => readAuthorities(folder),
      error => {
        assert.ok(error instanceof InputError, String(error))
        assert.match(error.message, message)
        return true
      },
    )
  const write = (file: string, text: string) => writeFileSync(join(folder, file), text)
  const subject = ({ certificate }: Identity) => new X509Certificate(certificate).subject

  it('can be read by their owner alone', () => {
    const mode = (path: string) => statSync(path).mode & 0o777
    assert.equal(mode(ready), 0o700)
    assert.deepEqual(readdirSync(ready).sort(), [
      'other-root-key.pem',
      'other-root.pem',
      'root-key.pem',
      'root.pem',
    ])
    assert.equal(mode(join(ready, 'root-key.pem')), 0o600)
    assert.equal(mode(join(ready, 'other-root-key.pem')), 0o600)
  })

  it('are never overwritten, not even in part', () => {
    rmSync(join(folder, 'root.pem'))
    const before = readFileSync(join(folder, 'root-key.pem'), 'utf8')
    assert.equal(writeAuthorities(folder), false)
    assert.equal(existsSync(join(folder, 'root.pem')), false)
    assert.equal(readFileSync(join(folder, 'root-key.pem'), 'utf8'), before)
  })

  it('leave nothing behind if they cannot be written', () => {
    assert.throws(() => writeAuthorities(join(place, 'nowhere', 'pki')), {
      name: 'InputError',
      message: /nowhere\/pki: ENOENT/,
    })
    assert.deepEqual(readdirSync(place), ['pki'])
  })

  it('have names that no other suite has', () => {
    rmSync(folder, { recursive: true })
    assert.equal(writeAuthorities(folder), true)
    const names = [ready, folder].flatMap(one => Object.values(readAuthorities(one)).map(subject))
    assert.equal(new Set(names).size, 4, names.join())
  })

  it('issue certificates in every run that a gateway accepts which trusts their root', async () => {
    const given = readAuthorities(folder)
    for (const pki of [new Pki(given), new Pki(given)]) {
      assert.equal(await pki.root(), readFileSync(join(folder, 'root.pem'), 'utf8'))
      assert.equal(await pki.root('other'), readFileSync(join(folder, 'other-root.pem'), 'utf8'))
      const good = await pki.issue({ names: ['mx.a.test'], usage: 'server' })
      assert.equal(await verdict(good, given.root), 'good')
      assert.notEqual(await verdict(good, given.other), 'good')
      const other = await pki.issue({
        names: ['mx.a.test'],
        usage: 'server',
        flaws: ['from an unknown authority'],
      })
      assert.equal(await verdict(other, given.other), 'good')
      assert.notEqual(await verdict(other, given.root), 'good')
    }
  })

  it('are not used for the authorities of a certificate transition', async () => {
    const given = readAuthorities(folder)
    const roots = await Promise.all((['former', 'new'] as const).map(name => new Pki(given).root(name)))
    assert.equal(new Set([...roots, given.root.certificate, given.other.certificate]).size, 4)
  })

  it('that are missing are named in the error in the error', () => {
    for (const file of ['root.pem', 'root-key.pem', 'other-root.pem', 'other-root-key.pem']) {
      const text = readFileSync(join(folder, file), 'utf8')
      rmSync(join(folder, file))
      refused(new RegExp(`pki/${file}: there is no such file$`))
      write(file, text)
    }
    rmSync(folder, { recursive: true })
    refused(/pki: there are no authorities here; mail-tls init creates them$/)
  })

  it('that are no certificates or keys are named in the error', () => {
    write('other-root.pem', 'not a certificate')
    refused(/pki\/other-root\.pem: holds no certificate in PEM$/)
    write('root-key.pem', '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n')
    refused(/pki\/root-key\.pem: holds no private key in PEM$/)
  })

  it('whose key does not fit are named in the error', () => {
    copyFileSync(join(folder, 'other-root-key.pem'), join(folder, 'root-key.pem'))
    refused(/pki\/root-key\.pem: is not the key of root\.pem$/)
  })

  it('that are twice the same are named in the error in the error', () => {
    copyFileSync(join(folder, 'root-key.pem'), join(folder, 'other-root-key.pem'))
    copyFileSync(join(folder, 'root.pem'), join(folder, 'other-root.pem'))
    refused(/pki\/other-root\.pem: is the same certificate as root\.pem$/)
  })

  const own = (request: { commonName: string; role: 'authority' | 'server'; until: number }) => {
    const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
    const issuer = { commonName: request.commonName, key: privateKey }
    write('root.pem', certificate({ ...request, publicKey, issuer, from: -30 }))
    write('root-key.pem', privateKey.export({ type: 'pkcs8', format: 'pem' }) as string)
  }

  it('that this suite has not made are named in the error', () => {
    own({ commonName: 'Company root', role: 'authority', until: 1 })
    refused(/pki\/root\.pem: is not a root that mail-tls init has made$/)
    own({ commonName: 'Mail TLS test x root', role: 'server', until: 1 })
    refused(/pki\/root\.pem: is not a root that mail-tls init has made$/)
    own({ commonName: 'Mail TLS test x root', role: 'authority', until: 1 })
    assert.equal(subject(readAuthorities(folder).root), 'CN=Mail TLS test x root')
  })

  it('that have expired are named in the error in the error', () => {
    own({ commonName: 'Mail TLS test x root', role: 'authority', until: -1 })
    refused(/pki\/root\.pem: is valid from .+ to .+ only; remove .+pki and make it anew with mail-tls init$/)
  })
})

/** What Node's TLS makes of a server's identity when it trusts one root: `good`, or the code of its error. */
async function verdict(identity: Identity, root: Identity): Promise<string> {
  const server: Server = createServer(socket => {
    const tls = new TLSSocket(socket, { isServer: true, key: identity.key, cert: identity.certificate })
    tls.on('error', () => tls.destroy())
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  try {
    return await new Promise<string>(resolve => {
      const client = connect({ port, host: '127.0.0.1', ca: root.certificate, servername: 'mx.a.test' })
      client.on('secureConnect', () => {
        client.destroy()
        resolve('good')
      })
      client.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
    })
  } finally {
    await new Promise(resolve => server.close(resolve))
  }
}
