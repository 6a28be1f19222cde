import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Ajv } from 'ajv'
import addFormats from 'ajv-formats'
import { HttpHost } from '../lab/services/http-host.ts'
import { certificate } from '../pki/certificate.ts'
import { Hierarchy } from '../pki/hierarchies.ts'
import { ocspAnswer } from '../pki/write-crl-and-ocsp.ts'
import { runCommand } from '../test-bed/fixtures/command.ts'
import { type AuthorityBehaviour, authorityAnswers } from '../test-bed/fixtures/revocation-host.ts'
import { SmtpListener } from '../test-bed/fixtures/smtp-listener.ts'

const ajv = new Ajv({ strict: true, allowUnionTypes: true })
addFormats.default(ajv, ['date-time'])

describe('the commands about certificates', () => {
  const host = new HttpHost()
  const folder = mkdtempSync(join(tmpdir(), 'mail-tls-certificates-'))
  let hierarchy: Hierarchy
  let leaf: X509Certificate
  let server: SmtpListener
  let stapled: Buffer | undefined
  const file = (name: string, content: string | Buffer) => {
    writeFileSync(join(folder, name), content)
    return join(folder, name)
  }
  const behave = (behaviour: AuthorityBehaviour = {}) => {
    for (const [url, answer] of authorityAnswers(hierarchy, leaf, behaviour))
      host.serve(new URL(url).pathname, answer)
  }
  before(async () => {
    await host.listen('127.0.0.1')
    hierarchy = new Hierarchy('2018', { at: place => `http://127.0.0.1:${host.port}/${place}` })
    const made = hierarchy.leaf()
    leaf = new X509Certificate(made.certificate)
    behave()
    file('chain.pem', made.certificate + hierarchy.intermediate.certificate)
    file('root.pem', hierarchy.root.certificate)
    server = await SmtpListener.start({
      tls: {
        key: made.key!.export({ type: 'pkcs8', format: 'pem' }),
        cert: made.certificate + hierarchy.intermediate.certificate,
      },
      stapled: () => stapled,
    })
  })
  after(async () => {
    await Promise.all([host.close(), server.close()])
    rmSync(folder, { recursive: true })
  })

  const run = async (...args: string[]) => {
    const env = { MAIL_TLS_PATIENCE: '4000', NO_COLOR: '1' }
    const { status, out, err } = await runCommand(args, { cwd: folder, env })
    for (const line of `${out}${err}`.split('\n'))
      if (!args.includes('--json')) assert.ok(line.length <= 80 || /^mail-tls: /.test(line), line)
    return { status, out, err }
  }
  const json = async (schema: string, ...args: string[]) => {
    const { status, out } = await run(...args, '--json')
    const document = JSON.parse(out)
    const validate = ajv.compile<Told>(JSON.parse(readFileSync(join(import.meta.dirname, schema), 'utf8')))
    assert.ok(validate(document), JSON.stringify(validate.errors))
    return { status, document }
  }
  /** What the schemas say, as far as it is read here. */
  interface Told {
    expected: { same: boolean; attributes: { attribute: string; same: boolean }[] }
    installed: { state: string; missing: number }
    certificates: { standing: string; status: string }[]
  }
  const address = () => `127.0.0.1:${server.endpoint.port}`
  const words = (text: string) => text.replace(/\s+/g, ' ')

  it('show what a server shows, with the attributes of the published tables', async () => {
    const { status, out } = await run('certificate', address(), '--store', 'root.pem')
    assert.equal(status, 0)
    assert.match(
      out,
      /^root +C=BE, O=GlobalSign nv-sa, OU=Root CA, CN=GlobalSign Root CA; is\n +in root\.pem$/m,
    )
    assert.match(out, /^names +mail\.protection\.outlook\.com$/m)
    assert.match(out, /^organisation +Microsoft Corporation$/m)
    assert.match(out, /^unit +\(none\)$/m)
    assert.match(out, /^key +RSA 2048$/m)
    assert.match(out, /89 days left/)
  })

  it('compare a certificate with a published set, and are not fooled by the name of the root', async () => {
    const { status, out } = await run(
      'certificate',
      address(),
      '--store',
      'root.pem',
      '--expect',
      'exchange-online-2018',
    )
    assert.equal(status, 1)
    assert.match(words(out), /✗ root [0-9A-F]{64}, expected: EBD41040E4BB/)
    assert.match(out, /^✓ organisation +Microsoft Corporation$/m)
    assert.match(out, /^✓ unit +\(none\)$/m)
    assert.match(out, /It differs in: root\./)
  })

  it('compare a certificate with a file', async () => {
    const root = new X509Certificate(hierarchy.root.certificate).fingerprint256
    const same = `roots: ["${root}"]\nname: Mail.Protection.Outlook.com\norganisation: Microsoft Corporation\nunit: null\nkey: RSA 2048\n`
    file('same.yaml', same)
    const options = ['certificate', address(), '--store', 'root.pem', '--expect', 'same.yaml']
    const good = await json('certificate.schema.json', ...options)
    assert.deepEqual([good.status, good.document.expected.same], [0, true])
    const CHANGES: [attribute: string, from: string | RegExp, to: string][] = [
      ['root', /"[0-9A-F]{2}/, '"00'],
      ['name', 'Mail.Protection', 'mx'],
      ['organisation', 'Microsoft Corporation', 'microsoft'],
      ['unit', 'null', 'Evil'],
      ['key', 'RSA 2048', 'RSA 4096'],
    ]
    for (const [attribute, from, to] of CHANGES) {
      const changed = same.replace(from, to)
      file('same.yaml', changed === same ? same.replace(from, '"01') : changed)
      const { status, document } = await json('certificate.schema.json', ...options)
      const differing = document.expected.attributes.filter(one => !one.same)
      assert.deepEqual([status, differing.map(one => one.attribute)], [1, [attribute]])
    }
  })

  it('say whether the server has read the file of its certificate, also behind a link', async () => {
    const installed = async (name: string) => {
      const options = ['certificate', address(), '--store', 'root.pem', '--installed', name]
      const { status, out } = await run(...options)
      const { document } = await json('certificate.schema.json', ...options)
      return { status, out: words(out), ...document.installed }
    }
    const issuer = hierarchy.intermediate.certificate
    symlinkSync('chain.pem', join(folder, 'live.pem'))
    const same = await installed('live.pem')
    assert.deepEqual([same.status, same.state, same.missing], [0, 'shown', 0])
    assert.match(same.out, /The server shows the certificate in live\.pem\./)
    file('renewed.pem', hierarchy.leaf({ until: 120 }).certificate + issuer)
    const renewed = await installed('renewed.pem')
    assert.deepEqual([renewed.status, renewed.state], [1, 'newer'])
    assert.match(
      renewed.out,
      /renewed\.pem has a later certificate, .*: the server has not read the file again\./,
    )
    file('old.pem', hierarchy.leaf({ until: 10 }).certificate)
    const old = await installed('old.pem')
    assert.deepEqual([old.status, old.state], [1, 'older'])
    file('more.pem', leaf.toString() + issuer + new Hierarchy('later').intermediate.certificate)
    const more = await installed('more.pem')
    assert.deepEqual([more.status, more.state, more.missing], [1, 'shown', 1])
    assert.match(more.out, /but not 1 issuer in it/)
  })

  it('find a root in a store by its fingerprint alone', async () => {
    const other = new Hierarchy('2018')
    file('namesake.pem', other.root.certificate)
    file('others.pem', other.root.certificate + hierarchy.intermediate.certificate + leaf.toString())
    const standing = async (...args: string[]) => {
      const { status, document } = await json('roots.schema.json', 'roots', ...args)
      return [status, ...document.certificates.map(one => one.standing)]
    }
    assert.deepEqual(await standing('root.pem', '--store', 'root.pem'), [0, 'trusted'])
    assert.deepEqual(await standing('root.pem', '--store', '.'), [0, 'trusted'])
    assert.deepEqual(await standing('root.pem', '--store', 'others.pem'), [
      1,
      'another one with its name is in the store',
    ])
    assert.deepEqual(await standing('root.pem', '--store', 'chain.pem'), [1, 'not in the store'])
    assert.deepEqual(await standing('chain.pem', '--store', 'chain.pem'), [1, 'not a root', 'not a root'])
    const { out } = await run('roots', 'root.pem', '--store', 'others.pem')
    assert.match(words(out), /compare the fingerprints/)
  })

  it('ask for the status of what a server shows, and of what a file has', async () => {
    behave()
    stapled = ocspAnswer({ issuer: hierarchy.intermediate, serial: leaf.serialNumber, status: 'good' })
    const asked = await run('revocation', address(), '--store', 'root.pem')
    assert.equal(asked.status, 0, asked.out + asked.err)
    assert.match(asked.out, /✓ sent along +good/)
    assert.match(asked.out, /^All of the status can be had from this machine\.$/m)
    stapled = ocspAnswer({
      issuer: hierarchy.intermediate,
      serial: leaf.serialNumber,
      status: 'good',
      until: -0.5,
    })
    const old = await run('revocation', address(), '--store', 'root.pem')
    assert.equal(old.status, 1)
    assert.match(old.out, /✗ sent along +expired/)
    behave({ revoked: true })
    const revoked = await json('revocation.schema.json', 'revocation', 'chain.pem', '--store', 'root.pem')
    assert.deepEqual([revoked.status, revoked.document.certificates[0]?.status], [1, 'revoked'])
    behave({ list: null })
    const lacking = await run('revocation', 'chain.pem', '--store', 'root.pem')
    assert.equal(lacking.status, 1)
    assert.match(words(lacking.out), /✗ list HTTP status: the status is 404/)
    assert.match(
      words(lacking.out),
      /Not all of the status can be had from this machine: HTTP status \(1\)\./,
    )
  })

  it('print nothing that moves the cursor, whatever a certificate says', async () => {
    const evil = certificate({
      commonName: 'mx.test \u001b[2J\u202e',
      organisation: 'A\r\nB',
      publicKey: leaf.publicKey,
      issuer: hierarchy.intermediate,
      role: 'server',
      from: -1,
      until: 1,
      addresses: { crl: ['http://127.0.0.1:1/\u001b[31m'], ocsp: ['javascript:alert(1)'] },
    })
    file('evil.pem', evil + hierarchy.intermediate.certificate)
    const told = [await run('revocation', 'evil.pem', '--store', 'root.pem'), await run('roots', 'evil.pem')]
    for (const { out, err } of told) assert.doesNotMatch(out + err, /[^\P{C}\n]/u)
    assert.match(told[0]!.out, /- OCSP +not asked/)
  })

  const REFUSED: [what: string, args: string[], message: RegExp][] = [
    ['a file that is not there', ['revocation', 'none.pem'], /none\.pem: there is no such file/],
    ['a file without a certificate', ['roots', 'same.yaml'], /same\.yaml: holds no certificate/],
    ['a store that is not there', ['roots', 'root.pem', '--store', 'none'], /none: there is no such file/],
    [
      'an unknown set',
      ['certificate', '127.0.0.1:1', '--expect', 'exchange'],
      /there is no exchange; there are exchange-online-former/,
    ],
    ['a bad port', ['certificate', 'mx.test:99999'], /HOST\[:PORT\]: its port must be from 1 to 65535/],
    ['a server that is not there', ['certificate', '127.0.0.1:1'], /127\.0\.0\.1:1: no connection/],
  ]
  for (const [what, args, message] of REFUSED)
    it(`refuse ${what} with status 2 and one sentence`, async () => {
      const { status, out, err } = await run(...args)
      assert.deepEqual([status, out], [2, ''])
      assert.match(err, message)
      assert.equal(err.trim().split('\n').length, 1)
    })

  it('refuse a file of expectations with a wrong key, and say where it is', async () => {
    file('wrong.yaml', 'name: mx.test\nunits: x\n')
    const { status, err } = await run('certificate', address(), '--expect', 'wrong.yaml')
    assert.equal(status, 2)
    assert.match(err, /wrong\.yaml:2:1: units: unknown key; did you mean unit\?/)
  })
})
