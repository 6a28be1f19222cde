import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { container } from '../../support/gateway/container.ts'
import { CHANGES } from '../../support/mailflow/changes.ts'
import { sameAsSamples, sampleFlow } from '../../support/test-bed/fixtures/sample-flow.ts'
import { loadDeviations } from '../../support/verdicts/deviations.ts'
import { chasquid } from './adapter.ts'

const samples = fileURLToPath(new URL('samples/', import.meta.url))
const place = { address: '0.0.0.0', inbound: 25, submission: 587, submissions: 465 }
const source = container(chasquid)

describe('chasquid: rendering', () => {
  it('renders the standard flow as in its samples (UPDATE_SAMPLES=1 writes the samples again)', async () => {
    sameAsSamples(chasquid.render(await sampleFlow(source), place).files, `${samples}standard-flow`)
  })

  it('makes its key readable for its owner only', async () => {
    const { files } = chasquid.render(await sampleFlow(source), place)
    assert.equal(files.find(({ path }) => path.endsWith('/privkey.pem'))!.mode, '0600')
  })

  it('gives a reason for each capability it lacks, and refuses to run without its certificate', () => {
    assert.match(source.lacks('encryption-only')!, /no setting that requires encryption/)
    assert.match(source.lacks('retry')!, /decides when it tries again/)
    assert.equal(source.lacks('submission'), undefined)
    assert.match(source.refuses!(CHANGES['has lost its certificate'])!, /does not start/)
    assert.equal(source.refuses!(CHANGES['trusts both roots']), undefined)
    assert.throws(() => chasquid.retry('d1.test'), /cannot be asked/)
  })

  it('has deviations that load', () => {
    assert.ok(loadDeviations(chasquid.deviations!).length > 0)
  })
})

for (const [version, { sent, refused, later, never }] of Object.entries({
  '1.15.0': {
    sent: ['d50-ee76.opportunistic.test', 'd30-8fe7.opportunistic.test'],
    refused: [],
    later: 'd5-b438.opportunistic.test',
    never: 'd6-773c.opportunistic.test',
  },
  '1.6': {
    sent: ['d59-8943.opportunistic.test'],
    refused: ['d29-3def.opportunistic.test'],
    later: 'd5-7b48.opportunistic.test',
    never: 'd6-6eff.opportunistic.test',
  },
}))
  describe(`chasquid: the log of ${version}`, () => {
    const lines = readFileSync(`${samples}chasquid-${version}.log`, 'utf8').split('\n')
    const said = (domain: string) =>
      lines
        .flatMap(line => chasquid.read(line) ?? [])
        .filter(({ recipient }) => recipient === `inbox@${domain}`)
        .map(({ kind, reason }) => `${kind}: ${reason}`)

    it('says once what became of a message, and why', () => {
      for (const domain of sent) assert.deepEqual(said(domain), ['delivered: sent'])
      const transient = (last: string) => [`deferred: all MXs returned transient failures (last: ${last})`]
      for (const domain of refused)
        assert.deepEqual(said(domain), transient('TLS error: 454 4.7.0 TLS not available at the moment'))
      assert.deepEqual(said(later), transient('MAIL+RCPT 450 4.2.1 later'))
      assert.deepEqual(said(never), ['bounced: MAIL+RCPT 550 5.1.1 never'])
    })

    it('says nothing about the TLS of a session', () => {
      assert.deepEqual(
        lines.flatMap(line => chasquid.session(line) ?? []),
        [],
      )
    })

    it('says once that chasquid is ready', () => {
      assert.equal(lines.filter(line => chasquid.ready.test(line)).length, 1)
    })
  })

describe('chasquid: its version', () => {
  it('is read, and the version of Go it was built with', () => {
    const text = 'chasquid 1.15.0-1+b4 (source date: 2025-06-22 17:11:49 +0000 UTC)\ngo1.24.4\n'
    assert.deepEqual(chasquid.readVersion(text), { version: '1.15.0', library: 'Go 1.24.4' })
    assert.throws(() => chasquid.readVersion('chasquid: no'), /no version of chasquid/)
  })
})
