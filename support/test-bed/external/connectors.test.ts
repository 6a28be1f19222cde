import assert from 'node:assert/strict'
import { externalBed, INBOUND, OUTBOUND, options, problemsIn } from './bed.ts'

describe('a gateway that has several connectors with the same level', () => {
  const { startGateway, check } = externalBed()

  it('is judged with each of them', async () => {
    const second = { to: '*.second.test', tls: 'encryption-only' } as const
    const requirements = options('EXO-FRC-01', 'EXO-OPP-01')
    await startGateway({ sides: 'outbound', outbound: [...OUTBOUND, second] })
    const good = await check(...requirements)
    assert.deepEqual(problemsIn(good), [])
    assert.equal(good.status, 0)
    await startGateway({
      sides: 'outbound',
      outbound: [...OUTBOUND, { ...second, tls: 'opportunistic' }],
      described: [...OUTBOUND, second],
    })
    const bad = await check(...requirements)
    assert.equal(bad.status, 1)
    const found = problemsIn(bad)
    assert.notEqual(found.length, 0)
    for (const text of found)
      assert.match(
        text,
        /^EXO-FRC-01 .*: non-conformant: .* \(at the connector \*\.second\.test, not at \*\.encrypted/,
      )
  })

  it('is judged with each inbound one that requires TLS', async () => {
    const second = { from: '*.second.test', tls: 'required' } as const
    await startGateway({
      inbound: [...INBOUND, { ...second, tls: 'opportunistic' }],
      describedInbound: [...INBOUND, second],
    })
    const { status, verdicts } = await check(...options('EXO-FRC-11'))
    assert.equal(status, 1)
    const found = verdicts.find(({ verdict }) => verdict === 'non-conformant')
    assert.match(found!.detail, /at the connector \*\.second\.test/)
  })
})
