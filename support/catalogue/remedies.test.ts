import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { bundledNames } from '../../containers/index.ts'
import { loadCatalogue } from './catalogue.ts'
import { loadFeatures } from './features.ts'
import { loadRemedies, readRemedies, settingsFor } from './remedies.ts'

const catalogue = loadCatalogue()

/** The hosts of each product's documentation. What chasquid leaves to Go, Go documents. */
const DOCUMENTATION: Readonly<Record<string, string[]>> = {
  chasquid: ['blitiri.com.ar', 'go.dev'],
  courier: ['www.courier-mta.org'],
  exim: ['www.exim.org'],
  haraka: ['haraka.github.io'],
  mox: ['www.xmox.nl'],
  opensmtpd: ['man.openbsd.org'],
  postfix: ['www.postfix.org'],
  sendmail: ['www.sendmail.org'],
}

describe('the remedies', () => {
  const remedies = loadRemedies()

  it('are there for each requirement that has a Rule: write its sentence into features/remedies.yaml', () => {
    const tested = [...new Set(loadFeatures(catalogue).map(({ requirement }) => requirement))]
    assert.deepEqual(
      tested.filter(id => !remedies.has(id)),
      [],
    )
  })

  it('are one sentence each', () => {
    for (const [id, { sentence, settings }] of remedies)
      for (const text of [sentence, ...settings.flatMap(({ also = [] }) => also)]) {
        assert.ok(text.length <= 160, `${id}: ${text.length} characters`)
        assert.doesNotMatch(text, /\n/, id)
      }
  })

  it('name no product in the sentence for any gateway', () => {
    const products = new Set(bundledNames().map(name => name.split('@')[0]!))
    for (const [id, { sentence }] of remedies)
      for (const product of products) assert.ok(!sentence.toLowerCase().includes(product), id)
  })

  it('are settings of the products that come with the suite', () => {
    const products = new Set(bundledNames().map(name => name.split('@')[0]!))
    const named = new Set([...remedies.values()].flatMap(({ settings }) => settings.map(one => one.product)))
    assert.deepEqual([...named].sort(), [...products].filter(name => name !== 'reference').sort())
  })

  it('link to the documentation of the product itself, as far as its host shows: nothing is fetched', () => {
    for (const [id, { settings }] of remedies)
      for (const { product, link } of settings) {
        const { host, protocol, username, search } = new URL(link)
        assert.ok(DOCUMENTATION[product]?.includes(host), `${id}: ${link}`)
        assert.deepEqual([protocol, username, search], ['https:', '', ''], `${id}: ${link}`)
      }
  })

  it('link to a parameter of Postfix that they set, where the link names one', () => {
    for (const [id, { settings }] of remedies)
      for (const { set, link } of settings) {
        const [, parameter] = /postconf\.5\.html#(.+)/.exec(link) ?? []
        if (parameter !== undefined && !/^(reject|check)_/.test(parameter))
          assert.ok(
            set.some(line => line.startsWith(`${parameter} =`)),
            `${id}: ${link}`,
          )
      }
  })

  it('are given to a release of a product, and to nobody else', () => {
    const remedy = remedies.get('EXO-OPP-01')!
    const [setting] = settingsFor(remedy, 'postfix@bullseye')
    assert.deepEqual(setting!.set, ['smtp_tls_security_level = may'])
    assert.deepEqual(settingsFor(remedy, 'edge-gateway'), [])
  })

  describe('in a file', () => {
    let root: string
    beforeEach(() => {
      root = mkdtempSync(join(tmpdir(), 'remedies-'))
      for (const folder of ['features', 'containers/mta']) mkdirSync(join(root, folder), { recursive: true })
    })
    afterEach(() => rmSync(root, { recursive: true }))

    const SENTENCE = 'EXO-OPP-01: Try STARTTLS.\n'
    const setting = (changed = '') =>
      `- { requirements: [EXO-OPP-01], set: [tls = may], link: "https://mta.example/tls"${changed} }\n`
    const wrong: [what: string, general: string, product: string, message: RegExp][] = [
      [
        'an unknown requirement',
        'EXO-OPP-99: Do.\n',
        setting(),
        /remedies\.yaml:1:13: EXO-OPP-99: there is no/,
      ],
      ['no sentence', 'EXO-OPP-01: ""\n', setting(), /remedies\.yaml:1:13: EXO-OPP-01: must match/],
      ['a requirement without a sentence', '{}\n', setting(), /mta\/remedies\.yaml:1:.*has no sentence/],
      ['an unknown key', SENTENCE, setting(', value: 1'), /mta\/remedies\.yaml:1:.*value: unknown key/],
      ['a link that is none', SENTENCE, setting().replace('https:', 'javascript:'), /link: must match/],
    ]
    for (const [what, general, product, message] of wrong)
      it(`are refused with ${what}`, () => {
        writeFileSync(join(root, 'features/remedies.yaml'), general)
        writeFileSync(join(root, 'containers/mta/remedies.yaml'), product)
        assert.throws(() => readRemedies(root, catalogue), { name: 'InputError', message })
      })

    it('are read', () => {
      writeFileSync(join(root, 'features/remedies.yaml'), SENTENCE)
      writeFileSync(join(root, 'containers/mta/remedies.yaml'), setting())
      assert.deepEqual(readRemedies(root, catalogue).get('EXO-OPP-01'), {
        sentence: 'Try STARTTLS.',
        settings: [{ product: 'mta', set: ['tls = may'], link: 'https://mta.example/tls' }],
      })
    })
  })
})
