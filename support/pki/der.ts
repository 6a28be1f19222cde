/** One element of DER: its tag byte, where it begins, where its content begins and where it ends; X.690 s8.1. */
export interface Element {
  tag: number
  at: number
  content: number
  end: number
}

export const TAGS = { integer: 0x02, sequence: 0x30, utcTime: 0x17, generalizedTime: 0x18 } as const

/**
 * The element at `at`. pkijs reads all other structures. A revocation list may have a hundred thousand entries, which
 * are looked through here without an object for each. Throws RangeError for what ends too early or is not DER.
 */
export function elementAt(der: Buffer, at: number, limit = der.length): Element {
  const first = at + 2 <= limit ? der[at + 1]! : undefined
  if (first === undefined) throw new RangeError('it ends too early')
  const bytes = first < 0x80 ? 0 : first & 0x7f
  if (first === 0x80 || bytes > 4 || at + 2 + bytes > limit) throw new RangeError('it is not DER')
  const content = at + 2 + bytes
  const end = content + (bytes === 0 ? first : der.readUIntBE(at + 2, bytes))
  if (end > limit) throw new RangeError('it ends too early')
  return { tag: der[at]!, at, content, end }
}

/** The elements inside of another one. */
export function* elementsIn(der: Buffer, { content, end }: Element): Generator<Element, void> {
  for (let at = content; at < end; ) {
    const element = elementAt(der, at, end)
    yield element
    at = element.end
  }
}
