import assert from 'node:assert/strict'
import { Ajv } from 'ajv'
import schema from '../cli/rehearsal.schema.json' with { type: 'json' }
import { Pki } from '../pki/pki.ts'
import type { Defect } from '../reference/decisions/defect.ts'
import { reference } from '../reference/gateway.ts'
import { mutant } from '../reference/mutants/index.ts'
import { rehearsalPage } from '../report/rehearsal.ts'
import { exitOf, PHASES, type Rehearsal, rehearse } from './rehearsal.ts'
import { Run } from './run.ts'

describe('the rehearsal of a change of authority', function () {
  this.timeout(120_000)
  const pki = new Pki()

  async function rehearsed(defect: Defect = {}): Promise<Rehearsal> {
    const run = await Run.start({ source: reference(defect), pki })
    try {
      return await rehearse(run)
    } finally {
      await run.stop()
    }
  }
  /** What did not go as planned: phase, level and fate of each message. */
  const wrong = ({ mails }: Rehearsal) => [
    ...new Set(
      mails
        .filter(({ asPlanned }) => asPlanned === false)
        .map(({ phase, level, fate }) => `${phase}: ${level}: ${fate}`),
    ),
  ]

  it('goes as planned with a gateway without a defect, whose mail waits only where nobody has prepared', async () => {
    const rehearsal = await rehearsed()
    assert.deepEqual([wrong(rehearsal), exitOf(rehearsal)], [[], 0])
    const { mails, ownCertificate } = rehearsal
    assert.deepEqual(new Set(mails.map(({ phase }) => phase)), new Set(PHASES.map(({ name }) => name)))
    assert.deepEqual(
      mails.filter(({ fate }) => fate === 'waits').map(({ phase, level }) => `${phase}: ${level}`),
      ['unprepared: certificate-validation', 'unprepared: domain-validation'],
    )
    assert.equal(mails.filter(({ waited, fate }) => waited && fate === 'over TLS').length, 2)
    assert.ok('messages' in ownCertificate && ownCertificate.messages > 10)
    const validate = new Ajv({ strict: true }).compile(schema)
    const document = {
      ...{ schema: 1, gateway: 'reference', exit: 0 },
      phases: PHASES.map(({ name, what, validated }) => ({ name, what, validated })),
      ...rehearsal,
    }
    assert.ok(validate(JSON.parse(JSON.stringify(document))), JSON.stringify(validate.errors))
  })

  const found: [name: string, seen: string][] = [
    [
      'sends validated mail in clear when the authority has changed',
      'unprepared: domain-validation: unencrypted',
    ],
    ['trusts roots that it was not told of', 'unprepared: domain-validation: over TLS'],
    ['trusts only the first of several roots', 'after: domain-validation: waits'],
    [
      'sends opportunistic mail in clear when the authority has changed',
      'unprepared: opportunistic: unencrypted',
    ],
  ]
  for (const [name, seen] of found)
    it(`finds a gateway that ${name}`, async () => {
      const rehearsal = await rehearsed(mutant(name))
      assert.ok(wrong(rehearsal).includes(seen), wrong(rehearsal).join('\n'))
      assert.equal(exitOf(rehearsal), 1)
    })

  it('finds a gateway that keeps its former certificate', async () => {
    const { ownCertificate } = await rehearsed(mutant('keeps its former certificate'))
    assert.ok('messages' in ownCertificate && ownCertificate.asPlanned === false)
    assert.match(ownCertificate.detail, /still showed the former certificate/)
  })
})

describe('the page of a rehearsal', () => {
  const mail = { connector: '*.verified.test', level: 'domain-validation', certificate: 'new' } as const
  const page = rehearsalPage('<mine>', {
    mails: [
      { ...mail, phase: 'unprepared', fate: 'unencrypted', detail: 'in the clear', asPlanned: false },
      { ...mail, phase: 'after', fate: 'unknown', detail: '<script>' },
    ],
    ownCertificate: { notTried: 'no key' },
    milliseconds: 12_000,
  })

  it('shows what did not go as planned, and escapes all texts', () => {
    assert.match(page, /class="wrong"><strong>not as planned: unencrypted/)
    assert.match(page, /class="unknown"><strong>unknown<\/strong><small>&lt;script&gt;/)
    assert.match(page, /<h1>Rehearsal: &lt;mine&gt;/)
    assert.match(page, /Not tried: no key\./)
  })
})
