import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { loadCatalogue } from '../support/catalogue/catalogue.ts'
import { indexFeatures } from '../support/catalogue/features.ts'
import { PACKAGE_ROOT } from '../support/package-root.ts'
import { reference } from '../support/reference/gateway.ts'
import { runExamples } from '../support/run/cucumber.ts'
import { withRun } from '../support/run/current.ts'
import { Run } from '../support/run/run.ts'

describe('the Givens of an example', () => {
  let folder: string
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'mail-tls-givens-'))
  })
  after(() => rmSync(folder, { recursive: true }))

  /** Judges the reference gateway by one example with these steps; `verdict: detail`. */
  async function judged(id: string, role: string, ...steps: string[]): Promise<string> {
    const lines = [`@${role}`, 'Feature: Givens', '', `  @${id}`, '  Rule: One', '', '    @control']
    const text = [...lines, '    Example: one', ...steps.map(step => `      ${step}`), ''].join('\n')
    const path = join(folder, 'givens.feature')
    writeFileSync(path, text)
    const rules = indexFeatures([{ uri: relative(PACKAGE_ROOT, path), text }], loadCatalogue())
    const run = await Run.start({ source: reference(), rules, aftermath: 0 })
    try {
      await withRun(run, () => runExamples(rules, 1))
      const { verdict, detail } = run.record.verdicts[0]!
      return verdict === 'conformant' ? verdict : `${verdict}: ${detail}`
    } finally {
      await run.stop()
    }
  }

  const FORCED = "Given an outbound connector that requires TLS for the partner's domain"
  const SENDS = 'When the gateway sends a message to the partner'
  const ARRIVES = 'Then the message arrives over TLS'

  it('add up: one says what TLS the partner has, another on which connections it breaks', async () => {
    assert.equal(
      await judged(
        'EXO-FRC-01',
        'sender',
        FORCED,
        'And the partner supports TLS 1.2 at most',
        SENDS,
        ARRIVES,
      ),
      'conformant',
    )
    const both = [
      'And the partner supports TLS 1.2 at most',
      'And the partner refuses STARTTLS with 454 on the first connection',
      'When the gateway tries up to 2 times to send a message to the partner',
      'Then the message arrives over TLS 1.2',
    ]
    assert.equal(await judged('EXO-FRC-04', 'sender', FORCED, ...both), 'conformant')
  })

  it('add up to a certificate with two flaws', async () => {
    const flaws = [
      'And the partner shows a certificate that is expired',
      'And the partner shows a certificate that is for another name',
    ]
    const encryption = "Given an outbound connector that requires encryption only for the partner's domain"
    assert.equal(await judged('EXO-FRC-06', 'sender', encryption, ...flaws, SENDS, ARRIVES), 'conformant')
  })

  it('are an error of the lab where they contradict each other', async () => {
    const versions = ['And the partner supports TLS 1.2 at most', 'And the partner supports TLS 1.1 at most']
    assert.equal(
      await judged('EXO-FRC-01', 'sender', FORCED, ...versions, SENDS, ARRIVES),
      'lab-error: Error: "the partner supports TLS 1.1 at most" contradicts what "the partner supports TLS 1.2 at most" says',
    )
  })

  it('are an error of the lab where they change nothing', async () => {
    assert.equal(
      await judged('EXO-FRC-01', 'sender', FORCED, 'And the partner offers STARTTLS', SENDS, ARRIVES),
      'lab-error: Error: "the partner offers STARTTLS" changes nothing',
    )
  })

  it('are an error of the lab where nothing acts upon them', async () => {
    const deaf = [
      'Given the client does not use TLS',
      'When the client greets the gateway',
      'Then STARTTLS is offered as a bare keyword',
    ]
    assert.equal(
      await judged('RFC3207-01', 'receiver', ...deaf),
      'lab-error: nothing acted upon "the client does not use TLS"',
    )
  })
})
