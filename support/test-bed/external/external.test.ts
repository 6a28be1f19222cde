import assert from 'node:assert/strict'
import { type ChildProcess, fork, spawn } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
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

interface Ended {
  status: number | null
  out: string
  err: string
  ms: number
  verdicts: VerdictsDocument['verdicts']
}

interface Given extends Partial<Omit<Served, 'partner'>> {
  partners?: Endpoint[]
  sides?: 'both' | 'inbound' | 'outbound'
  mailbox?: boolean
  trust?: string
  /** The one of the partners that the gateway takes; default: the first. */
  deliversTo?: Endpoint
  /** What the file says in place of the gateway's own addresses. */
  says?: Partial<Addresses>
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
    const ended = gateways.filter(({ exitCode }) => exitCode === null).map(child => once(child, 'exit'))
    for (const child of gateways) child.disconnect()
    await Promise.all(ended)
  })

  const file = (
    { inbound, submission, mailbox }: Addresses,
    partners: readonly Endpoint[],
    {
      sides = 'both',
      mailbox: hasMailbox = true,
      trust,
      inbound: from = INBOUND,
      outbound: to = OUTBOUND,
    }: Given,
  ) =>
    writeFileSync(
      join(folder, 'gateway.yaml'),
      JSON.stringify({
        name: 'edge',
        ...(sides === 'outbound'
          ? {}
          : {
              inbound: {
                address: said(inbound),
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
                submit: said(submission),
                sender: 'probe@gateway.test',
                partner: partners.map(said),
                connectors: to.map(({ host, ...connector }) => ({
                  ...connector,
                  ...(host === undefined ? {} : { partner: said({ ...partners[0]!, host }) }),
                })),
                settle: '300ms',
              },
            }),
      }),
    )

  /** Starts the gateway and describes it; returns where it delivers. */
  const gateway = async (given: Given = {}): Promise<Endpoint[]> => {
    const [host, mailboxHost] = [freshHost(), freshHost()]
    const partners = given.partners ?? [{ host, port: await freePort(host) }]
    const { inbound = INBOUND, outbound = OUTBOUND, defect, retriesAfter } = given
    const served: Served = {
      ...{
        pki: join(folder, 'pki'),
        partner: given.deliversTo ?? partners[0]!,
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
    file({ ...addresses, ...given.says }, partners, given)
    return partners
  }

  const check = async (...args: string[]): Promise<Ended> => {
    const began = performance.now()
    const child = spawn(process.execPath, [COMMAND, 'check', 'gateway.yaml', '--report', 'report', ...args], {
      cwd: folder,
      env: { ...process.env, TMPDIR: folder },
    })
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

  const of = (...requirements: string[]) => requirements.flatMap(id => ['--requirement', id])
  /** What is not as it should be, in sentences. */
  const wrong = ({ verdicts, err }: Ended) => [
    ...(err ? [err] : []),
    ...verdicts
      .filter(({ verdict }) => verdict !== 'conformant' && verdict !== 'inapplicable')
      .map(({ requirement, title, verdict, detail }) => `${requirement} ${title}: ${verdict}: ${detail}`),
  ]
  const detailsOf = ({ verdicts }: Ended, requirement: string) =>
    verdicts.filter(one => one.requirement === requirement).map(({ detail }) => detail)

  it('keeps everything in both directions, at one address', async () => {
    await gateway()
    const ended = await check(
      ...of('EXO-FRC-01', 'EXO-OPP-04', 'EXO-FRC-09', 'EXO-FRC-11', 'EXO-FRC-14', 'EXO-OPP-02', 'EXO-MSG-04'),
      ...['--parallel', '4'],
    )
    assert.deepEqual(wrong(ended), [])
    assert.equal(ended.status, 0)
    assert.match(ended.out, /^connecting to edge\n.*\nedge keeps all 7 requirements that apply/s)
  })

  it('keeps everything where each connector delivers to an address of its own', async () => {
    await gateway({
      sides: 'outbound',
      outbound: OUTBOUND.map(connector => ({ ...connector, host: freshHost() })),
    })
    const ended = await check(...of('EXO-FRC-01', 'EXO-OPP-04', 'EXO-FRC-09', 'DGR-03'), '--parallel', '4')
    assert.deepEqual(wrong(ended), [])
    assert.equal(ended.status, 0)
    assert.match(ended.out, /keeps all 4 requirements that apply/)
  })

  it('keeps everything where it delivers all mail to one of several addresses', async () => {
    const [host, other] = [freshHost(), freshHost()]
    const port = await freePort(host)
    const listed = [
      { host: other, port },
      { host, port },
    ]
    await gateway({ sides: 'outbound', partners: listed, deliversTo: listed[1]! })
    const ended = await check(...of('EXO-FRC-01', 'EXO-OPP-04'), '--parallel', '4')
    assert.deepEqual(wrong(ended), [])
    assert.equal(ended.status, 0)
  })

  it('is judged as a receiver alone where the file has no outbound', async () => {
    await gateway({ sides: 'inbound' })
    const ended = await check(...of('EXO-FRC-11', 'EXO-FRC-01'))
    assert.deepEqual(wrong(ended), [])
    assert.equal(ended.status, 0)
    assert.deepEqual([...new Set(detailsOf(ended, 'EXO-FRC-01'))], ['no outbound in gateway.yaml'])
    assert.match(detailsOf(ended, 'EXO-FRC-11').join(), /refused/)
  })

  it('is judged as a sender alone where the file has no inbound', async () => {
    await gateway({ sides: 'outbound' })
    const ended = await check(...of('EXO-FRC-11', 'EXO-FRC-01'))
    assert.deepEqual(wrong(ended), [])
    assert.equal(ended.status, 0)
    assert.deepEqual([...new Set(detailsOf(ended, 'EXO-FRC-11'))], ['no inbound in gateway.yaml'])
    assert.match(detailsOf(ended, 'EXO-FRC-01').join(), /held back|nothing came within/)
  })

  it('shows a chain that is judged by the roots of its file, or else of the system', async () => {
    await gateway({ sides: 'inbound', trust: 'pki/root.pem' })
    assert.deepEqual(detailsOf(await check(...of('PKIX-06')), 'PKIX-06').slice(-1), [
      'a chain of 2 certificates leads to a trusted root',
    ])
    await gateway({ sides: 'inbound' })
    const ended = await check(...of('PKIX-06'))
    assert.match(
      detailsOf(ended, 'PKIX-06').at(-1)!,
      /^a chain of 2 certificates leads to no trusted root: [A-Z_]+$/,
    )
    assert.equal(ended.verdicts.at(-1)!.verdict, 'declined')
  })

  it('is judged without a mailbox by its replies, and the verdict says so', async () => {
    await gateway({ sides: 'inbound', mailbox: false })
    const ended = await check(...of('EXO-FRC-11', 'TRC-01'))
    assert.deepEqual(wrong(ended), [])
    assert.match(detailsOf(ended, 'EXO-FRC-11').join(), /no mailbox is named in which it could be seen/)
    const [trace] = ended.verdicts.filter(({ requirement }) => requirement === 'TRC-01')
    assert.equal(trace!.verdict, 'inapplicable')
  })

  it('may compare with a name of its own at domain validation', async () => {
    await gateway({
      sides: 'outbound',
      outbound: [
        OUTBOUND[0]!,
        { to: '*.verified.test', tls: 'domain-validation', tlsDomain: 'mail.partner.test' },
      ],
    })
    const ended = await check(...of('EXO-FRC-01', 'DGR-03', 'EXO-FRC-10'))
    assert.deepEqual(wrong(ended), [])
    for (const id of ['EXO-FRC-01', 'DGR-03', 'EXO-FRC-10'])
      assert.ok(
        ended.verdicts.some(({ requirement, verdict }) => requirement === id && verdict === 'conformant'),
      )
  })

  /** Requirements of a sender that one connection too many would break, or prove without reason. */
  const DELICATE = of('EXO-OPP-02', 'EXO-FRC-01', 'EXO-OPP-04', 'EXO-FRC-09')

  it('is not judged by retries of earlier mail at the same address', async () => {
    await gateway({ sides: 'outbound', retriesAfter: 450 })
    const ended = await check(...DELICATE)
    // What cannot be told from a retry is left open; nothing is held against the gateway.
    const open = ended.verdicts.filter(({ verdict }) => verdict === 'inconclusive')
    for (const { detail } of open) assert.match(detail, /may be a retry of earlier mail/)
    assert.deepEqual(
      wrong(ended).filter(text => !/may be a retry of earlier mail/.test(text)),
      [],
    )
    assert.equal(ended.status, 0)
  })

  it('is not judged by what others say at the same address', async () => {
    const [partner] = await gateway({ sides: 'outbound' })
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
        // Nobody listens there before the run and after it.
        await (++played % 2 ? look(partner!) : deliverTo('d1-0000.encrypted.test'))
        await new Promise(resolve => setTimeout(resolve, 100))
      }
    })()
    const ended = await check(...DELICATE)
    over = true
    await stranger
    assert.ok(played > 10)
    assert.deepEqual(wrong(ended), [])
    assert.equal(ended.status, 0)
  })

  it('is caught when it holds mail back and sends it in clear a moment later', async () => {
    await gateway({ sides: 'outbound', defect: 'delivers in clear a little after it has said deferred' })
    const ended = await check(...of('EXO-FRC-01'))
    assert.equal(ended.status, 1)
    const [control, broken] = ended.verdicts
    assert.equal(control!.verdict, 'conformant')
    assert.equal(broken!.verdict, 'non-conformant')
    assert.match(broken!.detail, /arrived in clear/)
  })

  it('cannot be judged where another program has the partner’s address', async () => {
    const [partner] = await gateway()
    const other = await listening(partner!)
    try {
      const { status, out, err, ms } = await check(...of('EXO-FRC-01'))
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
    it(`cannot be judged where nobody listens at ${key}, and is not waited for`, async () => {
      const host = freshHost()
      await gateway({ says: { [side]: { host, port: await freePort(host) } } })
      const { status, err, ms } = await check(...of('EXO-FRC-01', 'EXO-FRC-11'))
      assert.equal(status, 2)
      assert.ok(err.includes(key) && err.includes(host), err)
      assert.ok(ms < 20_000)
    })

  it('is not connected to in a dry run, and nothing listens', async () => {
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
    file({ inbound: inbound!, submission: submission!, mailbox: `http://${said(mailbox!)}` }, [partner!], {})
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

/** As monitoring does: connects, greets, leaves. Resolves whatever comes of it. */
function look(endpoint: Endpoint): Promise<void> {
  return new Promise(resolve => {
    const socket = connect(endpoint)
    socket.on('error', () => {})
    socket.on('close', () => resolve())
    socket.setTimeout(2_000, () => socket.destroy())
    socket.once('data', () => socket.end('EHLO monitor.example\r\nQUIT\r\n'))
    socket.resume()
  })
}

const said = ({ host, port }: Endpoint) => `${host}:${port}`

/** Apart from the addresses of other programs, and from those that the reference gateway takes. */
const freshHost = () => `127.${randomInt(200, 250)}.${randomInt(256)}.${randomInt(1, 255)}`

async function freePort(host: string): Promise<number> {
  const server = createServer().listen(0, host)
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  return port
}
