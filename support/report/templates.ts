import { Eta } from 'eta'
import { visible } from './visible.ts'

const common = {
  cache: true,
  // This runs before a value is escaped, so no value has characters that HTML or XML do not allow.
  autoFilter: true,
  filterFunction: (value: unknown) => visible(String(value)),
}

/** The templates of a folder as HTML or XML; every `<%= %>` is escaped for text and for quoted attributes. */
export const markupIn = (views: string): Eta => new Eta({ ...common, views, rmWhitespace: true })

/** The templates of this folder as HTML or XML. */
export const markup = markupIn(import.meta.dirname)

/** The templates as GitHub-flavoured Markdown. No value becomes markup, a link or the end of a table cell. */
export const markdown = new Eta({
  ...common,
  views: import.meta.dirname,
  escapeFunction: value => escapedForMarkdown(String(value)),
})

function escapedForMarkdown(text: string): string {
  return text
    .replace(/\s+/g, ' ')
    .replace(/&/g, '&amp;')
    .replace(/</g, '&lt;')
    .replace(/>/g, '&gt;')
    .replace(/[\\`*_{}[\]#|~!^$@]/g, '\\$&')
    .replace(/:\/\//g, ':\\/\\/')
    .replace(/\bwww\./gi, '$&\u200b')
}
