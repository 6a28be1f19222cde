import { isIPv4, isIPv6 } from 'node:net'
import ipaddr from 'ipaddr.js'

export type Family = 'IPv4' | 'IPv6'

/** A prefix, RFC 4632 s3.1 and RFC 4291 s2.3: consecutive addresses, of which partners can have `size`. */
export class AddressRange {
  readonly family: Family
  readonly size: number
  readonly #network: ipaddr.IPv4 | ipaddr.IPv6
  readonly #bits: number
  readonly #skipped: 0 | 1

  /** Reads a prefix such as `127.0.16.0/20` or `fd00:1::/112`, or one address. Throws RangeError. */
  constructor(text: string) {
    const [address = '', digits] = text.split('/', 2)
    if (!isIPv4(address) && !isIPv6(address)) throw new RangeError('no address')
    this.family = isIPv4(address) ? 'IPv4' : 'IPv6'
    const all = isIPv4(address) ? 32 : 128
    this.#bits = digits === undefined ? all : Number(digits)
    if (!/^\d{1,3}$/.test(digits ?? '0') || this.#bits > all || text.split('/').length > 2)
      throw new RangeError('no prefix')
    const { IPv4, IPv6 } = ipaddr
    const cidr = `${address}/${this.#bits}`
    this.#network =
      this.family === 'IPv4' ? IPv4.networkAddressFromCIDR(cidr) : IPv6.networkAddressFromCIDR(cidr)
    // Nobody can connect to the first and the last IPv4 address of an interface's network, nor to the first IPv6 address.
    const total = 2 ** (all - this.#bits)
    this.#skipped = total > 2 ? 1 : 0
    this.size = Math.min(total - 2 * this.#skipped, Number.MAX_SAFE_INTEGER)
  }

  /** The address with this number, from 0 to below `size`, as the system writes it. */
  at(n: number): string {
    const bytes = this.#network.toByteArray()
    let rest = n + this.#skipped
    for (let i = bytes.length - 1; rest > 0; i--) {
      const sum = bytes[i]! + (rest % 256)
      bytes[i] = sum % 256
      rest = Math.floor(rest / 256) + Math.floor(sum / 256)
    }
    const address = ipaddr.fromByteArray(bytes)
    return address instanceof ipaddr.IPv6 ? address.toRFC5952String() : address.toString()
  }

  overlaps(other: AddressRange): boolean {
    if (this.family !== other.family) return false
    const bits = Math.min(this.#bits, other.#bits)
    return this.#network.match(other.#network, bits)
  }
}
