/** How the addresses of one run's network are used. */
export interface Subnet {
  /** `198.18.32.0/19` */
  cidr: string
  /** The bridge on the engine's host. */
  gateway: string
  /** For containers that ask for a fixed address, by their number from 2 to 255. */
  fixed(n: number): string
  /** What the engine hands out by itself, as CIDR. */
  engineRange: string
  /** The half that the lab container makes its own, as CIDR: one address for each partner host. */
  labRange: string
  /** Address of partner host number `n` from 1 on; throws RangeError when there are no more. */
  lab(n: number): string
}

/** RFC 2544 s. C.2.2: for tests between networks, on no public and hardly any private one. */
const FIRST = toNumber('198.18.0.0')
/** 16 runs side by side, each with 4094 partner hosts. */
const PREFIX = 19

/**
 * Subnets that touch none of `taken` (CIDR), from a random one on, so that runs that start together seldom collide.
 * `prefix`: their size, 19 unless one run needs more partner hosts than others.
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

/** First address and the one behind the last; nothing for IPv6. */
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
