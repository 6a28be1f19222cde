import assert from 'node:assert/strict'
import { loadCatalogue } from '../support/catalogue/catalogue.ts'
import { type FeatureRule, loadFeatures, placeOf, select } from '../support/catalogue/features.ts'
import { loadDimensions } from '../support/circumstances/dimensions.ts'
import type { Gateway } from '../support/gateway/gateway.ts'
import type { Defect } from '../support/reference/decisions/defect.ts'
import { reference } from '../support/reference/gateway.ts'
import { runExamples } from '../support/run/cucumber.ts'
import { withRun } from '../support/run/current.ts'
import { Run } from '../support/run/run.ts'
import { EARLIER_MAIL, type SentBefore } from '../support/traffic/sent-before.ts'
import { sessionsAbout } from './earlier-mail.ts'

describe('what the gateway sent before', () => {
  const catalogue = loadCatalogue()
  const values = loadDimensions().flatMap(one => one.values.filter(({ sets }) => sets.before))
  const kinds = Object.keys(EARLIER_MAIL) as SentBefore[]

  /** What was earlier, where an example came out otherwise. */
  async function broken(defect: Defect, requirement = 'EXO-FRC-01'): Promise<string[]> {
    const wanted = { requirements: [requirement], tags: '@sender' }
    const rules = select(loadFeatures(catalogue), catalogue, wanted)
    const run = await Run.start({ source: reference(defect), aftermath: 0 })
    const isBroken = async (what: SentBefore) => {
      const value = values.find(one => one.value === what)!
      const pass = run.pass(new Map(rules.map((rule: FeatureRule) => [placeOf(rule), [value]])))
      await withRun(pass, () => runExamples(rules, 2))
      assert.ok(pass.verdicts.length > 2)
      return pass.verdicts.some(({ verdict }) => verdict !== 'conformant' && verdict !== 'inapplicable')
    }
    try {
      const found = await Promise.all(kinds.map(isBroken))
      return kinds.filter((_, i) => found[i])
    } finally {
      await run.stop()
    }
  }

  const cases: [name: string, defect: Defect, ...found: SentBefore[]][] = [
    ['changes nothing for a gateway that treats each message alike', {}],
    [
      'shows that the gateway does without TLS where it had TLS before',
      { sender: { usesTls: ({ host }) => !host.hadTls } },
      'a message to the same partner',
      'a message that the partner refused',
      'a message to another domain at the same mail exchanger',
    ],
    [
      'shows that the gateway does without TLS where a handshake failed before',
      { sender: { usesTls: ({ host }) => !host.brokeTls } },
      'a message whose TLS handshake failed',
    ],
    [
      'shows that the gateway forgets the connector for a host without TLS',
      {
        sender: {
          mayGoInClear: ({ host, attempt }, correct) => correct || (host.lackedTls && attempt === 1),
        },
      },
      'an unencrypted message to another domain at the same mail exchanger',
      'a message that waits because STARTTLS was not offered',
    ],
  ]
  for (const [name, defect, ...found] of cases)
    it(name, async () => assert.deepEqual(await broken(defect), found))

  it('leaves the gateway alone that others use, where the example changes its roots', async () => {
    assert.deepEqual(await broken({}, 'EXO-ROOT-02'), [])
  })

  it('is not what the log says of the session that is judged', async () => {
    assert.deepEqual(await broken({}, 'TRC-02'), [])
  })

  it('is not what the log says late of a session with the same host for another domain', async () => {
    assert.deepEqual(await broken({}, 'ID-04'), [])
    const lines = ['to=<@other.test> relay=mx.a.test', 'to=<@partner.test> relay=mx.a.test']
    const gateway = {
      sessions: (name: string) => lines.filter(line => line.includes(name)).map(line => ({ line })),
    } as unknown as Gateway
    const told = sessionsAbout(gateway, ['partner.test', 'mx.a.test'], 'other.test')
    assert.deepEqual(
      told.map(({ line }) => line),
      [lines[1]],
    )
  })
})
