import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PACKAGE_ROOT } from '../package-root.ts'
import { loadCatalogue } from './catalogue.ts'
import { coverageOf, loadGaps } from './coverage.ts'
import { type FeatureRule, loadFeatures } from './features.ts'

const catalogue = loadCatalogue()

describe('the coverage of the catalogue', () => {
  const coverage = coverageOf(catalogue, loadFeatures(catalogue), loadGaps())

  it('leaves no requirement without a Rule in features/ or a reason in coverage.yaml', () => {
    assert.deepEqual(coverage.unexplained, [])
  })

  it('says of no requirement without a Rule that some of its clauses are untested', () => {
    const partly = catalogue.requirements.filter(({ untested }) => untested).map(({ id }) => id)
    assert.deepEqual(
      partly.filter(id => !coverage.covered.includes(id)),
      [],
    )
  })

  it('gives no reason for a requirement that has a Rule', () => {
    assert.deepEqual(coverage.contradicted, [])
  })
})

describe('the README', () => {
  const tested = new Set(loadFeatures(catalogue).map(({ requirement }) => requirement))
  const README = readFileSync(join(PACKAGE_ROOT, 'README.md'), 'utf8')

  it('says of each profile how many of its requirements are judged', () => {
    const rows = catalogue.profiles.map(profile => {
      const all = catalogue.inProfile(profile)
      return `| \`${profile}\` | ${all.filter(({ id }) => tested.has(id)).length} of ${all.length} |`
    })
    const there = README.match(/^\| `[a-z\d-]+` \| \d+ of \d+ \|$/gm) ?? []
    assert.deepEqual(there, rows)
  })
})

describe('coverage', () => {
  const rule = (requirement: string) => ({ requirement }) as FeatureRule
  const few = {
    ...catalogue,
    requirements: ['EXO-FRC-01', 'EXO-FRC-03', 'DANE-01'].map(id => catalogue.get(id)),
  }

  it('has a Rule or a reason for every requirement', () => {
    const gaps = new Map([
      ['EXO-FRC-03', { later: 'needs a clock' }],
      ['DANE-01', { impossible: 'for the test' }],
    ])
    assert.deepEqual(coverageOf(few, [rule('EXO-FRC-01')], gaps), {
      covered: ['EXO-FRC-01'],
      unexplained: [],
      contradicted: [],
    })
  })

  it('lists a requirement with neither', () => {
    const gaps = new Map([['EXO-FRC-03', { later: 'needs a clock' }]])
    assert.deepEqual(coverageOf(few, [rule('EXO-FRC-01')], gaps).unexplained, ['DANE-01'])
  })

  it('lists a requirement with both', () => {
    const gaps = new Map([
      ['EXO-FRC-03', { later: 'needs a clock' }],
      ['DANE-01', { later: 'needs DNS' }],
    ])
    const coverage = coverageOf(few, [rule('EXO-FRC-01'), rule('DANE-01')], gaps)
    assert.deepEqual(coverage.contradicted, ['DANE-01'])
    assert.deepEqual(coverage.covered, ['EXO-FRC-01', 'DANE-01'])
  })
})

describe('a coverage file', () => {
  let folder: string
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'coverage-'))
  })
  after(() => rmSync(folder, { recursive: true }))

  const written = (text: string) => {
    const file = join(folder, 'coverage.yaml')
    writeFileSync(file, text)
    return file
  }
  const refused = (text: string, message: RegExp) =>
    assert.throws(() => loadGaps(written(text), catalogue), { name: 'InputError', message })

  it('has a reason for each id', () => {
    const gaps = loadGaps(written('DANE-01:\n  later: needs DNS\nDANE-15:\n  impossible: codes\n'), catalogue)
    assert.deepEqual(
      [...gaps],
      [
        ['DANE-01', { later: 'needs DNS' }],
        ['DANE-15', { impossible: 'codes' }],
      ],
    )
  })

  it('refuses an id that is not in the catalogue', () => {
    refused(
      'DANE-99:\n  later: needs DNS\n',
      /coverage\.yaml:1:1: DANE-99: there is no requirement DANE-99; did you mean/,
    )
  })

  it('refuses an id that occurs twice', () => {
    refused(
      'DANE-01:\n  later: x\nDANE-01:\n  later: y\n',
      /coverage\.yaml:3:1: not valid YAML: Map keys must be unique/,
    )
  })

  it('refuses no reason, an empty reason, two reasons and an unknown kind of reason', () => {
    refused('DANE-01: {}\n', /coverage\.yaml:1:10: DANE-01: must NOT have fewer than 1 properties/)
    refused('DANE-01:\n  later: " "\n', /coverage\.yaml:2:10: DANE-01\.later: must match pattern/)
    refused('DANE-01: { later: x, impossible: y }\n', /DANE-01: must NOT have more than 1 properties/)
    refused(
      'DANE-01: { never: x }\n',
      /coverage\.yaml:1:12: DANE-01\.never: unknown key; known here: later, impossible/,
    )
  })
})
