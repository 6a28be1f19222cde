import assert from 'node:assert/strict'
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { getCACertificates } from 'node:tls'
import { readerOf } from '../../containers/index.ts'
import type { DeliveryEvent } from '../evidence/gateway-words.ts'
import { GatewayFailure } from '../gateway-failure.ts'
import { CAPABILITIES, type Capability } from '../mailflow/capabilities.ts'
import { writeAuthorities } from '../pki/authority-files.ts'
import { external } from './external.ts'
import { loadGatewayFile } from './gateway-file.ts'

const INBOUND = `
inbound:
  address: 127.0.0.1:2525
  hostname: mx.gateway.test
  recipient: inbox@in.gateway.test
  connectors:`
const OUTBOUND = `
outbound:
  submit: 127.0.0.1:2587
  sender: probe@out.gateway.test
  partner: ["[::1]:2625", "127.0.0.1:2626"]
  connectors:
    - { to: "*.opportunistic.test", tls: opportunistic }`
const REQUIRED = '\n    - { from: "*.required.test", tls: required }'
const CERTIFIED = '\n    - { from: partner.test, tls: required, clientCertificate: mail.partner.test }'

describe('an external gateway', () => {
  let folder: string
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'external-'))
    writeAuthorities(join(folder, 'pki'))
  })
  after(() => rmSync(folder, { recursive: true }))

  const source = (text: string) => {
    writeFileSync(join(folder, 'gateway.yaml'), `name: edge${text}\n`)
    return external(loadGatewayFile(join(folder, 'gateway.yaml')), readerOf)
  }
  const both = () => source(INBOUND + REQUIRED + OUTBOUND)

  it('has the mail flow of its file', async () => {
    const { flow, name, kind } = both()
    assert.deepEqual([name, kind], ['edge', 'external'])
    assert.deepEqual(flow, {
      hostname: 'mx.gateway.test',
      domain: 'in.gateway.test',
      recipient: 'inbox@in.gateway.test',
      sender: 'probe@out.gateway.test',
      identity: { key: '', certificate: '' },
      trust: [readFileSync(join(folder, 'pki/root.pem'), 'utf8')],
      sendersTrust: getCACertificates('system'),
      minVersion: 'TLSv1.2',
      inbound: [{ from: '*.required.test', tls: 'required' }],
      outbound: [{ to: '*.opportunistic.test', tls: 'opportunistic' }],
      users: [],
      attempts: Number.POSITIVE_INFINITY,
      network: { resolver: '', partnerPort: 0 },
    })
  })

  it('has the domain of its sender if the file names no recipient', () => {
    const { flow } = source(OUTBOUND)
    assert.deepEqual([flow.hostname, flow.domain, flow.inbound], ['out.gateway.test', 'out.gateway.test', []])
  })

  it('gets no connection when it is started', async () => {
    let connections = 0
    const server = createServer(socket => {
      connections++
      socket.destroy()
    })
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as { port: number }
    const one = source(
      INBOUND.replace('2525', String(port)) + REQUIRED + OUTBOUND.replace('2587', String(port)),
    )
    const gateway = await one.start(one.flow)
    await gateway.retry('a.test')
    await gateway.stop()
    // Connections are taken in their order: had the gateway been called, that came first.
    await new Promise(resolve =>
      connect(port, '127.0.0.1')
        .on('close', resolve)
        .on('error', () => {}),
    )
    await new Promise(resolve => server.close(resolve))
    assert.equal(connections, 1)
  })

  it('has the addresses of its file, and no log', async () => {
    const one = both()
    const gateway = await one.start(one.flow)
    assert.deepEqual(gateway.inbound, { host: '127.0.0.1', port: 2525 })
    assert.deepEqual(gateway.submission, { host: '127.0.0.1', port: 2587 })
    assert.deepEqual([gateway.name, gateway.kind, gateway.version], ['edge', 'external', 'unknown'])
    assert.equal(gateway.flow, one.flow)
    assert.deepEqual([gateway.events, gateway.log('a'), gateway.sessions('a')], [[], [], []])
    gateway.watch(() => {})()
  })

  it('cannot be started with another mail flow, and not be changed', async () => {
    const one = both()
    await assert.rejects(one.start({ ...one.flow, trust: [] }), GatewayFailure)
    const gateway = await one.start(one.flow)
    const other = gateway.change({ ...one.flow, trust: [] })
    await assert.rejects(other, { name: 'GatewayFailure', message: /cannot change it$/ })
    await gateway.change(one.flow)
  })

  it('is not tested in a role that its file leaves out', async () => {
    const sender = source(OUTBOUND)
    assert.equal(sender.untested('receiver'), 'no inbound in gateway.yaml')
    assert.equal(sender.untested('sender'), undefined)
    const { start, flow } = sender
    const gateway = await start(flow)
    assert.throws(() => gateway.inbound, /gateway\.yaml says nothing about inbound mail/)
    const receiver = source(INBOUND + REQUIRED)
    assert.equal(receiver.untested('sender'), 'no outbound in gateway.yaml')
    assert.equal(receiver.untested('receiver'), undefined)
  })

  it('has the recorded deviations that its file names', () => {
    assert.equal(both().deviations, undefined)
    writeFileSync(join(folder, 'known.yaml'), '[]')
    assert.equal(source(`\ndeviations: known.yaml${OUTBOUND}`).deviations, join(folder, 'known.yaml'))
  })

  const connector = (line: string) => `${INBOUND + REQUIRED + OUTBOUND}\n    - { ${line} }`
  const lacking: [Capability, text: string, why: string | undefined][] = [
    [
      'encryption-only',
      connector('to: a.test, tls: certificate-validation'),
      'no outbound connector with tls: encryption-only in gateway.yaml',
    ],
    ['encryption-only', connector('to: "*.a.test", tls: encryption-only'), undefined],
    [
      'certificate-validation',
      connector('to: a.test, tls: certificate-validation'),
      'no outbound connector with to: "*.…" and tls: certificate-validation in gateway.yaml',
    ],
    ['certificate-validation', connector('to: "*.a.test", tls: certificate-validation'), undefined],
    [
      'domain-validation',
      connector('to: "*.a.test", tls: domain-validation, tlsDomain: "*.b.test"'),
      'no outbound connector with tls: domain-validation in gateway.yaml',
    ],
    ['domain-validation', connector('to: "*.a.test", tls: domain-validation'), undefined],
    [
      'tls-domain',
      connector('to: "*.a.test", tls: domain-validation'),
      'no outbound connector with to: "*.…" and tlsDomain in gateway.yaml',
    ],
    ['tls-domain', connector('to: "*.a.test", tls: domain-validation, tlsDomain: b.test'), undefined],
    ['inbound-required', INBOUND + CERTIFIED, 'no inbound connector with tls: required in gateway.yaml'],
    ['inbound-required', OUTBOUND, 'no inbound connector with tls: required in gateway.yaml'],
    [
      'inbound-required',
      INBOUND + REQUIRED.replace('"*.required.test"', 'required.test'),
      'no inbound connector with from: "*.…" and tls: required in gateway.yaml',
    ],
    ['inbound-required', INBOUND + REQUIRED, undefined],
    [
      'client-certificates',
      INBOUND + REQUIRED,
      'no inbound connector with clientCertificate in gateway.yaml',
    ],
    ['client-certificates', INBOUND + CERTIFIED, undefined],
  ]
  for (const [capability, text, why] of lacking)
    it(`${why ? 'lacks' : 'has'} ${capability} as its connectors say: ${why ?? text.split('\n').at(-1)!.trim()}`, () =>
      assert.equal(source(text).lacks(capability), why))

  it('can be asked for what its file has commands for, and says which are missing', () => {
    const lacks = (capability: Capability, commands: string) =>
      source(`${OUTBOUND}\ncommands: { ${commands}, timeout: 5s }`).lacks(capability)
    assert.equal(lacks('retry', 'retry: a'), undefined)
    assert.equal(lacks('expiry', 'expire: a'), undefined)
    assert.equal(lacks('session-log', 'log: a, reader: exim'), undefined)
    assert.equal(
      lacks('retry', 'queue: a'),
      'only the gateway itself knows when it tries queued mail again; the key commands.retry of gateway.yaml would make it applicable',
    )
    assert.match(
      lacks('session-log', 'retry: a')!,
      /; the keys commands\.log and commands\.reader of gateway/,
    )
    assert.match(lacks('session-log', 'log: a')!, /; the key commands\.reader of gateway\.yaml would make it/)
  })

  it('knows from its queue that mail is gone only if it has shown some, and its log tells the rest', async () => {
    writeFileSync(join(folder, 'queue'), 'a@B.test\n')
    writeFileSync(join(folder, 'log'), '')
    const started = async (commands: string) => {
      const one = source(`${OUTBOUND}\ncommands: { queue: cat queue, ${commands} }`)
      return one.start(one.flow)
    }
    const [told, silent] = [await started('log: { file: log }, reader: exim'), await started('timeout: 5s')]
    assert.equal(await told.holds!('c@d.test'), undefined)
    for (const gateway of [told, silent]) assert.equal(await gateway.holds!('A@b.test'), true)
    assert.deepEqual([await told.holds!('c@d.test'), await silent.holds!('c@d.test')], [false, undefined])
    await Promise.all([told.stop(), silent.stop()])
  })

  it('says in its log what becomes of mail', async () => {
    writeFileSync(join(folder, 'log'), '')
    const one = source(`${OUTBOUND}\ncommands: { log: { file: log }, reader: postfix }`)
    const gateway = await one.start(one.flow)
    const told = new Promise<DeliveryEvent | undefined>(resolve => gateway.watch(resolve))
    const line = 'postfix/smtp[7]: 4B: to=<a@b.test>, status=deferred (no TLS)'
    appendFileSync(join(folder, 'log'), `${line}\n`)
    const event = { kind: 'deferred', recipient: 'a@b.test', reason: 'no TLS' }
    assert.deepEqual(await told, event)
    assert.deepEqual([gateway.events, gateway.log('a@b.test')], [[event], [line]])
    await gateway.stop()
  })

  it('lacks without commands and a login what it needs them for, and says why', () => {
    const all = source(
      `${INBOUND}${REQUIRED}${CERTIFIED}${OUTBOUND}${[
        'encryption-only',
        'certificate-validation',
        'domain-validation',
      ]
        .map(level => `\n    - { to: "*.${level}.test", tls: ${level} }`)
        .join('')}\n    - { to: "*.named.test", tls: domain-validation, tlsDomain: b.test }`,
    )
    const missing = (Object.keys(CAPABILITIES) as Capability[]).filter(name => all.lacks(name) !== undefined)
    for (const name of ['submission', 'retry', 'expiry', 'session-log', 'forced-tls-inbound'] as const)
      assert.ok(missing.includes(name), name)
    for (const name of ['encryption-only', 'tls-domain', 'inbound-required', 'client-certificates'] as const)
      assert.ok(!missing.includes(name), name)
    // Those with a second server are not the gateway's to claim.
    for (const name of missing.filter(name => !name.endsWith('pair')))
      assert.match(
        all.lacks(name)!,
        /^(the suite|a gateway file|only the gateway|nobody can|no outbound connector with) .{15,}$/,
      )
  })
})
