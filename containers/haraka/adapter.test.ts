import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { DeliveryEvent } from '../../support/evidence/gateway-words.ts'
import { embedded } from '../../support/gateway/embedded.ts'
import { sessionWords } from '../../support/gateway/session-words.ts'
import { standIn } from '../../support/gateway/stand-in.ts'
import { CHANGES, changed } from '../../support/mailflow/changes.ts'
import type { MailFlow, ServiceText } from '../../support/mailflow/mail-flow.ts'
import { standardFlow } from '../../support/mailflow/standard-flow.ts'
import type { Pki } from '../../support/pki/pki.ts'
import { sampleFlow } from '../../support/test-bed/fixtures/sample-flow.ts'
import { applicableDeviations, loadDeviations } from '../../support/verdicts/deviations.ts'
import { haraka, harakaInContainer } from './adapter.ts'
import { ownLog } from './own-log.ts'

const samples = fileURLToPath(new URL('samples/', import.meta.url))
const place = { address: '127.1.2.3', inbound: 2525, submission: 2587, submissions: 2465 }
/** This PKI issues placeholders, so that no sample contains a key. */
const pki = {
  issue: async () => ({ key: '<key>', certificate: '<certificate>' }),
  root: async (name = 'root') => `<certificate of ${name}>`,
} as unknown as Pki
const flow = async (): Promise<MailFlow> => {
  const network = { resolver: '127.0.0.1:5353', partnerPort: 2625 }
  const standard = await standardFlow(embedded(haraka), { pki, network })
  return { ...standard, users: standard.users.map(({ name }) => ({ name, password: '<password>' })) }
}

const rendered = (from: MailFlow): Map<string, string> =>
  new Map(haraka.render(from, place).files.map(({ path, content }) => [path, content]))

/** Files that are copies of files elsewhere; they have no sample. */
const COPIES = ['config/connection.ini', 'plugins/connectors.js', 'config/dhparams.pem']

describe('Haraka: rendering', () => {
  it('renders the standard flow as in its sample (UPDATE_SAMPLES=1 writes the sample again)', async () => {
    const folder = join(samples, 'standard-flow')
    const files = rendered(await flow())
    for (const copy of COPIES) assert.ok(files.delete(copy), copy)
    if (process.env['UPDATE_SAMPLES'])
      for (const [path, content] of files) {
        mkdirSync(dirname(join(folder, path)), { recursive: true })
        writeFileSync(join(folder, path), content)
      }
    const expected = readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter(entry => entry.isFile())
      .map(entry => relative(folder, join(entry.parentPath, entry.name)))
    assert.deepEqual([...files.keys()].sort(), expected.sort())
    for (const [path, content] of files)
      assert.equal(content, readFileSync(join(folder, path), 'utf8'), `${path} differs from its sample`)
  })

  it('has the suites of the service in both directions, and old versions where its text has them', async () => {
    const as = async (text: ServiceText) =>
      rendered(await sampleFlow(standIn(embedded(haraka), text))).get('config/tls.ini')!
    const settings = await as('exchange-online-2018')
    assert.match(settings, /^minVersion=TLSv1\n/)
    const [inbound, outbound] = settings.match(/^ciphers=.*:ECDHE-RSA-AES256-GCM-SHA384:.*$/gm)!
    assert.match(inbound!, /:AES128-GCM-SHA256:@SECLEVEL=0$/)
    assert.match(outbound!, /:AES128-GCM-SHA256$/)
    assert.doesNotMatch(await as('exchange-online-2021'), /SECLEVEL|ECDSA/)
  })

  it('includes parameters for Diffie-Hellman, because Haraka would need seconds to make them', async () => {
    assert.match(
      rendered(await flow()).get('config/dhparams.pem')!,
      /^-----BEGIN DH PARAMETERS-----\r?\n[\w+/=\s]+-----END DH PARAMETERS-----\s*$/,
    )
  })

  it('uses only TLS 1.2 and forward secrecy in both directions if the flow says so', async () => {
    const files = rendered(
      await changed(
        await flow(),
        [
          CHANGES['belongs to a service'],
          CHANGES['speaks TLS 1.2 and nothing newer'],
          CHANGES['uses key exchange with forward secrecy alone'],
        ],
        pki,
      ),
    )
    assert.equal(JSON.parse(files.get('flow.json')!).maxVersion, 'TLSv1.2')
    const suites = files.get('config/tls.ini')!.match(/^ciphers=.*/gm)!
    assert.equal(suites.length, 2)
    for (const one of suites) assert.match(one, /^ciphers=(TLS_[A-Z0-9_]+:)+(ECDHE-[A-Z0-9-]+(:|$))+$/)
  })

  it('has no certificate file if the certificate is lost', async () => {
    const files = rendered(await changed(await flow(), [CHANGES['has lost its certificate']], pki))
    assert.ok(!files.has('config/tls_cert.pem'))
    assert.ok(files.has('config/tls_key.pem'))
  })

  it('gives up after the number of attempts in the flow', async () => {
    const intervals = async (attempts: number) =>
      /temp_fail_intervals=(.*)/.exec(
        rendered({ ...(await flow()), attempts }).get('config/outbound.ini')!,
      )?.[1]
    assert.equal(await intervals(1), 'none')
    assert.equal(await intervals(3), '1h*2')
  })
})

