import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { PACKAGE_ROOT } from '../package-root.ts'
import type { Matrix } from '../report/matrix.ts'
import { type Page, render, sitePages, source } from './pages.ts'
import { OPTIONS, searchIndex } from './search-index.ts'

/**
 * Writes the site into a folder, in place of what is there, and returns the number of its pages. They need no server: all
 * addresses are relative, and the index of the search is a script.
 */
export function buildSite(into: string, matrix?: Matrix): number {
  const { pages, images } = sitePages(matrix)
  rmSync(into, { recursive: true, force: true })
  const write = (path: string, content: string) => {
    mkdirSync(dirname(join(into, path)), { recursive: true })
    writeFileSync(join(into, path), content)
  }
  for (const page of pages) write(page.path, whole(page))
  for (const image of images) cpSync(join(PACKAGE_ROOT, image), join(into, image))
  write('site.css', source('support/report/report.css') + source('support/site/site.css'))
  write('minisearch.js', miniSearch())
  const [options, index] = [JSON.stringify(OPTIONS), JSON.stringify(searchIndex(pages))]
  write('search-index.js', `const OPTIONS = ${options}\nconst INDEX = ${index}\n`)
  write('search.js', source('support/site/search.js'))
  return pages.length
}

/** MiniSearch for browsers, without the place of its source map, and with the licence that each copy must have. */
const miniSearch = (): string => {
  const program = source('node_modules/minisearch/dist/umd/index.js').replace(
    /^\/\/# sourceMappingURL.*$/m,
    '',
  )
  return `/*\n${source('node_modules/minisearch/LICENSE.txt')}*/\n${program}`
}

/** A page with what all pages have. */
function whole(page: Page): string {
  const headings = page.body.matchAll(/<h2 id="([^"]+)"[^>]*>(.*?)<\/h2>/gs)
  const contents = [...headings].map(([, id, html]) => ({ id, html: html!.replace(/<[^>]*>/g, '').trim() }))
  return render('layout', page.path, { facts: [], stamp: '', ...page, contents })
}
