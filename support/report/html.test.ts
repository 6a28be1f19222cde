import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { loadCatalogue } from '../catalogue/catalogue.ts'
import { type Element, elements as read } from '../test-bed/fixtures/html.ts'
import { HOSTILE, hostileRun, largeRun, RECORDED, sampleRun } from '../test-bed/fixtures/sample-run.ts'
import type { RecordedVerdict } from '../verdicts/recorded-verdict.ts'
import { VERDICTS } from '../verdicts/verdict.ts'
import { findingsOf } from './findings.ts'
import { html } from './html.ts'
import type { RunRecord } from './run-record.ts'

const page = (record: RunRecord) => html(findingsOf(record, loadCatalogue().requirements))
const shapes = (all: Element[]) =>
  new Set(
    all.flatMap(({ tag, attributes }) => [tag, ...[...attributes.keys()].map(name => `${tag} ${name}`)]),
  )

describe('html', () => {
  const sample = page(sampleRun())
  const all = read(sample)
  const hostile = page(hostileRun())
  const evil = read(hostile)

  it('has a headline without a sign at the end of its first line', () => {
    assert.match(sample, /<h1>haraka [^;]* that apply \(18 of \d+ judged\) <span>\d/)
  })

  it('is one well-formed document that asks for nothing else', () => {
    for (const { tag, attributes } of [...all, ...evil]) {
      assert.ok(!attributes.has('src') && tag !== 'iframe' && tag !== 'object', tag)
      // A link out of the report asks for nothing until a person follows it.
      const isLink = tag === 'a' && attributes.get('href')!.startsWith('https://')
      const address = isLink ? '#' : (attributes.get('href') ?? '#')
      assert.match(address, /^(#|data:,$|evidence\/[\w/.-]+$|[a-z]+\.(json|xml|ndjson|md)$)/)
    }
    assert.ok(!/@import|url\(/.test(all.find(({ tag }) => tag === 'style')!.text))
  })

  it('has one script, which is ours, and allows no other', () => {
    for (const found of [all, evil]) {
      const scripts = found.filter(({ tag }) => tag === 'script')
      assert.equal(scripts.length, 1)
      const hash = createHash('sha256').update(scripts[0]!.text).digest('base64')
      const policy = found.find(({ attributes }) => attributes.has('http-equiv'))!.attributes.get('content')!
      assert.ok(policy.includes(`default-src 'none'`) && policy.includes(`script-src 'sha256-${hash}'`))
    }
  })

  it('says what to do about what is broken, with the settings of the product or of all of them', () => {
    const textOf = (name: string) => {
      const run = sampleRun()
      return read(page({ ...run, gateway: { ...run.gateway, name } })).find(({ tag }) => tag === 'main')!.text
    }
    const sentence = 'In the rule for this domain, require TLS'
    assert.ok(textOf('haraka').includes(sentence))
    assert.ok(!textOf('haraka').includes('Settings of some products'))
    assert.ok(textOf('postfix@trixie').includes('smtp_tls_policy_maps = texthash:'))
    assert.ok(!textOf('postfix@trixie').includes('hosts_require_tls'))
    assert.ok(textOf('edge').includes('Settings of some products'))
    assert.ok(textOf('edge').includes('hosts_require_tls'))
  })

  it('says which examples were judged twice', () => {
    const run = sampleRun()
    run.verdicts[0]!.again = true
    const { text } = read(page(run)).find(({ tag }) => tag === 'main')!
    assert.match(text, /1 example was judged twice/)
    assert.match(text, /control\s*judged twice/)
    assert.doesNotMatch(all.find(({ tag }) => tag === 'main')!.text, /judged twice/)
  })

  it('says since when a deviation is recorded, and where the product says so', () => {
    const { text } = all.find(({ tag }) => tag === 'main')!
    assert.ok(text.includes('Recorded since 2026-11-21, for versions >=3.'))
    assert.ok(all.some(({ attributes }) => attributes.get('href') === RECORDED.reference))
    const run = sampleRun()
    const judged = run.verdicts.find(one => one.deviation)!
    for (const reference of ['javascript:alert(1)', `https://${'x'.repeat(999)}`]) {
      judged.deviation = { ...RECORDED, reference }
      assert.ok(read(page(run)).every(({ attributes }) => attributes.get('href') !== reference))
    }
  })

  it('has no element and no attribute that a peer brought in', () => {
    for (const shape of shapes(evil)) assert.ok(shapes(all).has(shape), shape)
    for (const { attributes } of evil)
      for (const name of attributes.keys()) assert.ok(!name.startsWith('on'), name)
  })

  it('shows what is hostile as the text that it is', () => {
    const { text } = evil.find(({ tag }) => tag === 'main')!
    for (const evidence of HOSTILE.filter(line => line.length < 100 && !/\p{C}/u.test(line)))
      assert.ok(text.includes(evidence), evidence)
    assert.ok(text.includes('\\x00NUL \\x1b[31mred'))
    assert.ok(!/[^\P{C}\n\t]/u.test(hostile))
  })

  it('clips long texts', () => {
    assert.ok(!hostile.includes('x'.repeat(1600)))
  })

  it('names no id twice, and has every place that it links to', () => {
    for (const found of [all, evil]) {
      const ids = found.flatMap(({ attributes }) => attributes.get('id') ?? [])
      assert.equal(new Set(ids).size, ids.length)
      for (const { attributes } of found) {
        const address = attributes.get('href')
        if (address?.startsWith('#')) assert.ok(ids.includes(address.slice(1)), address)
      }
    }
  })

  it('has each example with its verdict, its steps and its conversations', () => {
    const { verdicts } = sampleRun()
    const ofClass = (name: string) => all.filter(({ attributes }) => attributes.get('class') === name)
    assert.equal(ofClass('ex').length, verdicts.length)
    assert.equal(ofClass('seq').length, verdicts.flatMap(({ seen }) => seen.conversations).length)
    const example = all.find(({ attributes }) =>
      attributes.get('id')?.startsWith('EXO-FRC-04/a-partner-that-has-tls-again'),
    )!
    for (const words of [
      'Given an outbound',
      'Conversation 2 of 2',
      'gateway under test',
      'inside TLS 1.3',
      'clear',
    ])
      assert.ok(example.text.includes(words), words)
  })

  describe('shows circumstances', () => {
    const broken = all.find(({ attributes }) =>
      attributes.get('id')?.startsWith('EXO-FRC-01/a-partner-without-tls'),
    )!
    const within = (element: Element) =>
      all.slice(all.indexOf(element) + 1).filter(({ text }) => element.text.includes(text))
    const tables = all.filter(({ attributes }) => attributes.get('class') === 'cells')

    it('at each example that ran again, and says in how many', () => {
      assert.equal(tables.length, sampleRun().verdicts.filter(({ circumstances }) => circumstances).length)
      assert.match(broken.text, /broken in 8 of 24 combinations of circumstances/)
    })

    it('in a table with headers, the plain ones first, then the fewest, and the rest in one row', () => {
      const rows = within(tables.find(({ text }) => text.includes('broken'))!).filter(
        ({ tag }) => tag === 'tr',
      )
      const texts = rows.map(({ text }) => text.replace(/\s+/g, ' ').trim())
      for (const [at, expected] of [
        /^Verdict ?Circumstances ?What was seen$/,
        /^conformant ?none: as the example is written/,
        /^non-conformant ?only when how the partner greets: in lower case and its speed: in lower case/,
        /^non-conformant ?all with .* 8 combinations/,
        /^conformant ?16 combinations/,
      ].entries())
        assert.match(texts[at]!, expected)
      for (const { tag, attributes } of within(tables[0]!))
        if (tag === 'th') assert.match(attributes.get('scope')!, /^(col|row)$/)
    })

    it('open where the gateway breaks the example in some only', () => {
      assert.deepEqual(
        tables.map(({ text, attributes }) => [/^\s*broken/.test(text), attributes.has('open')]),
        [
          [true, true],
          [false, false],
        ],
      )
    })

    it('of the whole run in a section, folded, with what is broken first', () => {
      const section = all.find(({ attributes }) => attributes.get('id') === 'circumstances')!
      assert.match(section.text, /2 examples ran again, in 24 combinations of circumstances\./)
      const fold = all.find(({ attributes }) => attributes.get('class') === 'plain values')!
      assert.ok(!fold.attributes.has('open'))
      const places = ['in single bytes', 'in lower case', 'in UTF-8'].map(value => fold.text.indexOf(value))
      assert.deepEqual(
        places,
        places.toSorted((a, b) => a - b),
      )
      assert.match(fold.text, /left out: the gateway does not offer SMTPUTF8/)
    })

    it('nowhere in a run that tried none', () => {
      const { circumstances: _, ...plain } = largeRun(3)
      assert.doesNotMatch(page(plain), /id="circumstances"|class="cells"|of circumstances/)
    })

    it('in few kilobytes for an example, however many there are', () => {
      const [first] = largeRun(1).verdicts as [RecordedVerdict]
      const cells = Array.from({ length: 100 }, (_, n) => ({
        circumstances: Array.from({ length: 20 }, (_, m) => `${'dimension '.repeat(5)}${m}: value ${n % 5}`),
        verdict: n < 24 ? ('inconclusive' as const) : ('conformant' as const),
        detail: `${n} ${'x'.repeat(298)}`,
      }))
      const circumstances = { tried: 999, broken: 0, unclear: 899, cells: cells.slice(0, 24) }
      const run = (verdict: RecordedVerdict) =>
        Buffer.byteLength(page({ ...largeRun(1), verdicts: [verdict] }))
      const size = run({ ...first, circumstances, seen: { ...first.seen, cells } }) - run(first)
      assert.ok(size < 40_000, `${size} bytes`)
    })
  })

  it('opens what fails the run and nothing else', () => {
    const open = all.filter(({ tag, attributes }) => tag === 'details' && attributes.has('open'))
    const requirements = open.filter(({ attributes }) => attributes.has('data-verdict'))
    assert.deepEqual(
      new Set(requirements.map(({ attributes }) => attributes.get('data-verdict'))),
      new Set(['non-conformant', 'stale', 'lab-error']),
    )
  })

  it('folds nothing that needs attention, however much there is', () => {
    const record = largeRun(40)
    const verdicts = record.verdicts.map(one => ({ ...one, verdict: 'deviates' as const }))
    const groups = read(page({ ...record, verdicts })).filter(({ attributes }) =>
      attributes.get('class')?.startsWith('group'),
    )
    assert.deepEqual(
      groups.map(({ attributes }) => attributes.has('open')),
      [true],
    )
  })

  it('says of a run that was interrupted that it is partial', () => {
    const partial = read(page({ ...sampleRun(), partial: true, planned: 259 }))
    const said = (wanted: string) => partial.find(({ tag }) => tag === wanted)!.text
    assert.match(said('h1'), /^The run was interrupted after \d+ of 259 examples haraka 3\.3\.4 keeps/)
    assert.match(said('title'), /Partial/)
    assert.match(said('main'), /interrupted after \d+ of 259 examples\. This report has what was found/)
  })

  it('explains all verdicts', () => {
    const legend = all.find(({ attributes }) => attributes.get('id') === 'legend')!
    for (const verdict of VERDICTS) assert.ok(legend.text.includes(verdict))
  })

  it('says so when a run says nothing', () => {
    const empty = page({ ...sampleRun(), verdicts: [] })
    assert.match(read(empty).find(({ tag }) => tag === 'h1')!.text, /^Nothing was judged/)
    assert.match(empty, /No example ran\./)
    assert.match(empty, /Nothing was judged, so nothing can be said about the gateway\./)
  })

  it('stays below 3 MB for 170 examples', () => {
    const size = Buffer.byteLength(page(largeRun(170)))
    assert.ok(size < 3_000_000, `${size} bytes`)
  })
})
