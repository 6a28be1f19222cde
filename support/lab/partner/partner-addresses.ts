import { isIPv6 } from 'node:net'
import type { AddressRange, Family } from './address-range.ts'

/** How many addresses of each family. */
export type Count = Record<Family, number>

type Taken = Record<Family, string[]>

const FAMILIES: readonly Family[] = ['IPv4', 'IPv6']

/** Who waits until all addresses are there at once. */
interface Waiting {
  wanted: Count
  grant: (taken: Taken) => void
}

/** The addresses of one family: first those that nobody has had, then those that were given back, the oldest first. */
class Stock {
  readonly ranges: AddressRange[] = []
  #used = 0
  readonly #back: string[] = []

  get size(): number {
    return this.ranges.reduce((sum, { size }) => sum + size, 0)
  }

  get left(): number {
    return this.size - this.#used + this.#back.length
  }

  take(): string {
    let n = this.#used
    for (const range of this.ranges) {
      if (n < range.size) {
        this.#used++
        return range.at(n)
      }
      n -= range.size
    }
    return this.#back.shift()!
  }

  give(address: string): void {
    this.#back.push(address)
  }
}

/**
 * The addresses at which partners can be. Each is one mail exchanger's at a time, and comes to another one only when all
 * others are in use or were used as well. Who waits gets addresses in the order of asking.
 */
export class PartnerAddresses {
  readonly #stocks: Record<Family, Stock> = { IPv4: new Stock(), IPv6: new Stock() }
  #waiting: Waiting[] = []

  constructor(ranges: readonly AddressRange[]) {
    for (const range of ranges) this.add(range)
  }

  add(range: AddressRange): void {
    this.#stocks[range.family].ranges.push(range)
  }

  get ranges(): readonly AddressRange[] {
    return FAMILIES.flatMap(family => this.#stocks[family].ranges)
  }

  /** How many addresses of a family there are, whether somebody has them or not. */
  size(family: Family): number {
    return this.#stocks[family].size
  }

  /** Takes all of these addresses at once, and waits until they are there. Throws where there are never so many. */
  async take(wanted: Count): Promise<Taken> {
    for (const family of FAMILIES)
      if (wanted[family] > this.size(family))
        throw new Error(`${wanted[family]} ${family} addresses asked for, with room for ${this.size(family)}`)
    return new Promise(grant => {
      this.#waiting.push({ wanted, grant })
      this.#grant()
    })
  }

  give(address: string): void {
    this.#stocks[isIPv6(address) ? 'IPv6' : 'IPv4'].give(address)
    this.#grant()
  }

  /** Who waits for addresses of both families is overtaken at none of them. */
  #grant(): void {
    const awaited = new Set<Family>()
    this.#waiting = this.#waiting.filter(({ wanted, grant }) => {
      const families = FAMILIES.filter(family => wanted[family] > 0)
      const fits = families.every(one => !awaited.has(one) && this.#stocks[one].left >= wanted[one])
      const some = (family: Family) =>
        Array.from({ length: wanted[family] }, () => this.#stocks[family].take())
      if (fits) grant({ IPv4: some('IPv4'), IPv6: some('IPv6') })
      else for (const family of families) awaited.add(family)
      return !fits
    })
  }
}
