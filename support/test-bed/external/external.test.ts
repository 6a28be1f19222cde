import assert from 'node:assert/strict'
import { freePort } from '../../free-port.ts'
import { freshHost } from '../fixtures/ports.ts'
import { detailsOf, externalBed, INBOUND, OUTBOUND, options, problemsIn } from './bed.ts'

describe('a gateway that the suite did not start', () => {
  const { startGateway, check } = externalBed()

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

  it('keeps all requirements if an outbound and an inbound connector require TLS for the same domain', async () => {
    const both = '*.both.test'
    await startGateway({
      inbound: [...INBOUND, { from: both, tls: 'required' }],
      outbound: [...OUTBOUND, { to: both, tls: 'encryption-only' }],
    })
    const result = await check(...options('EXO-CON-02'))
    assert.deepEqual(problemsIn(result), [])
    assert.equal(result.status, 0)
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
})
