import { spoken } from '../wire/tls/tls-names.ts'
import type { TlsOffer } from './offer.ts'

/** One thing in which servers differ. */
export interface Difference {
  /** `TLS 1.0`, `suites of TLS 1.2`. */
  about: string
  /** What each address has, by address. */
  by: Readonly<Record<string, string>>
}

/** What a server has of each thing, in words; what is not known is left out. */
function traits({
  versions,
  groups,
  signatures,
  certificates,
  options,
  serverName,
}: TlsOffer): Map<string, string> {
  const all = new Map<string, string>()
  for (const { version, known, suites } of versions) {
    if (known !== 'unknown') all.set(spoken(version), known)
    if (known === 'yes' && suites.all.length > 0 && !suites.incomplete)
      all.set(`suites of ${spoken(version)}`, sorted(suites.all.map(({ openssl }) => openssl)))
  }
  if (!groups.tls13.incomplete) all.set('groups of TLS 1.3', sorted(groups.tls13.all))
  if (!groups.tls12.incomplete) all.set('curves up to TLS 1.2', sorted(groups.tls12.all))
  if (!signatures.incomplete) all.set('signatures of TLS 1.2', sorted(signatures.all))
  all.set(
    'keys of certificates',
    sorted(certificates.map(({ key }) => [key.type, key.bits ?? key.curve].join(' '))),
  )
  all.set('chains of certificates', sorted(certificates.map(({ chain }) => chain ?? 'not checked')))
  if (serverName !== undefined)
    all.set(
      'names of certificates',
      sorted(certificates.map(({ names }) => (isNamed(names, serverName) ? 'the right one' : 'another'))),
    )
  for (const [option, { known }] of Object.entries(options)) if (known !== 'unknown') all.set(option, known)
  return all
}

/** RFC 9525 s6.3: `*` stands for one whole label on the left. */
export function isNamed(names: readonly string[], host: string): boolean {
  const wanted = host.toLowerCase()
  const wildcard = wanted.replace(/^[^.]+(?=\.)/, '*')
  return names.some(name => [wanted, wildcard].includes(name.toLowerCase()))
}

const sorted = (names: readonly string[]): string => [...new Set(names)].sort().join(' ')

/**
 * In what the servers that answered differ. What is not known of one server is no difference. Of each server only the words
 * are kept, and each of them once, so that there can be many servers.
 */
export class Differences {
  /** What each address has, by what it is about. */
  readonly #all = new Map<string, Map<string, string>>()
  readonly #words = new Map<string, string>()

  add(offer: TlsOffer): void {
    if (offer.unreachable !== undefined) return
    for (const [about, value] of traits(offer)) {
      const by = this.#all.get(about) ?? new Map<string, string>()
      this.#all.set(about, by)
      if (!this.#words.has(value)) this.#words.set(value, value)
      by.set(offer.address, this.#words.get(value)!)
    }
  }

  /** `addresses`: of all servers, in the order in which they are told. */
  among(addresses: readonly string[]): Difference[] {
    return [...this.#all].flatMap(([about, by]) => {
      if (new Set(by.values()).size < 2) return []
      const having = addresses.flatMap(address => {
        const value = by.get(address)
        return value === undefined ? [] : [[address, value] as const]
      })
      return { about, by: Object.fromEntries(having) }
    })
  }
}
