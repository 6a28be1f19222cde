import assert from 'node:assert/strict'
import { freePort } from '../../free-port.ts'
import { freshHost } from '../fixtures/ports.ts'
import { externalBed, OUTBOUND, options, problemsIn } from './bed.ts'

describe('a gateway of the user that asks for the status of certificates', () => {
  const { startGateway, check } = externalBed()

  const freshNames = async () => {
    const host = freshHost()
    const port = await freePort(host)
    const partners = [`${host.replace(/\.\d+$/, '')}.0/24`]
    return {
      partners: [{ host, port }],
      names: { listen: { host, port: await freePort(host) }, partners, port },
    }
  }
  const asked = options('EXO-FRC-08', 'EXO-REV-01', 'EXO-REV-02', 'OCSP-03')

  const withStatus = [
    ...OUTBOUND,
    { to: '*.current.test', tls: 'certificate-validation', status: 'asked' },
    { to: '*.asks.test', tls: 'domain-validation', status: 'asked' },
    { to: '*.strict.test', tls: 'domain-validation', status: 'required' },
  ] as const
  for (const [where, setup] of [
    ['by names of the suite', freshNames],
    ['at an address of loopback', async () => ({})],
  ] as const) {
    it(`finds the authority ${where}`, async () => {
      await startGateway({ sides: 'outbound', outbound: [...withStatus], ...(await setup()) })
      const result = await check(...asked, '--parallel', '8')
      assert.deepEqual(problemsIn(result), [])
      assert.equal(result.status, 0)
      for (const id of ['EXO-FRC-08', 'EXO-REV-01', 'EXO-REV-02']) {
        const of = result.verdicts.filter(({ requirement }) => requirement === id)
        assert.ok(of.filter(({ verdict }) => verdict === 'conformant').length >= 2, id)
      }
    }).timeout(180_000)

    it(`is found out if it asks nobody ${where}`, async () => {
      await startGateway({
        sides: 'outbound',
        outbound: [...withStatus],
        defect: 'asks nobody whether a certificate is revoked',
        ...(await setup()),
      })
      const result = await check(...options('EXO-REV-01'), '--parallel', '8')
      assert.equal(result.status, 1)
    }).timeout(90_000)
  }

  const byDemand = options('PKIX-05', 'EXO-REV-03')

  it('is judged by connectors of which the file says what they do about the status', async () => {
    await startGateway({ sides: 'outbound', outbound: [...withStatus], ...(await freshNames()) })
    const result = await check(...byDemand, '--parallel', '8')
    assert.deepEqual(problemsIn(result), [])
    assert.equal(result.status, 0)
    const of = result.verdicts.filter(({ verdict }) => verdict === 'conformant')
    const connectors = of.map(({ requirement, connector }) => `${requirement} ${connector}`)
    assert.deepEqual([...new Set(connectors)].sort(), [
      'EXO-REV-03 *.strict.test',
      'PKIX-05 *.asks.test',
      'PKIX-05 *.strict.test',
    ])
  }).timeout(180_000)

  it('is found out if it takes an expired list for a proof', async () => {
    const defect = 'takes an expired list as a proof'
    await startGateway({ sides: 'outbound', outbound: [...withStatus], defect, ...(await freshNames()) })
    const result = await check(...options('PKIX-05'), '--parallel', '8')
    assert.equal(result.status, 1)
  }).timeout(180_000)

  it('is not held to ask anybody where the file does not say that it does', async () => {
    await startGateway({ sides: 'outbound', defect: 'asks nobody whether a certificate is revoked' })
    const result = await check(...asked, '--parallel', '8')
    assert.deepEqual(problemsIn(result), [])
    assert.equal(result.status, 0)
    const of = (id: string) => result.verdicts.filter(({ requirement }) => requirement === id)
    for (const { verdict } of [...of('EXO-FRC-08'), ...of('EXO-REV-01')])
      assert.equal(verdict, 'inapplicable')
  }).timeout(90_000)

  it('is judged by the key that its connectors would need otherwise', async () => {
    await startGateway({ sides: 'outbound', ...(await freshNames()) })
    const { out } = await check('--dry-run', ...byDemand)
    assert.match(
      out.replaceAll(/\s+/g, ' '),
      /no PKIX-05 [^.]*no outbound connector with status in gateway\.yaml/,
    )
  })
})
