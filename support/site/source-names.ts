/** A part of the name of a source; with an address where a standard can be read. */
export interface SourcePart {
  text: string
  address?: string
}

/** `RFC 3207 s4.1, s6` in parts: each RFC leads to its text, and each section after it to this section. */
export function sourceParts(source: string): SourcePart[] {
  let rfc: string | undefined
  return source.split(/(\bRFC \d+(?: s\d+(?:\.\d+)*)?|\bs\d+(?:\.\d+)*)/).flatMap((text): SourcePart[] => {
    if (text === '') return []
    const [, number, section] = /^(?:RFC (\d+) ?)?(?:s([\d.]+))?$/.exec(text) ?? []
    rfc = number ?? rfc
    if ((number ?? section) === undefined || rfc === undefined) return [{ text }]
    const anchor = section === undefined ? '' : `#section-${section}`
    return [{ text, address: `https://www.rfc-editor.org/rfc/rfc${rfc}${anchor}` }]
  })
}
