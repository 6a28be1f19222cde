import assert from 'node:assert/strict'
import { freePort } from '../../free-port.ts'
import { freshHost, listening } from '../fixtures/ports.ts'
import { externalBed, options, problemsIn } from './bed.ts'

describe('a gateway that asks the suite for names', () => {
  const { startGateway, check } = externalBed()

  /** Addresses of partners that no other test has, and where the suite answers DNS. */
  const freshNames = async (...more: string[]) => {
    const host = freshHost()
    const port = await freePort(host)
    const net = host.replace(/\.\d+$/, '')
    return {
      partners: [{ host, port }],
      names: { listen: { host, port: await freePort(host) }, partners: [`${net}.0/24`, ...more], port },
    }
  }

  it('keeps all requirements, with several mail exchangers, several partners and IPv6', async () => {
    await startGateway({ sides: 'outbound', settle: '1s', ...(await freshNames('::1')) })
    const ids = options('RFC5321-01', 'EXO-OPP-08')
    const result = await check(...ids, '--parallel', '8', '--circumstances', '8')
    assert.deepEqual(problemsIn(result), [])
    assert.equal(result.status, 0)
    for (const { requirement, verdict, detail } of result.verdicts)
      assert.equal(verdict, 'conformant', `${requirement}: ${detail}`)
    const ran = new Map(result.circumstances!.values.map(({ value, examples }) => [value, examples]))
    for (const place of ['at an IPv6 address', 'at its second mail exchanger'])
      assert.ok(ran.get(place)! > 0, place)
  }).timeout(180_000)

  for (const [defect, id] of [
    ['gives up after the first mail exchanger', 'RFC5321-01'],
    ['sends all copies in clear because one partner has no TLS', 'EXO-OPP-08'],
  ] as const)
    it(`is found out if it ${defect}`, async () => {
      await startGateway({ sides: 'outbound', defect, ...(await freshNames()) })
      const result = await check(...options('RFC5321-01', 'EXO-OPP-08'), '--parallel', '8')
      assert.equal(result.status, 1)
      const red = result.verdicts.filter(({ verdict }) => verdict === 'non-conformant')
      assert.deepEqual([...new Set(red.map(({ requirement }) => requirement))], [id])
    }).timeout(90_000)

  it('is judged in more examples, and those that need several mail exchangers name the key otherwise', async () => {
    const plan = async () => (await check('--dry-run', ...options('RFC5321-01', 'EXO-CON-01'))).out
    const { partners, names } = await freshNames()
    await startGateway({ partners })
    const without = (await plan()).replaceAll(/\s+/g, ' ')
    assert.match(without, /no RFC5321-01 [^.]*the key names of the gateway file would make it applicable/)
    assert.match(without, /EXO-CON-01 .*the key names of the gateway file would make it applicable/)
    await startGateway({ partners, names })
    const server = await listening({ host: names.partners[0]!.replace('0/24', '1'), port: names.port })
    try {
      assert.match(await plan(), /yes +RFC5321-01/)
      assert.doesNotMatch(await plan(), /the key names/)
    } finally {
      server.close()
    }
  })

  it('cannot be judged if another program has the address at which the suite is to answer', async () => {
    const setup = await freshNames()
    await startGateway(setup)
    const server = await listening(setup.names.listen)
    try {
      const { status, err } = await check(...options('EXO-FRC-01'))
      assert.equal(status, 2)
      assert.match(
        err,
        /^mail-tls: gateway\.yaml: names\.listen: the suite cannot listen there: .*EADDRINUSE[^\n]*\n$/,
      )
    } finally {
      server.close()
    }
  })
})
