import { isIPv4 } from 'node:net'

/** Numbers of the containers that have fixed addresses, for `LabAddresses.fixed`. */
export const FIXED = { lab: 2, names: 3, mailbox: 4 } as const

/** The addresses that the lab has in a container network. */
export interface LabAddresses {
  /** `198.18.32.0/19` */
  cidr: string
  /** The address of the container with a fixed address number `n`, from 2 to 255. */
  fixed(n: number): string
  /**
   * The half of the subnet that the lab container takes for itself, as CIDR: one address for each mail exchanger of a
   * partner.
   */
  labRange: string
  /** The address of mail exchanger number `n`, from 1 on. Throws RangeError when no address is left. */
  lab(n: number): string
}

/** How the addresses of one run's network are used. */
export interface Subnet extends LabAddresses {
  /** The address of the bridge on the engine's host. */
  gateway: string
  /** The addresses that the engine gives to other containers, as CIDR. */
  engineRange: string
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

/** The lab cannot be in a network that the suite did not make; `part`: what would have to be another one. */
export class UnfitAddresses extends RangeError {
  override name = 'UnfitAddresses'
  readonly part: 'network' | 'resolver'

  constructor(part: 'network' | 'resolver', message: string) {
    super(message)
    this.part = part
  }
}

/**
 * The lab in a network that the suite did not make: the lab has the upper half of the subnet, and its name server the
 * address `resolver` in the lower half. `taken`: addresses of others. Throws UnfitAddresses that says why this cannot be.
 */
export function joinedAddresses(
  cidr: string,
  resolver: string,
  taken: Readonly<Record<string, string>>,
): LabAddresses {
  const [from, to] = range(cidr)!
  const half = (to - from) / 2
  if (half < 2 ** (31 - PREFIX))
    throw new UnfitAddresses(
      'network',
      `the subnet ${cidr} is too small for the partners; give the network a /${PREFIX}`,
    )
  const upper = from + half
  const labRange = `${toText(upper)}/${Number(cidr.split('/')[1]) + 1}`
  for (const [address, owner] of Object.entries(taken))
    if (toNumber(address) >= upper && toNumber(address) < to)
      throw new UnfitAddresses(
        'network',
        `${owner} has ${address}; the suite needs ${labRange}, the upper half of the subnet, for itself`,
      )
  const said = isIPv4(resolver) ? toNumber(resolver) : 0
  if (said <= from || said >= upper)
    throw new UnfitAddresses('resolver', `${resolver} is no address in the lower half of the subnet ${cidr}`)
  const owner = taken[resolver]
  if (owner !== undefined) throw new UnfitAddresses('resolver', `${owner} has the address ${resolver}`)
  return {
    cidr,
    labRange,
    fixed: n => (n === FIXED.names ? resolver : toText(upper + n)),
    lab(n) {
      if (n < 1 || n >= half - FIXED_ROOM - 1)
        throw new RangeError(`the subnet ${cidr} has no more addresses for partners`)
      return toText(upper + FIXED_ROOM + n)
    },
  }
}

/** So many addresses at the beginning of the upper half are for containers. */
const FIXED_ROOM = 8

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