describe('Haraka: its log', () => {
  const lines = readFileSync(join(samples, 'haraka-3.3.4.log'), 'utf8').split('\n')
  const said = (recipient: string) =>
    lines.flatMap(line => haraka.read(line) ?? []).filter(event => event.recipient === `inbox@${recipient}`)
  const words = (text: string) =>
    sessionWords(lines, text, haraka).map(({ line, ...word }) => {
      assert.ok(lines.includes(line) || line.endsWith(')'), line)
      return word
    })
  const tls13 = { tls: true, version: 'TLSv1.3', suite: 'TLS_AES_256_GCM_SHA384' }

  it('says once that Haraka has read its queue and is ready', () => {
    assert.equal(lines.filter(line => haraka.ready.test(line)).length, 1)
  })

  it('says that a message was delivered', () => {
    assert.deepEqual(said('good.forced.test'), [
      { kind: 'delivered', recipient: 'inbox@good.forced.test', reason: 'Taken' },
    ])
  })

  it('names the certificate as the reason if it was the reason', () => {
    const [stranger] = said('wrong.forced.test')
    assert.equal(stranger?.kind, 'deferred')
    assert.match(stranger!.reason, /^Tried all MXs: Error: unable to get local issuer certificate$/)
    const [other] = said('name.forced.test')
    assert.equal(other?.kind, 'deferred')
    assert.match(other!.reason, /^Tried all MXs: .*ERR_TLS_CERT_ALTNAME_INVALID/)
  })

  it('says what became of each attempt', () => {
    assert.deepEqual(
      said('gone.forced.test').map(({ kind }) => kind),
      ['deferred', 'deferred', 'bounced'],
    )
    assert.match(said('later.opportunistic.test')[0]!.reason, /\b454 4\.7\.0\b/)
  })

  it('says nothing about recipients in any other line', () => {
    for (const line of ['', 'mail-tls event {', '2026-11-24T19:34:33.183Z [NOTICE] [-] [core] hello'])
      assert.equal(haraka.read(line), undefined, line)
  })

  it('says which TLS a session with a partner had', () => {
    assert.deepEqual(words('good.forced.test'), [{ ...tls13, verified: true }])
    assert.deepEqual(words('stranger.opportunistic.test'), [{ ...tls13, verified: false }])
    assert.deepEqual(words('clear.opportunistic.test'), [{ tls: false }])
  })

  it('reports no session if the certificate was refused', () => {
    assert.deepEqual(words('wrong.forced.test'), [])
  })

  it('says which TLS a session with a client had, and calls none verified (a known fault)', () => {
    assert.deepEqual(words('good.certified.test'), [{ ...tls13, verified: false }])
    assert.deepEqual(words('self.stranger.test'), [{ ...tls13, verified: false }])
    assert.deepEqual(words('clear.stranger.test'), [{ tls: false }])
    assert.deepEqual(words('bare.required.test'), [{ tls: false }])
  })

  it('has different ids for the session that brought a message and the session that sent it', () => {
    const incoming = lines.find(line => line.includes('[tls] secured:'))!
    const outgoing = lines.find(line => line.includes('[outbound] secured '))!
    assert.match(haraka.sessionOf!(incoming)!, /^in [\w-]+$/)
    assert.match(haraka.sessionOf!(outgoing)!, /^out [\w-]+\.\d+\.\d+$/)
    assert.equal(haraka.sessionOf!('2026-11-24T19:34:33.094Z [NOTICE] [-] [server] Listening'), undefined)
  })
})

