import assert from 'node:assert/strict'
import { loadRemedies } from '../support/catalogue/remedies.ts'
import { container } from '../support/gateway/container.ts'
import { embedded } from '../support/gateway/embedded.ts'
import type { GatewaySource } from '../support/gateway/source.ts'
import { Pki } from '../support/pki/pki.ts'
import { engineOrSkip } from '../support/test-bed/fixtures/test-engine.ts'
import { readBreakages } from '../support/test-bed/remedies/breakages.ts'
import { type Edits, type Outcome, type Trial, tried, withEdits } from '../support/test-bed/remedies/trial.ts'
import { courier } from './courier/adapter.ts'
import { exim } from './exim/adapter.ts'
import { haraka } from './haraka/adapter.ts'
import { mox } from './mox/adapter.ts'
import { opensmtpd } from './opensmtpd/adapter.ts'
import { postfix } from './postfix/adapter.ts'
import { sendmail } from './sendmail/adapter.ts'

const SOURCES = new Map<string, (edits: Edits) => GatewaySource>([
  ...[courier, exim, mox, opensmtpd, postfix, sendmail].map(
    product => [product.name, (edits: Edits) => container(withEdits(product, edits))] as const,
  ),
  [haraka.name, edits => embedded(withEdits(haraka, edits))],
])

/** The requirements that are not as they should be, each with the reason. */
const others = (outcomes: readonly Outcome[], wanted: Outcome['is']): string[] =>
  outcomes.filter(({ is }) => is !== wanted).map(({ requirement, is, why }) => `${requirement} ${is}: ${why}`)

/** With `REMEDIES=all` in the environment each requirement is judged that a breakage breaks, otherwise one for each remedy. */
describe('the remedies of', function () {
  // Where an image is missing it is built first.
  this.timeout(20 * 60_000)
  const products = readBreakages(loadRemedies())
  const trials = new Map<string, Promise<Trial[]>>()

  before(async function () {
    await engineOrSkip(this)
    const pki = new Pki()
    for (const { product, breakages } of products) {
      const trial = tried(breakages, SOURCES.get(product)!, { pki, all: process.env['REMEDIES'] === 'all' })
      trial.catch(() => {})
      trials.set(product, trial)
    }
  })

  for (const { product, breakages } of products)
    for (const [at, { what }] of breakages.entries())
      it(`${product} mend one with ${what}`, async () => {
        const { broken, mended } = (await trials.get(product)!)[at]!
        assert.deepEqual(
          { notBroken: others(broken, 'broken'), notMended: others(mended, 'kept') },
          { notBroken: [], notMended: [] },
        )
      })
})
