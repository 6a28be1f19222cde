import assert from 'node:assert/strict'
import type { Gateway } from '../gateway/gateway.ts'
import { GatewayFailure } from '../gateway-failure.ts'
import { Pki } from '../pki/pki.ts'
import type { Defect } from '../reference/decisions/defect.ts'
import { reference } from '../reference/gateway.ts'
import { mutant } from '../reference/mutants/index.ts'
import { PREFLIGHT } from './preflight.ts'
import { Run } from './run.ts'

describe('the preflight of a gateway', () => {
  const pki = new Pki()

  /** What is said of a gateway with this defect. */
  const said = async (defect: Defect, facts: Partial<Gateway> = {}): Promise<string | undefined> => {
    const run = await Run.start({ source: reference(defect), pki })
    Object.assign(await run.gateways.with(), facts)
    try {
      await run.mustWork()
      return undefined
    } catch (error) {
      assert.ok(error instanceof GatewayFailure, String(error))
      return error.message
    } finally {
      await run.stop()
    }
  }

  it('is passed by a gateway that works', async () => {
    assert.equal(await said({}), undefined)
  })

  const failing: [check: keyof typeof PREFLIGHT, defect: Defect, why: string, facts?: Partial<Gateway>][] = [
    ['tells its version and its TLS library', {}, 'it is unknown with OpenSSL', { version: 'unknown' }],
    ['accepts mail in clear', mutant('answers 530 to MAIL from everybody'), 'at MAIL came 530'],
    ['accepts mail over TLS', mutant('refuses everybody'), 'at greeting came 554'],
    [
      'sends mail in clear',
      mutant('defers opportunistic mail where STARTTLS is not offered'),
      'it was deferred: ',
    ],
    ['sends mail over TLS', mutant('sends MAIL right after the first EHLO'), 'it arrived in clear'],
    [
      'keeps mail that it cannot deliver now, and says so',
      mutant('returns the message at the first trouble with TLS'),
      'it was bounced',
    ],
    [
      'keeps mail that it cannot deliver now, and says so',
      {},
      'its queue has nothing with token-',
      { holds: async address => address.startsWith('inbox@') },
    ],
    [
      'returns mail that can never be delivered, and says so',
      mutant('does not notify the author'),
      'not told',
    ],
  ]
  for (const [check, defect, why, facts] of failing)
    it(`names the check that a gateway fails: ${check}: ${why}`, async () => {
      const lines = (await said(defect, facts))?.split('\n') ?? []
      assert.equal(lines[0], 'reference cannot be judged, because it or its adapter does not work:')
      const line = lines.find(one => one.startsWith(`  it must be a gateway that ${check}: `))
      assert.ok(line?.includes(why), lines.join('\n'))
    })

  it('tests every check with a gateway that fails it', () => {
    assert.deepEqual(new Set(failing.map(([check]) => check)), new Set(Object.keys(PREFLIGHT)))
  })
})
