/** A strict reader for the tests of this folder; nothing else imports it. */

export interface Element {
  tag: string
  attributes: Map<string, string>
  /** Of this element and all below it. */
  text: string
  parent: Element | undefined
}

const ENTITIES: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', shy: '\u00ad' }

/**
 * All elements of well-formed XML, in order of their beginnings. With `html`: a doctype, attributes without value, and
 * the raw texts of script and style as well. Throws Error for anything that is not well-formed.
 */
export function elements(source: string, { html = false } = {}): Element[] {
  const found: Element[] = []
  const token = /<([/?!]?)([A-Za-z][\w:-]*)((?:\s+[\w:-]+(?:="[^"<]*")?)*)\s*([/?]?)>|([^<]+)/y
  let open: Element | undefined
  let at = 0
  while (at < source.length) {
    token.lastIndex = at
    const match = token.exec(source)
    if (!match) throw new Error(`not well-formed at ${at}: ${source.slice(at, at + 60)}`)
    at = token.lastIndex
    const [, prefix, tag = '', attributes = '', slash, text] = match
    if (text !== undefined) {
      const decoded = decode(text)
      if (!open && decoded.trim()) throw new Error(`text outside of the root: ${decoded.slice(0, 60)}`)
      for (let element = open; element; element = element.parent) element.text += decoded
    } else if (prefix === '/') {
      if (open?.tag !== tag) throw new Error(`</${tag}> closes <${open?.tag}> at ${at}`)
      open = open.parent
    } else if (prefix === '') {
      const element = { tag, attributes: attributesOf(attributes, html), text: '', parent: open }
      found.push(element)
      if (html && (tag === 'script' || tag === 'style')) {
        const end = source.indexOf(`</${tag}`, at)
        element.text = source.slice(at, end)
        at = source.indexOf('>', end) + 1
      } else if (!slash) open = element
    }
  }
  if (open) throw new Error(`<${open.tag}> is not closed`)
  return found
}

function attributesOf(source: string, html: boolean): Map<string, string> {
  const attributes = new Map<string, string>()
  for (const [, name = '', value] of source.matchAll(/([\w:-]+)(?:="([^"]*)")?/g)) {
    if (attributes.has(name)) throw new Error(`${name} stands there twice`)
    if (value === undefined && !html) throw new Error(`${name} has no value`)
    attributes.set(name, decode(value ?? ''))
  }
  return attributes
}

function decode(text: string): string {
  return text.replace(/&(?:#(\d+)|(\w+));|&/g, (whole, code?: string, name?: string) => {
    const character = code ? String.fromCodePoint(Number(code)) : ENTITIES[name ?? '']
    if (character === undefined) throw new Error(`${whole} is no entity`)
    return character
  })
}
