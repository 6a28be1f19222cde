import MiniSearch, { type Options } from 'minisearch'
import type { Page } from './pages.ts'

/** A page or a section of a page, as the search knows it. */
export interface Entry {
  address: string
  title: string
  kind: string
  /** Of a section: the title of its page. */
  page: string
  text: string
}

/** search.js reads the index with the same. */
export const OPTIONS: Options<Entry> = {
  idField: 'address',
  fields: ['title', 'kind', 'page', 'text'],
  storeFields: ['title', 'kind', 'page'],
}

const ENTITIES: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'" }
const plain = (html: string): string =>
  html
    .replace(/<[^>]*>/g, ' ')
    .replace(/&(amp|lt|gt|quot|#39);/g, (_, name: string) => ENTITIES[name]!)
    .replace(/\s+/g, ' ')

/** The index of all pages, as JSON. */
export function searchIndex(pages: readonly Page[]): object {
  const index = new MiniSearch<Entry>(OPTIONS)
  index.addAll(
    pages.flatMap(({ path, kind, title, body, found }) => {
      const [first = '', ...sections] = found === 'sections' ? body.split(/(?=<h2 id=")/) : [body]
      return [
        { address: path, title, kind, page: '', text: found === 'title' ? '' : plain(first) },
        ...sections.map(section => {
          const [, id, heading] = /^<h2 id="([^"]+)"[^>]*>(.*?)<\/h2>/s.exec(section)!
          return {
            ...{ address: `${path}#${id}`, title: plain(heading!).trim(), kind, page: title },
            text: plain(section),
          }
        }),
      ]
    }),
  )
  return index.toJSON()
}
