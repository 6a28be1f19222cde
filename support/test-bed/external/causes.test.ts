import assert from 'node:assert/strict'
import { externalBed, options } from './bed.ts'

/** A defect of the reference gateway, the requirements that are judged, the exit status, and what is told first. */
const FIRST: readonly [defect: string, requirements: string[], status: number, told: RegExp][] = [
  [
    'shows a certificate for localhost',
    ['PKIX-06', 'PKIX-07'],
    0,
    /The gateway's certificate is for localhost, and not for\s+mx\.gateway\.test: 2\s+requirements\s+fail/,
  ],
  [
    'sends MAIL right after the first EHLO',
    ['EXO-OPP-04', 'EXO-VER-02', 'EXO-FRC-01'],
    1,
    /Mail goes without TLS to partners that offer TLS, unless a\s+connector requires TLS: 1 requirement fails/,
  ],
]

describe('the first finding of a gateway that the suite did not start', function () {
  this.timeout(120_000)
  const { startGateway, check } = externalBed()
  for (const [defect, requirements, status, told] of FIRST)
    it(`names the cause if it ${defect}`, async () => {
      await startGateway({ defect, trust: 'pki/root.pem' })
      const result = await check(...options(...requirements))
      assert.equal(result.status, status, result.err)
      const [, attention = ''] = result.out.split('What needs attention\n')
      assert.match(attention.split(/\n\S/)[0]!, told)
      if (status === 0) assert.match(result.out, /Exit status {2}0 {2}.*But the\s+gateway's certificate/s)
    })
})
