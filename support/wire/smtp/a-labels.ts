import { domainToASCII, domainToUnicode } from 'node:url'

/** Bytes of UTF-8 above 127, as `printable` writes them. */
const ESCAPED = /(?:\\x[89a-f][0-9a-f])+/g

const domainOf = (address: string): string => /[^@]*$/.exec(address)![0]

/**
 * An address whose domain has the form of the DNS: with A-labels, which begin with `xn--`, in place of U-labels, which have
 * the letters themselves. RFC 5890 s2.3.2.1. Where a domain has no U-labels, or none that the DNS could have, the address stays.
 */
export function withALabels(address: string): string {
  const written = domainOf(address)
  const domain = written.replace(ESCAPED, bytes =>
    Buffer.from(bytes.replaceAll('\\x', ''), 'hex').toString('utf8'),
  )
  if (/^[\x00-\x7f]*$/.test(domain)) return address
  return address.slice(0, address.length - written.length) + (domainToASCII(domain) || written)
}

/** The same address with U-labels in its domain. */
export function withULabels(address: string): string {
  const domain = domainOf(address)
  return address.slice(0, address.length - domain.length) + (domainToUnicode(domain) || domain)
}