describe('Haraka: its log without the plugin of the suite', () => {
  const id = 'F1973273-2E9D-440E-A147-5052CEF17DDB.1'
  const core = (said: string) => `2026-11-24T19:34:33.245Z [NOTICE] [${id}] [core] ${said}`
  const outbound = (item: number, said: string) =>
    `2026-11-24T19:34:33.365Z [INFO] [${id}.${item}] [outbound] ${said}`
  const accepted = (...recipients: string[]) =>
    recipients.map(one => core(`recipient <${one}> code=OK msg="" sender=a@b.test`))
  const read = (lines: readonly string[]) => {
    const reader = ownLog(haraka)
    return lines.flatMap(line => reader.read(line) ?? [])
  }

  it('says the same as with it', () => {
    const lines = readFileSync(join(samples, 'haraka-3.3.4.log'), 'utf8').split('\n')
    const own = (events: readonly DeliveryEvent[]) =>
      events
        .filter(({ recipient }) => recipient.endsWith('.test') && !recipient.startsWith('probe@'))
        .map(({ kind, recipient }) => `${recipient} ${kind}`)
        .sort()
    const withPlugin = lines.flatMap(line => haraka.read(line) ?? [])
    assert.deepEqual(own(read(lines)), own(withPlugin))
    const [wrong] = read(lines).filter(({ recipient }) => recipient === 'inbox@wrong.forced.test')
    assert.match(wrong!.reason, /^Tried all MXs: Error: unable to get local issuer certificate$/)
  })

  it('tells the domains of a message apart, and the recipients of a domain', () => {
    const lines = [
      ...accepted('a@one.test', 'b@two.test', 'c@two.test', 'd@two.test'),
      outbound(1, 'Temp failing 1_vm for 64 seconds: No TLS available but required by configuration.'),
      outbound(2, 'recipient <c@two.test> rejected: 550 no'),
      outbound(2, ' delivered file=1_vm domain=two.test response=Taken delay=0.1 fails=0 rcpts=2/0/1'),
      outbound(2, 'bouncing mail: Some recipients failed: <c@two.test>'),
    ]
    assert.deepEqual(
      read(lines).map(({ kind, recipient }) => `${recipient} ${kind}`),
      ['a@one.test deferred', 'b@two.test delivered', 'd@two.test delivered', 'c@two.test bounced'],
    )
  })

  it('says nothing of mail whose recipients it has not seen', () =>
    assert.deepEqual(read([outbound(1, 'bouncing mail: no')]), []))
})

describe('Haraka: known deviations', () => {
  it('apply to the installed version', async () => {
    const { version } = await haraka.version()
    const deviations = loadDeviations(haraka.deviations!)
    assert.ok(deviations.length > 0)
    assert.deepEqual(applicableDeviations(deviations, { name: haraka.name, version }), deviations)
  })
})

describe('Haraka in a container', () => {
  const manifest = (url: string) => JSON.parse(readFileSync(new URL(url, import.meta.url), 'utf8'))

  it('has the same files in another folder, and its secrets are readable for their owner only', async () => {
    const standard = await flow()
    const inside = harakaInContainer.render(standard, place).files
    assert.deepEqual(
      inside.map(({ path, content }) => [path.replace('/haraka/', ''), content]),
      haraka.render(standard, place).files.map(({ path, content }) => [path, content]),
    )
    assert.deepEqual(
      inside.filter(({ mode }) => mode === '0600').map(({ path }) => path),
      ['/haraka/config/tls_key.pem', '/haraka/config/auth_flat_file.ini'],
    )
  })

  it('has the same versions as the packages of the suite', () => {
    const image = manifest('image/package.json')
    const suite = manifest('../../package.json')
    assert.equal(image.dependencies.Haraka, suite.dependencies.Haraka)
    assert.deepEqual(
      image.optionalDependencies,
      manifest('../../support/node/package.json').optionalDependencies,
    )
    assert.deepEqual(image.overrides, suite.overrides)
  })

  it('gets the same message that asks for another attempt', () => {
    const [, , line] = harakaInContainer.retry('a.test')
    assert.equal(line, `echo '${JSON.stringify(haraka.retry('a.test'))}' >/run/ask`)
  })

  it('prints its version and the version of its TLS library', () => {
    assert.deepEqual(harakaInContainer.readVersion('3.3.4 3.5.7 24.21.0\n'), {
      version: '3.3.4',
      library: 'OpenSSL 3.5.7 (Node 24.21.0)',
    })
    assert.throws(() => harakaInContainer.readVersion('3.3.4'), /no version of Haraka/)
  })
})
