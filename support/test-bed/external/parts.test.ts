import assert from 'node:assert/strict'
import { PROFILES } from '../../catalogue/catalogue.ts'
import { freshHost } from '../fixtures/ports.ts'
import { externalBed, OUTBOUND, problemsIn, type Setup } from './bed.ts'

describe('a gateway that the suite did not start, of which a part is described', () => {
  const { startGateway, check } = externalBed()

  /** Sound gateways of which only a part is described: nothing is taken for granted of the rest. */
  const PARTS: Record<string, Setup> = {
    'sends mail alone': { sides: 'outbound' },
    'receives mail alone': { sides: 'inbound', trust: 'pki/root.pem' },
    'has the suite as its mailbox': { sides: 'inbound', trust: 'pki/root.pem', misses: 'mailbox' },
    'has no connector for mail that it receives': { sides: 'inbound', trust: 'pki/root.pem', inbound: [] },
    'has no opportunistic connector': { outbound: OUTBOUND.slice(1), trust: 'pki/root.pem' },
    'has an opportunistic connector alone': { sides: 'outbound', outbound: OUTBOUND.slice(0, 1) },
    'has a connector with domain validation alone': { sides: 'outbound', outbound: OUTBOUND.slice(3) },
  }
  for (const [what, { outbound = OUTBOUND, ...setup }] of Object.entries(PARTS))
    it(`keeps all requirements that apply if it ${what}`, async function () {
      this.timeout(300_000)
      await startGateway({ ...setup, outbound: outbound.map(one => ({ ...one, host: freshHost() })) })
      // The reference gateway does not follow the tables of these authorities.
      const asked = PROFILES.filter(name => !/^(nist|bsi|ncsc)-/.test(name))
      const profiles = asked.flatMap(name => ['--profile', name])
      const circumstances = what.endsWith('mail alone') ? '1' : 'none'
      const result = await check(...profiles, '--parallel', '8', '--circumstances', circumstances)
      assert.deepEqual(problemsIn(result), [])
      assert.equal(result.status, 0)
      assert.ok(result.verdicts.some(({ verdict }) => verdict === 'conformant'))
      if (setup.misses !== 'mailbox') return
      // Only a mailbox shows the Received line.
      assert.ok(
        result.verdicts.some(
          ({ requirement, verdict }) => requirement === 'TRC-01' && verdict === 'conformant',
        ),
      )
    })
})
