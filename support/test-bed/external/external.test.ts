import assert from 'node:assert/strict'
import { type ChildProcess, fork, spawn } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PROFILES } from '../../catalogue/catalogue.ts'
import type { InboundConnector } from '../../mailflow/mail-flow.ts'
import { writeAuthorities } from '../../pki/authority-files.ts'
import { Pki } from '../../pki/pki.ts'
import type { VerdictsDocument } from '../../report/run-record.ts'
import { handOver } from '../../traffic/delivering.ts'
import { compose } from '../../traffic/message.ts'
import type { Endpoint } from '../../wire/smtp/smtp.ts'
import type { Addresses, RoutedConnector, Served } from './serve.ts'

const COMMAND = join(import.meta.dirname, '../../cli/mail-tls.js')
const SERVE = join(import.meta.dirname, 'serve.ts')

const INBOUND: InboundConnector[] = [
  { from: '*.required.test', tls: 'required' },
  { from: '*.partner.test', tls: 'required', clientCertificate: 'gateway.partner.test' },
]
const OUTBOUND: RoutedConnector[] = [
  { to: '*.opportunistic.test', tls: 'opportunistic' },
  { to: '*.encrypted.test', tls: 'encryption-only' },
  { to: '*.trusted.test', tls: 'certificate-validation' },
  { to: '*.verified.test', tls: 'domain-validation' },
]

interface CommandResult {
  status: number | null
  out: string
  err: string
  ms: number
  verdicts: VerdictsDocument['verdicts']
}

interface Setup extends Partial<Omit<Served, 'partner'>> {
  partners?: Endpoint[]
  sides?: 'both' | 'inbound' | 'outbound'
  mailbox?: boolean
  trust?: string
  /** The partner address that the gateway delivers to. Default: the first of `partners`. */
  deliversTo?: Endpoint
  /** Addresses in the gateway file that replace those of the gateway. */
  addresses?: Partial<Addresses>
}

