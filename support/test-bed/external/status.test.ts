import assert from 'node:assert/strict'
import { freePort } from '../../free-port.ts'
import { freshHost } from '../fixtures/ports.ts'
import { externalBed, options, problemsIn } from './bed.ts'

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

  for (const [where, setup] of [
    ['by names of the suite', freshNames],
    ['at an address of loopback', async () => ({})],
  ] as const) {
    it(`finds the authority ${where}`, async () => {
      await startGateway({ sides: 'outbound', ...(await setup()) })
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
        defect: 'asks nobody whether a certificate is revoked',
        ...(await setup()),
      })
      const result = await check(...options('EXO-REV-01'), '--parallel', '8')
      assert.equal(result.status, 1)
    }).timeout(90_000)
  }
})
