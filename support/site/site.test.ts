import assert from 'node:assert/strict'
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, posix } from 'node:path'
import { createContext, runInContext } from 'node:vm'
import { loadCatalogue } from '../catalogue/catalogue.ts'
import { loadGaps } from '../catalogue/coverage.ts'
import type { Matrix } from '../report/matrix.ts'
import { type Element, elements } from '../test-bed/fixtures/html.ts'
import { sitePages } from './pages.ts'
import { buildSite } from './site.ts'

const HOSTILE = '<script>alert(1)</script>'
const MATRIX: Matrix = {
  suite: { name: 'mail-tls-conformance', version: '0.1.0', commit: 'abcdef0' },
  day: '2026-11-30',
  columns: ['postfix', HOSTILE].map(name => ({
    ...{ name, folder: name, version: '3.10', library: '', exit: 0, outcome: 'passed' },
  })),
  rows: ['EXO-FRC-01', 'NO-SUCH-01'].map(id => ({
    ...{ id, area: 'outbound', level: 'must', statement: HOSTILE, differs: true },
    cells: [{ verdict: 'conformant', detail: HOSTILE, link: 'postfix/report.html' }, {}],
  })),
}

/** What is wrong with the links of a site: those that lead nowhere, and addresses outside that are not written well. */
function brokenLinks(pages: ReadonlyMap<string, readonly Element[]>, files: ReadonlySet<string>): string[] {
  const ids = new Map(
    [...pages].map(([path, found]) => [
      path,
      new Set(found.flatMap(({ attributes }) => attributes.get('id') ?? [])),
    ]),
  )
  const isBroken = (from: string, address: string): boolean => {
    if (/^[a-z]+:/.test(address))
      return address !== 'data:,' && !/^https:\/\/[\w.-]+\.[a-z]+(\/|$)/.test(address)
    const [path, anchor] = address.split('#') as [string, string?]
    const target = path === '' ? from : posix.join(posix.dirname(from), path)
    return !files.has(target) || (anchor !== undefined && !ids.get(target)?.has(anchor))
  }
  return [...pages].flatMap(([path, found]) =>
    found.flatMap(({ attributes }) =>
      ['href', 'src', 'action']
        .flatMap(key => attributes.get(key) ?? [])
        .filter(address => isBroken(path, address))
        .map(address => `${path}: ${address}`),
    ),
  )
}

describe('the site', function () {
  // It needs 3 s of a core, which take long where many others want it.
  this.timeout(180_000)
  let folder: string
  let files: Set<string>
  const pages = new Map<string, Element[]>()
  const text = (path: string) => pages.get(path)!.map(({ text }) => text)[0]!

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'site-'))
    writeFileSync(join(folder, 'of-an-earlier-build.html'), '')
    const count = buildSite(folder, MATRIX)
    const found = globSync('**', { cwd: folder, withFileTypes: true }).filter(entry => entry.isFile())
    files = new Set(found.map(({ parentPath, name }) => posix.relative(folder, posix.join(parentPath, name))))
    for (const path of files)
      if (path.endsWith('.html')) pages.set(path, elements(readFileSync(join(folder, path), 'utf8')))
    assert.equal(pages.size, count)
  })
  after(() => rmSync(folder, { recursive: true }))

  it('has no link that leads nowhere', () => {
    assert.deepEqual(brokenLinks(pages, files), [])
  })

  it('has no id twice on a page', () => {
    for (const [path, found] of pages) {
      const ids = found.flatMap(({ attributes }) => attributes.get('id') ?? [])
      assert.deepEqual(ids, [...new Set(ids)], path)
    }
  })

  it('has a page for each requirement, with all that belongs to it', () => {
    for (const { id, statement, negative_control, source } of loadCatalogue().requirements) {
      const page = text(`requirements/${id}.html`)
      for (const part of [statement, negative_control, ...source])
        assert.ok(page.includes(part), `${id}: ${part}`)
    }
    for (const [id, gap] of loadGaps())
      assert.ok(text(`requirements/${id}.html`).includes('later' in gap ? gap.later : gap.impossible), id)
    const page = text('requirements/EXO-OPP-01.html')
    for (const part of [
      'a partner that gets five messages at the same time',
      'the gateway has four more messages for the partner',
      'smtp_tls_security_level = may',
      'Exim does not see STARTTLS in small letters',
      'did not judge this requirement',
    ])
      assert.ok(page.includes(part), part)
  })

  it('shows what a product does as text, wherever it comes from', () => {
    for (const path of ['requirements/EXO-FRC-01.html', 'matrix.html'])
      assert.ok(text(path).includes(HOSTILE))
    assert.match(text('requirements/EXO-FRC-01.html'), /postfix 3\.10\s*conformant/)
    for (const [path, found] of pages) {
      assert.ok(
        found.some(({ attributes }) => attributes.get('content')?.includes("script-src 'self'")),
        path,
      )
      assert.ok(!found.some(({ tag, text }) => tag === 'script' && text !== ''), path)
    }
  })

  it('finds requirements and sections of documents', () => {
    // Only what the script of the page needs of a browser.
    const node = () => ({ value: '', append() {}, addEventListener() {}, focus() {}, replaceChildren() {} })
    const sandbox = createContext({
      document: { querySelector: node, createElement: node },
      location: { search: '?q=forced' },
      URLSearchParams,
    })
    for (const name of ['minisearch.js', 'search-index.js', 'search.js'])
      runInContext(readFileSync(join(folder, name), 'utf8'), sandbox)
    const search = (words: string) => [
      ...(runInContext(`search(${JSON.stringify(words)}).map(({ id }) => id)`, sandbox) as string[]),
    ]
    assert.equal(search('exo-frc-01')[0], 'requirements/EXO-FRC-01.html')
    assert.ok(search('what a verdict means').includes('README.html#what-a-verdict-means'))
    assert.ok(search('smtp_tls_policy_maps').length > 1)
    assert.ok(search('oportunistic').length > 10)
    assert.deepEqual(search('nothing has qqqqqqqq'), [])
    for (const found of search('gateway')) assert.ok(files.has(found.split('#')[0]!), found)
  })

  it('is built without a matrix, and says so', () => {
    const page = sitePages(undefined).pages.find(({ path }) => path === 'requirements/EXO-FRC-01.html')
    assert.match(page!.body, /built without a matrix/)
  })
})

describe('a link that leads nowhere', () => {
  const found = (html: string) =>
    brokenLinks(
      new Map([['a/b.html', elements(`<!doctype html><title>x</title><h2 id="here">x</h2>${html}`)]]),
      new Set(['a/b.html', 'c.html']),
    )
  for (const address of [
    ...['d.html', '../d.html', 'b.html#there', '#there', '../c.html#here', '../../c.html', 'a/b.html'],
    ...['http://example.com/', 'https://', 'https:/example.com', 'mailto:me', 'javascript:alert(1)'],
  ])
    it(`is found: ${address}`, () => {
      assert.deepEqual(found(`<a href="${address}">x</a>`), [`a/b.html: ${address}`])
      assert.deepEqual(found(`<img src="${address}" alt="">`), [`a/b.html: ${address}`])
    })
  for (const address of ['b.html', '#here', 'b.html#here', '../c.html', 'https://example.com/a#b'])
    it(`is not ${address}`, () => assert.deepEqual(found(`<a href="${address}">x</a>`), []))
})
