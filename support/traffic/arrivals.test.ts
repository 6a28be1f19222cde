import assert from 'node:assert/strict'
import { loadCatalogue } from '../catalogue/catalogue.ts'
import { loadFeatures, select } from '../catalogue/features.ts'
import type { GatewaySource } from '../gateway/source.ts'
import { Pki } from '../pki/pki.ts'
import type { Defect } from '../reference/decisions/defect.ts'
import { reference } from '../reference/gateway.ts'
import { mutant } from '../reference/mutants/index.ts'
import { runExamples } from '../run/cucumber.ts'
import { withRun } from '../run/current.ts'
import { Run } from '../run/run.ts'

/** The first message after a change waits until another attempt is asked for. */
const KEEPS: Defect = {
  queue: { sends: ({ firstSinceChange }, correct) => (firstSinceChange ? 'when asked' : correct) },
}
const LOSES = mutant('loses mail while its certificate is changed')

describe('judging mail that flows while a certificate is changed', function () {
  this.timeout(60_000)
  const pki = new Pki()
  const catalogue = loadCatalogue()
  const change = select(loadFeatures(catalogue), catalogue, { requirements: ['EXO-TRN-01'] })

  async function judged(defect: Defect, more: Partial<GatewaySource> = {}) {
    const run = await Run.start({ source: { ...reference(defect), ...more }, pki })
    try {
      await withRun(run, () => runExamples(change, 1))
      const { verdict, detail, seen } = run.verdicts.find(({ control }) => !control)!
      return { verdict, detail, conversations: seen.conversations }
    } finally {
      await run.stop()
    }
  }

  /** Its queue cannot be emptied from outside. */
  const unasked = (defect: Defect, held: RegExp): Partial<GatewaySource> => ({
    lacks: capability => (capability === 'retry' ? 'it tries again by its own clock' : undefined),
    start: async flow =>
      Object.assign(await reference(defect).start(flow), {
        holds: async (address: string) => held.test(address),
        patience: 500,
      }),
  })

  it('is content with a message that waited in the queue for another attempt', async () => {
    const { verdict, detail, conversations } = await judged(KEEPS)
    assert.equal(verdict, 'conformant', detail)
    assert.ok(conversations.length > 4 && conversations.length < 20, String(conversations.length))
    const issuers = conversations.map(({ handshake }) => handshake?.serverCertificate?.issuer ?? '')
    assert.ok(issuers.some(issuer => /former/.test(issuer)) && issuers.some(issuer => /new/.test(issuer)))
  })

  it('calls nothing lost that is still in the queue', async () => {
    const { verdict, detail } = await judged({}, unasked(KEEPS, /@/))
    assert.equal(verdict, 'inconclusive', detail)
    assert.match(detail, /1 of \d+ accepted messages are still in the gateway's queue/)
  })

  for (const [what, more] of [
    ['was asked for another attempt', {}],
    ['does not hold it', unasked(LOSES, /^$/)],
    ['holds its return alone', unasked(LOSES, /^token-/)],
  ] as const)
    it(`names a message that is lost when the gateway ${what}, with its session`, async () => {
      const { verdict, detail, conversations } = await judged(LOSES, more)
      assert.equal(verdict, 'non-conformant', detail)
      const { token } =
        /1 of \d+ accepted messages did not arrive \((?<token>token-\w+): 250 2/.exec(detail)?.groups ?? {}
      assert.ok(token, detail)
      const own = conversations.filter(({ events }) => events.some(({ text }) => text.includes(token)))
      assert.equal(own.length, 1)
    })
})
