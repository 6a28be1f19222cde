import assert from 'node:assert/strict'
import { pageOf, rendered } from './markdown.ts'
import { sourceParts } from './source-names.ts'

const html = (text: string) =>
  rendered('docs/a.md', `# A \`b\`\n\n${text}`, id => (id === 'EXO-FRC-01' ? `../${id}.html` : undefined))

describe('a document of the repository', () => {
  it('links to the pages of what it links to', () => {
    const {
      title,
      links,
      images,
      html: told,
    } = html('[x](b.md#c) [y](examples/folder) [z](#d) [o](https://example.com/e.md) ![p](images/q.png)\n')
    assert.equal(title, 'A b')
    assert.deepEqual(links, ['docs/b.md', 'docs/examples/folder'])
    assert.deepEqual(images, ['docs/images/q.png'])
    assert.deepEqual(
      [...told.matchAll(/(?:href|src)="(.*?)"/g)].map(([, address]) => address),
      ['b.html#c', 'examples/folder.html', '#d', 'https://example.com/e.md', 'images/q.png'],
    )
  })

  it('links to requirements that there are, in text and in code', () => {
    const link = '<a href="../EXO-FRC-01.html">EXO-FRC-01</a>'
    assert.equal(
      html('EXO-FRC-01, `check --requirement EXO-FRC-01` <x> and TLS-13\n').html,
      `<p>${link}, <code>check --requirement ${link}</code> &lt;x&gt; and TLS-13</p>\n`,
    )
  })

  it('has headings with the ids of GitHub', () => {
    assert.deepEqual(
      [
        ...html('## What `x` is, and why\n\n## Two\n\n### Two\n\n## A/b – ü\n').html.matchAll(/id="(.*?)"/g),
      ].map(([, id]) => id),
      ['what-x-is-and-why', 'two', 'two-1', 'ab--ü'],
    )
  })

  it('has no cell that names a column and in which nothing stands', () => {
    const { html: told } = html('| | b |\n|---|---|\n| c | d |\n')
    assert.deepEqual(told.match(/<t[hd]>.*?<.t[hd]>/g), [
      '<td></td>',
      '<th>b</th>',
      '<td>c</td>',
      '<td>d</td>',
    ])
  })
})

describe('the place of a page', () => {
  for (const [path, page] of [
    ['README.md', 'README.html'],
    ['features/outbound/forced-tls.feature', 'features/outbound/forced-tls.html'],
    ['docs/examples/gitlab-ci.yml', 'docs/examples/gitlab-ci.yml.html'],
    ['docs/examples/folder/', 'docs/examples/folder.html'],
  ] as const)
    it(`of ${path}`, () => assert.equal(pageOf(path), page))
})

describe('a source', () => {
  const links = (source: string) =>
    sourceParts(source).flatMap(
      ({ address }) => address?.slice('https://www.rfc-editor.org/rfc/rfc'.length) ?? [],
    )
  const TABLE: [source: string, links: string[]][] = [
    ['RFC 3207 s4.1, s6', ['3207#section-4.1', '3207#section-6']],
    ['RFC 3848', ['3848']],
    ['RFC 8996 s4-5', ['8996#section-4']],
    ['RFC 5280 s6.1.3(b-c)', ['5280#section-6.1.3']],
    ['RFC 8461 s7.1 against RFC 9325 s3.7', ['8461#section-7.1', '9325#section-3.7']],
    ['NIST SP 800-52r2 s3.1', []],
    ['MS technical reference', []],
  ]
  for (const [source, expected] of TABLE)
    it(`leads to the sections that it names: ${source}`, () => {
      assert.equal(
        sourceParts(source)
          .map(({ text }) => text)
          .join(''),
        source,
      )
      assert.deepEqual(links(source), expected)
    })
})
