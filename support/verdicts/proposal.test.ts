import assert from 'node:assert/strict'
import { bundledGateway } from '../../containers/index.ts'
import { reference } from '../reference/gateway.ts'
import { proposalExcuses } from '../test-bed/fixtures/proposal.ts'

// The gateways in containers are tested so in containers/contract.suite.ts.
describe('a gateway passes with the deviations that its own run proposes', function () {
  this.timeout(120_000)

  it('haraka', async () => {
    const proposed = await proposalExcuses(bundledGateway('haraka'))
    const symptoms = proposed.filter(({ requirement }) => requirement === 'EXO-FRC-14')
    assert.deepEqual(
      symptoms.map(({ symptom }) => symptom),
      ['the gateway accepted the message'],
    )
  })

  it('reference', async () => {
    assert.deepEqual(await proposalExcuses(reference()), [])
  })
})
