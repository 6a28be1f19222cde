/** How the addresses of one run's network are used. */
export interface Subnet {
  /** `198.18.32.0/19` */
  cidr: string
  /** The address of the bridge on the engine's host. */
  gateway: string
  /** The address of the container with a fixed address number `n`, from 2 to 255. */
  fixed(n: number): string
  /** The addresses that the engine gives to other containers, as CIDR. */
  engineRange: string
  /**
   * The half of the subnet that the lab container takes for itself, as CIDR: one address for each mail exchanger of a
   * partner.
   */
  labRange: string
  /** The address of mail exchanger number `n`, from 1 on. Throws RangeError when no address is left. */
  lab(n: number): string
}

/** RFC 2544 appendix C.2.2 reserves 198.18.0.0/15 for tests; hardly any network uses addresses of it. */
const FIRST = toNumber('198.18.0.0')
/** Room for 16 runs side by side, each with 4094 mail exchangers. */
const PREFIX = 19

/**
 * The subnets that overlap none of `taken` (CIDR). The list begins at a random subnet, so that runs that start together
 * seldom choose the same one. `prefix` is the size of the subnets; default 19.
 */
export function freeSubnets(taken: readonly string[], start?: number, prefix = PREFIX): Subnet[] {
  const used = taken.map(range).filter(one => one !== undefined)
  const count = 2 ** (prefix - 15)
  const size = 2 ** (32 - prefix)
  const first = start ?? Math.floor(Math.random() * count)
  return Array.from({ length: count }, (_, i) => FIRST + ((first + i) % count) * size)
    .filter(base => !used.some(([from, to]) => from < base + size && to > base))
    .map(base => subnet(base, prefix))
}

function subnet(base: number, prefix: number): Subnet {
  const half = 2 ** (31 - prefix)
  return {
    cidr: `${toText(base)}/${prefix}`,
    gateway: toText(base + 1),
    fixed: n => toText(base + n),
    engineRange: `${toText(base + half / 2)}/${prefix + 2}`,
    labRange: `${toText(base + half)}/${prefix + 1}`,
    lab(n) {
      if (n < 1 || n >= half - 1)
        throw new RangeError(`the network of a run has ${half - 2} partner addresses`)
      return toText(base + half + n)
    },
  }
}

/** The first address and the address after the last one; nothing for IPv6. */
function range(cidr: string): [number, number] | undefined {
  const [address = '', prefix = '32'] = cidr.split('/')
  if (address.includes(':')) return undefined
  const size = 2 ** (32 - Number(prefix))
  const from = Math.floor(toNumber(address) / size) * size
  return [from, from + size]
}

function toNumber(address: string): number {
  return address.split('.').reduce((sum, byte) => sum * 256 + Number(byte), 0)
}

function toText(address: number): string {
  return [24, 16, 8, 0].map(shift => Math.floor(address / 2 ** shift) % 256).join('.')
}