describe('a gateway that the suite did not start', () => {
  let folder: string
  let gateways: ChildProcess[]
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'external-'))
    writeAuthorities(join(folder, 'pki'))
  })
  after(() => rmSync(folder, { recursive: true }))
  beforeEach(() => {
    gateways = []
  })
  afterEach(async () => {
    const exits = gateways.filter(({ exitCode }) => exitCode === null).map(child => once(child, 'exit'))
    for (const child of gateways) child.disconnect()
    await Promise.all(exits)
  })

  const writeGatewayFile = (
    { inbound, submission, mailbox }: Addresses,
    partners: readonly Endpoint[],
    {
      sides = 'both',
      mailbox: hasMailbox = true,
      trust,
      inbound: from = INBOUND,
      outbound: to = OUTBOUND,
    }: Setup,
  ) =>
    writeFileSync(
      join(folder, 'gateway.yaml'),
      JSON.stringify({
        name: 'edge',
        ...(sides === 'outbound'
          ? {}
          : {
              inbound: {
                address: textOf(inbound),
                hostname: 'mx.gateway.test',
                recipient: 'inbox@gateway.test',
                ...(hasMailbox ? { mailbox } : {}),
                ...(trust === undefined ? {} : { trust }),
                connectors: from,
              },
            }),
        ...(sides === 'inbound'
          ? {}
          : {
              outbound: {
                submit: textOf(submission),
                sender: 'probe@gateway.test',
                partner: partners.map(textOf),
                connectors: to.map(({ host, ...connector }) => ({
                  ...connector,
                  ...(host === undefined ? {} : { partner: textOf({ ...partners[0]!, host }) }),
                })),
                settle: '300ms',
              },
            }),
      }),
    )

  /** Starts the gateway and writes its gateway file. Returns the addresses of the partners. */
  const startGateway = async (setup: Setup = {}): Promise<Endpoint[]> => {
    const [host, mailboxHost] = [freshHost(), freshHost()]
    const partners = setup.partners ?? [{ host, port: await freePort(host) }]
    const { inbound = INBOUND, outbound = OUTBOUND, defect, retriesAfter } = setup
    const served: Served = {
      ...{
        pki: join(folder, 'pki'),
        partner: setup.deliversTo ?? partners[0]!,
        mailboxHost,
        inbound,
        outbound,
      },
      ...(defect ? { defect } : {}),
      ...(retriesAfter === undefined ? {} : { retriesAfter }),
    }
    const child = fork(SERVE, [JSON.stringify(served)])
    gateways.push(child)
    const [addresses] = (await once(child, 'message')) as [Addresses]
    writeGatewayFile({ ...addresses, ...setup.addresses }, partners, setup)
    return partners
  }

  const check = async (...args: string[]): Promise<CommandResult> => {
    const began = performance.now()
    const circumstances = args.includes('--circumstances') ? [] : ['--circumstances', 'none']
    const child = spawn(
      process.execPath,
      [COMMAND, 'check', 'gateway.yaml', ...circumstances, '--report', 'report', ...args],
      {
        cwd: folder,
        env: { ...process.env, TMPDIR: folder },
      },
    )
    let [out, err] = ['', '']
    child.stdout.on('data', chunk => {
      out += chunk
    })
    child.stderr.on('data', chunk => {
      err += chunk
    })
    const [status] = (await once(child, 'close')) as [number | null]
    return { status, out, err, ms: performance.now() - began, verdicts: verdicts() }
  }
  const verdicts = () => {
    const path = join(folder, 'report/verdicts.json')
    try {
      const document = JSON.parse(readFileSync(path, 'utf8')) as VerdictsDocument
      rmSync(join(folder, 'report'), { recursive: true })
      return document.verdicts
    } catch {
      return []
    }
  }

  const options = (...requirements: string[]) => requirements.flatMap(id => ['--requirement', id])
  /** The errors, and the verdicts that are neither conformant nor inapplicable, as sentences. */
  const problemsIn = ({ verdicts, err }: CommandResult) => [
    ...(err ? [err] : []),
    ...verdicts
      .filter(({ verdict }) => verdict !== 'conformant' && verdict !== 'inapplicable')
      .map(({ requirement, title, verdict, detail }) => `${requirement} ${title}: ${verdict}: ${detail}`),
  ]
  const detailsOf = ({ verdicts }: CommandResult, requirement: string) =>
    verdicts.filter(one => one.requirement === requirement).map(({ detail }) => detail)

  it('keeps all requirements in both directions with one partner address', async () => {
    await startGateway()
    const result = await check(
      ...options(
        'EXO-FRC-01',
        'EXO-OPP-04',
        'EXO-FRC-09',
        'EXO-FRC-11',
        'EXO-FRC-14',
        'EXO-OPP-02',
        'EXO-MSG-04',
      ),
      ...['--parallel', '4'],
    )
    assert.deepEqual(problemsIn(result), [])
    assert.equal(result.status, 0)
    assert.match(result.out, /^connecting to edge\n.*\nedge keeps all 7 requirements that apply/s)
  })

  it('keeps all requirements if each connector has its own partner address', async () => {
    await startGateway({
      sides: 'outbound',
      outbound: OUTBOUND.map(connector => ({ ...connector, host: freshHost() })),
    })
    const result = await check(
      ...options('EXO-FRC-01', 'EXO-OPP-04', 'EXO-FRC-09', 'DGR-03'),
      '--parallel',
      '4',
    )
    assert.deepEqual(problemsIn(result), [])
    assert.equal(result.status, 0)
    assert.match(result.out, /keeps all 4 requirements that apply/)
  })

  it('keeps all requirements if it delivers to one of several partner addresses', async () => {
    const [host, other] = [freshHost(), freshHost()]
    const port = await freePort(host)
    const listed = [
      { host: other, port },
      { host, port },
    ]
    await startGateway({ sides: 'outbound', partners: listed, deliversTo: listed[1]! })
    const result = await check(...options('EXO-FRC-01', 'EXO-OPP-04'), '--parallel', '4')
    assert.deepEqual(problemsIn(result), [])
    assert.equal(result.status, 0)
  })

  it('is judged only as a receiver if the gateway file has no outbound', async () => {
    await startGateway({ sides: 'inbound' })
    const result = await check(...options('EXO-FRC-11', 'EXO-FRC-01'))
    assert.deepEqual(problemsIn(result), [])
    assert.equal(result.status, 0)
    assert.deepEqual([...new Set(detailsOf(result, 'EXO-FRC-01'))], ['no outbound in gateway.yaml'])
    assert.match(detailsOf(result, 'EXO-FRC-11').join(), /refused/)
  })

  it('is judged only as a sender if the gateway file has no inbound', async () => {
    await startGateway({ sides: 'outbound' })
    const result = await check(...options('EXO-FRC-11', 'EXO-FRC-01'))
    assert.deepEqual(problemsIn(result), [])
    assert.equal(result.status, 0)
    assert.deepEqual([...new Set(detailsOf(result, 'EXO-FRC-11'))], ['no inbound in gateway.yaml'])
    assert.match(detailsOf(result, 'EXO-FRC-01').join(), /held the message back/)
  })

  /** Sound gateways of which only a part is described: nothing is taken for granted of the rest. */
  const PARTS: Record<string, Setup> = {
    'sends mail alone': { sides: 'outbound' },
    'receives mail alone': { sides: 'inbound', trust: 'pki/root.pem' },
    'has no connector for mail that it receives': { sides: 'inbound', trust: 'pki/root.pem', inbound: [] },
    'has no opportunistic connector': { outbound: OUTBOUND.slice(1), trust: 'pki/root.pem' },
    'has an opportunistic connector alone': { sides: 'outbound', outbound: OUTBOUND.slice(0, 1) },
    'has a connector with domain validation alone': { sides: 'outbound', outbound: OUTBOUND.slice(3) },
  }
  for (const [what, { outbound = OUTBOUND, ...setup }] of Object.entries(PARTS))
    it(`keeps all requirements that apply if it ${what}`, async function () {
      this.timeout(180_000)
      await startGateway({ ...setup, outbound: outbound.map(one => ({ ...one, host: freshHost() })) })
      const profiles = PROFILES.flatMap(name => ['--profile', name])
      const circumstances = what.endsWith('mail alone') ? '1' : 'none'
      const result = await check(...profiles, '--parallel', '8', '--circumstances', circumstances)
      assert.deepEqual(problemsIn(result), [])
      assert.equal(result.status, 0)
      assert.ok(result.verdicts.some(({ verdict }) => verdict === 'conformant'))
    })

  it('is judged by the roots in the gateway file, or by those of the system', async () => {
    await startGateway({ sides: 'inbound', trust: 'pki/root.pem' })
    assert.deepEqual(detailsOf(await check(...options('PKIX-06')), 'PKIX-06').slice(-1), [
      'a chain of 2 certificates leads to a trusted root',
    ])
    await startGateway({ sides: 'inbound' })
    const result = await check(...options('PKIX-06'))
    assert.match(
      detailsOf(result, 'PKIX-06').at(-1)!,
      /^a chain of 2 certificates leads to no trusted root: [A-Z_]+$/,
    )
    assert.equal(result.verdicts.at(-1)!.verdict, 'declined')
  })

  it('is judged by its replies if there is no mailbox, and the verdict says so', async () => {
    await startGateway({ sides: 'inbound', mailbox: false })
    const result = await check(...options('EXO-FRC-11', 'TRC-01'))
    assert.deepEqual(problemsIn(result), [])
    assert.match(detailsOf(result, 'EXO-FRC-11').join(), /no mailbox is named in which it could be seen/)
    const [trace] = result.verdicts.filter(({ requirement }) => requirement === 'TRC-01')
    assert.equal(trace!.verdict, 'inapplicable')
  })

  it('may expect a fixed name at domain validation', async () => {
    await startGateway({
      sides: 'outbound',
      outbound: [
        OUTBOUND[0]!,
        { to: '*.verified.test', tls: 'domain-validation', tlsDomain: 'mail.partner.test' },
      ],
    })
    const result = await check(...options('EXO-FRC-01', 'DGR-03', 'EXO-FRC-10'))
    assert.deepEqual(problemsIn(result), [])
    for (const id of ['EXO-FRC-01', 'DGR-03', 'EXO-FRC-10'])
      assert.ok(
        result.verdicts.some(({ requirement, verdict }) => requirement === id && verdict === 'conformant'),
      )
  })

  /** Requirements about the gateway as sender for which one additional connection would change the verdict. */
  const DELICATE = options('EXO-OPP-02', 'EXO-FRC-01', 'EXO-OPP-04', 'EXO-FRC-09')

  it('is not judged by its retries of earlier mail at the same partner address', async () => {
    await startGateway({ sides: 'outbound', retriesAfter: 450 })
    const result = await check(...DELICATE)
    // If a connection may be a retry, the verdict is inconclusive and not against the gateway.
    const open = result.verdicts.filter(({ verdict }) => verdict === 'inconclusive')
    for (const { detail } of open) assert.match(detail, /may be a retry of earlier mail/)
    assert.deepEqual(
      problemsIn(result).filter(text => !/may be a retry of earlier mail/.test(text)),
      [],
    )
    assert.equal(result.status, 0)
  })

  it('is not judged by connections of other programs to the same partner address', async () => {
    const [partner] = await startGateway({ sides: 'outbound' })
    const pki = new Pki()
    let played = 0
    let over = false
    const deliverTo = (domain: string) =>
      handOver(compose({ from: 'probe@gateway.test', to: [`inbox@${domain}`] }), {
        ...{ endpoint: partner!, hostname: 'mx.elsewhere.test', pki },
        behaviour: { tls: played % 4 ? 'uses' : 'does not use' },
      })
    const stranger = (async () => {
      while (!over) {
        // Before the run and after it, the partner does not listen.
        await (++played % 2 ? connectAndLeave(partner!) : deliverTo('d1-0000.encrypted.test'))
        await new Promise(resolve => setTimeout(resolve, 100))
      }
    })()
    const result = await check(...DELICATE)
    over = true
    await stranger
    // Where the partner refuses, the stranger comes again, and waits in between.
    assert.ok(played > 2)
    assert.deepEqual(problemsIn(result), [])
    assert.equal(result.status, 0)
  }).timeout(90_000)

  it('is found out if it holds back a message and sends it unencrypted a moment later', async () => {
    await startGateway({ sides: 'outbound', defect: 'delivers in clear a little after it has said deferred' })
    const result = await check(...options('EXO-FRC-01'))
    assert.equal(result.status, 1)
    const broken = result.verdicts.find(({ title }) => title === 'a partner without STARTTLS')
    assert.equal(broken!.verdict, 'non-conformant')
    assert.match(broken!.detail, /arrived unencrypted/)
  })

  it('is found out if it returns a message that waits for TLS, whether partners share an address or not', async () => {
    const defect = 'returns the message at the first trouble with TLS'
    for (const outbound of [OUTBOUND, OUTBOUND.map(connector => ({ ...connector, host: freshHost() }))]) {
      await startGateway({ sides: 'outbound', defect, outbound })
      const result = await check(...options('EXO-FRC-01', 'EXO-FRC-04', 'RFC5321-02'))
      assert.equal(result.status, 1)
      const red = result.verdicts.filter(({ verdict }) => verdict === 'non-conformant')
      assert.deepEqual([...new Set(red.map(({ requirement }) => requirement))].sort(), [
        'EXO-FRC-01',
        'EXO-FRC-04',
        'RFC5321-02',
      ])
      for (const { detail } of red) assert.match(detail, /bounced/)
    }
  })

  it('is found out once if it never uses TLS, although most controls fail', async () => {
    await startGateway({ sides: 'outbound', defect: 'sends MAIL right after the first EHLO' })
    const result = await check(...options('EXO-OPP-04', 'EXO-VER-02', 'RFC3207-08'))
    assert.equal(result.status, 1)
    const broken = result.verdicts.filter(({ verdict }) => verdict === 'non-conformant')
    assert.deepEqual(
      broken.map(({ requirement, symptom }) => [requirement, symptom]),
      [['EXO-OPP-01', 'the message arrived unencrypted']],
    )
    assert.match(broken[0]!.title, /^the control of [A-Z0-9-]+: /)
    assert.match(result.out, /EXO-OPP-01/)
    assert.equal(detailsOf(result, 'EXO-OPP-04').filter(text => /^the control failed: /.test(text)).length, 1)
  })

  it('cannot be judged if another program has the partner address', async () => {
    const [partner] = await startGateway()
    const other = await listening(partner!)
    try {
      const { status, out, err, ms } = await check(...options('EXO-FRC-01'))
      assert.equal(status, 2)
      assert.match(
        err,
        /^mail-tls: gateway\.yaml: outbound\.partner: the suite cannot listen there: .*EADDRINUSE[^\n]*\n$/,
      )
      assert.doesNotMatch(out, /examples/)
      assert.ok(ms < 20_000)
    } finally {
      other.close()
    }
  })

  for (const [side, key] of [
    ['inbound', 'inbound.address'],
    ['submission', 'outbound.submit'],
  ] as const)
    it(`cannot be judged if no server listens at ${key}, and the suite does not wait`, async () => {
      const host = freshHost()
      await startGateway({ addresses: { [side]: { host, port: await freePort(host) } } })
      const { status, err, ms } = await check(...options('EXO-FRC-01', 'EXO-FRC-11'))
      assert.equal(status, 2)
      assert.ok(err.includes(key) && err.includes(host), err)
      assert.ok(ms < 20_000)
    })

  it('gets no connection in a dry run, and the suite does not listen', async () => {
    const host = freshHost()
    const places = await Promise.all(
      [1, 2, 3, 4].map(async () => {
        const endpoint = { host, port: await freePort(host) }
        return { endpoint, server: await listening(endpoint) }
      }),
    )
    let connections = 0
    for (const { server } of places) server.on('connection', () => connections++)
    const [inbound, submission, mailbox, partner] = places.map(({ endpoint }) => endpoint)
    writeGatewayFile(
      { inbound: inbound!, submission: submission!, mailbox: `http://${textOf(mailbox!)}` },
      [partner!],
      {},
    )
    try {
      const { status, out, err } = await check('--dry-run')
      assert.deepEqual([status, err], [0, ''])
      assert.match(out, /yes +EXO-FRC-01/)
      assert.match(out, /yes +EXO-FRC-11/)
      assert.match(out, /no +EXO-FRC-04.*\n? *.*retry|tries queued\s+mail again/)
      assert.equal(connections, 0)
    } finally {
      for (const { server } of places) server.close()
    }
  })
})

async function listening(endpoint: Endpoint): Promise<Server> {
  const server = createServer(socket => socket.destroy()).listen(endpoint)
  await once(server, 'listening')
  return server
}

/** Connects, greets and leaves, as a monitoring system does. Resolves in any case. */
function connectAndLeave(endpoint: Endpoint): Promise<void> {
  return new Promise(resolve => {
    const socket = connect(endpoint)
    socket.on('error', () => {})
    socket.on('close', () => resolve())
    socket.setTimeout(2_000, () => socket.destroy())
    socket.once('data', () => socket.end('EHLO monitor.example\r\nQUIT\r\n'))
    socket.resume()
  })
}

const textOf = ({ host, port }: Endpoint) => `${host}:${port}`

/** A host that differs from those of other programs and from those of the reference gateway. */
const freshHost = () => `127.${randomInt(200, 250)}.${randomInt(256)}.${randomInt(1, 255)}`

async function freePort(host: string): Promise<number> {
  const server = createServer().listen(0, host)
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  return port
}
