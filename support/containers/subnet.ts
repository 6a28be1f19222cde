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
const SIZE = 2 ** (32 - PREFIX)
const COUNT = 2 ** (PREFIX - 15)

/** Subnets that touch none of `taken` (CIDR), from a random one on, so that runs that start together seldom collide. */
export function freeSubnets(taken: readonly string[], start = Math.floor(Math.random() * COUNT)): Subnet[] {
  const used = taken.map(range).filter(one => one !== undefined)
  return Array.from({ length: COUNT }, (_, i) => FIRST + ((start + i) % COUNT) * SIZE)
    .filter(base => !used.some(([from, to]) => from < base + SIZE && to > base))
    .map(subnet)
}

function subnet(base: number): Subnet {
  const half = SIZE / 2
  return {
    cidr: `${toText(base)}/${PREFIX}`,
    gateway: toText(base + 1),
    fixed: n => toText(base + n),
    engineRange: `${toText(base + half / 2)}/${PREFIX + 2}`,
    labRange: `${toText(base + half)}/${PREFIX + 1}`,
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
