import { dirname, join } from 'node:path/posix'
import MarkdownIt, { type Token } from 'markdown-it'

/** A Markdown file of the repository as HTML. */
export interface Rendered {
  /** The text of its first heading, which `html` does not have. */
  title: string
  html: string
  /** What it links to and shows, as paths from the root of the repository. */
  links: string[]
  images: string[]
}

/** Gives the address of the page of a requirement, seen from the file; undefined for a word that is no requirement. */
export type AddressOf = (id: string) => string | undefined

/** Where the site has a file or folder of the repository. */
export const pageOf = (path: string): string =>
  `${path.replace(/\/$/, '').replace(/\.(md|feature)$/, '')}.html`

const markdown = new MarkdownIt()
const { escapeHtml } = markdown.utils
const ID = /\b[A-Z][A-Z0-9]*(?:-[A-Z0-9]+)?-\d\d\b/g
const withLinks = (text: string, addressOf: AddressOf): string =>
  escapeHtml(text).replace(ID, id => {
    const address = addressOf(id)
    return address === undefined ? id : `<a href="${address}">${id}</a>`
  })
markdown.renderer.rules['text'] = (tokens, at, _, env) =>
  withLinks(tokens[at]!.content, (env as { addressOf: AddressOf }).addressOf)
markdown.renderer.rules['code_inline'] = (tokens, at, _, env) =>
  `<code>${withLinks(tokens[at]!.content, (env as { addressOf: AddressOf }).addressOf)}</code>`

/** `path` is that of the file, from the root of the repository. Headings have the ids that GitHub gives them. */
export function rendered(path: string, text: string, addressOf: AddressOf): Rendered {
  const env = { addressOf }
  const tokens = markdown.parse(text, env)
  const told: Rendered = { title: '', html: '', links: [], images: [] }
  const taken = new Map<string, number>()
  for (const [at, { children, content }] of tokens.entries()) {
    if (!children) continue
    for (const child of children) follow(child, path, told)
    const heading = tokens[at - 1]!
    // A head in which nothing stands names nothing; Markdown has no other way to write such a corner.
    if (heading.type === 'th_open' && content === '') heading.tag = tokens[at + 1]!.tag = 'td'
    if (heading.type !== 'heading_open') continue
    const plain = children.map(({ content }) => content).join('')
    heading.attrSet('id', slugOf(plain, taken))
    if (heading.tag === 'h1') told.title ||= plain
  }
  const body = tokens.slice(tokens.findIndex(({ type }) => type === 'heading_close') + 1)
  return { ...told, html: markdown.renderer.render(body, markdown.options, env) }
}

/** Notes what a token leads to in the repository, and lets it lead to the page that the site has for it. */
function follow(token: Token, path: string, { links, images }: Pick<Rendered, 'links' | 'images'>): void {
  const key = token.type === 'image' ? 'src' : 'href'
  const address = String(token.attrGet(key) ?? '#')
  if (/^(\w+:|#)/.test(address)) return
  const [file, anchor] = address.split('#') as [string, string?]
  const target = join(dirname(path), file)
  if (token.type === 'image') images.push(target)
  else {
    links.push(target)
    token.attrSet(key, pageOf(file) + (anchor === undefined ? '' : `#${anchor}`))
  }
}

/** A heading as an id; a heading that is there a second time gets a number. */
export function slugOf(heading: string, taken = new Map<string, number>()): string {
  const slug = heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .replace(/\s/g, '-')
  const count = taken.get(slug) ?? 0
  taken.set(slug, count + 1)
  return count === 0 ? slug : `${slug}-${count}`
}
