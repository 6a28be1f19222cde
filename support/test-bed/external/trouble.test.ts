import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { freePort } from '../../free-port.ts'
import { Pki } from '../../pki/pki.ts'
import { handOver } from '../../traffic/deliver-message.ts'
import { compose } from '../../traffic/message.ts'
import type { Endpoint } from '../../wire/smtp/smtp.ts'
import { freshHost, listening, textOf } from '../fixtures/ports.ts'
import { detailsOf, externalBed, OUTBOUND, options, problemsIn } from './bed.ts'

/** How long the command waits for an answer where it waits, in ms: much longer than it takes otherwise. */
const PATIENCE = 60_000

describe('a gateway that the suite did not start, in trouble', function () {
  this.timeout(2 * PATIENCE)
  const { startGateway, writeGatewayFile, check } = externalBed()

  /** Requirements about the gateway as sender for which one additional connection would change the verdict. */
  const DELICATE = options('EXO-OPP-02', 'EXO-FRC-01', 'EXO-OPP-04', 'EXO-FRC-09')

  /** Connections that may be retries, or of which there are many, so that the lab does not get to the message in time. */
  const UNSURE =
    /may be a retry of earlier mail|sent more than the lab keeps|the gateway said nothing about it/

  it('is not judged by its retries of earlier mail at the same partner address', async () => {
    await startGateway({ sides: 'outbound', retriesAfter: 450 })
    const result = await check(...DELICATE)
    // If a connection may be a retry, the verdict is inconclusive and not against the gateway.
    const open = result.verdicts.filter(({ verdict }) => verdict === 'inconclusive')
    for (const { detail } of open) assert.match(detail, UNSURE)
    assert.deepEqual(
      problemsIn(result).filter(text => !UNSURE.test(text)),
      [],
    )
    assert.ok(result.verdicts.some(({ verdict }) => verdict === 'conformant'))
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

  describe('cannot be judged, and the suite does not wait', () => {
    before(() => {
      process.env['MAIL_TLS_PATIENCE'] = `${PATIENCE}`
    })
    after(() => {
      delete process.env['MAIL_TLS_PATIENCE']
    })

    it('if another program has the partner address', async () => {
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
        assert.ok(ms < PATIENCE)
      } finally {
        other.close()
      }
    })

    for (const [side, key] of [
      ['inbound', 'inbound.address'],
      ['submission', 'outbound.submit'],
    ] as const)
      it(`if no server listens at ${key}`, async () => {
        const host = freshHost()
        await startGateway({ addresses: { [side]: { host, port: await freePort(host) } } })
        const { status, err, ms } = await check(...options('EXO-FRC-01', 'EXO-FRC-11'))
        assert.equal(status, 2)
        assert.ok(err.includes(key) && err.includes(host), err)
        assert.ok(ms < PATIENCE)
      })
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
      {
        inbound: inbound!,
        submission: submission!,
        implicitTls: submission!,
        mailbox: `http://${textOf(mailbox!)}`,
        commands: 'http://127.0.0.1:1',
      },
      [partner!],
      {},
    )
    try {
      const { status, out, err } = await check('--dry-run')
      assert.deepEqual([status, err], [0, ''])
      assert.match(out, /yes +EXO-OPP-04/)
      assert.match(out, /part +EXO-FRC-01 .*\n? *.*tries\s+queued mail again/)
      assert.match(out, /yes +EXO-FRC-11/)
      assert.match(out, /no +EXO-FRC-04.*\n? *.*retry|tries queued\s+mail again/)
      assert.equal(connections, 0)
    } finally {
      for (const { server } of places) server.close()
    }
  })
})

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
