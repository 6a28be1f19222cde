import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadRemedies, type Remedies } from '../../catalogue/remedies.ts'
import { readBreakages } from './breakages.ts'

describe('the breakages of products', () => {
  it('try every remedy, or say why not: name one of its requirements in breakages.yaml', () => {
    for (const { product, forgotten } of readBreakages(loadRemedies()))
      assert.deepEqual(forgotten, [], `of ${product}`)
  })

  describe('in a file', () => {
    let root: string
    beforeEach(() => {
      root = mkdtempSync(join(tmpdir(), 'breakages-'))
      mkdirSync(join(root, 'containers/mta'), { recursive: true })
    })
    afterEach(() => rmSync(root, { recursive: true }))

    const setting = (...set: string[]) => [{ product: 'mta', set, link: 'https://mta.example/' }]
    const remedies: Remedies = new Map([
      ['EXO-OPP-01', { sentence: 'Try STARTTLS.', settings: setting('tls example.com') }],
      ['EXO-OPP-04', { sentence: 'Do not require TLS.', settings: setting('force = no') }],
      ['EXO-OPP-07', { sentence: 'Require nothing.', settings: [] }],
    ])
    const read = (text: string) => {
      writeFileSync(join(root, 'containers/mta/breakages.yaml'), text)
      return readBreakages(remedies, root)
    }
    const file = ({ place = 'main', by = 'EXO-OPP-01', untried = '' } = {}) => `\
places: { main: { file: mta.conf } }
breakages:
  - what: no TLS
    broken: { main: [tls none] }
    mended: [{ place: ${place}, by: [${by}], for: { example.com: d.test } }]
${untried}`

    it('are read, with the lines of the remedies', () => {
      const [{ product, breakages, forgotten }] = read(file()) as [ReturnType<typeof read>[0]]
      const part = { file: 'mta.conf' }
      assert.equal(product, 'mta')
      assert.deepEqual(breakages, [
        {
          what: 'no TLS',
          requirements: ['EXO-OPP-01'],
          oneForEach: ['EXO-OPP-01'],
          broken: [{ part, lines: ['tls none'] }],
          mended: [{ part, lines: ['tls d.test'] }],
        },
      ])
      assert.deepEqual(forgotten, ['EXO-OPP-04'])
    })

    it('forget no remedy that they give a reason for', () => {
      assert.deepEqual(read(file({ untried: 'untried: { EXO-OPP-04: It cannot. }' }))[0]!.forgotten, [])
    })

    const wrong: [what: string, text: string, message: RegExp][] = [
      ['an unknown place', file({ place: 'other' }), /breakages\.yaml:5:\d+: .*: there is no place other/],
      [
        'a requirement without a remedy',
        file({ by: 'EXO-OPP-07' }),
        /:5:\d+: .*mta has no remedy for EXO-OPP-07/,
      ],
      [
        'a reason for a remedy that is tried',
        file({ untried: 'untried: { EXO-OPP-01: No. }' }),
        /:6:\d+: .*a breakage tries/,
      ],
      ['an unknown key', file({ untried: 'tried: {}' }), /:6:1: tried: unknown key/],
    ]
    for (const [what, text, message] of wrong)
      it(`are refused with ${what}`, () => {
        assert.throws(() => read(text), { name: 'InputError', message })
      })
  })
})
