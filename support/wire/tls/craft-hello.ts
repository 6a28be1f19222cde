import { randomBytes } from 'node:crypto'

/**
 * Writes ClientHellos that no TLS library writes, to ask a server one thing at a time. Every number is one of IANA's
 * registries for TLS, as in `tls-registry.ts`.
 */

/** What a ClientHello says; RFC 5246 s7.4.1.2, RFC 8446 s4.1.2. An extension that is not named here is not sent. */
export interface Offer {
  /** In the hello itself, 0x0300 to 0x0303. TLS 1.3 has 0x0303 here and `versions` below. */
  version: number
  /** supported_versions; RFC 8446 s4.2.1. */
  versions?: readonly number[]
  /** In the header of the record; 0x0301 if absent, and 0x0300 for SSL 3. */
  recordVersion?: number
  /** 32 random bytes if absent. */
  random?: Buffer
  sessionId?: Buffer
  suites: readonly number[]
  /** 0 is none and is sent if absent; RFC 3749. */
  compression?: readonly number[]
  /** RFC 6066 s3. */
  serverName?: string | undefined
  /** RFC 8422 s5.1. Below TLS 1.3 uncompressed points go with it. */
  groups?: readonly number[]
  /** RFC 8446 s4.2.3. */
  signatureAlgorithms?: readonly number[]
  /** ALPN; RFC 7301. */
  protocols?: readonly string[]
  /** A ticket, empty to ask for one; RFC 5077. */
  ticket?: Buffer
  /** RFC 7627. */
  extendedMasterSecret?: boolean
  /** RFC 5746, as an extension. */
  renegotiationInfo?: boolean
  /** Adds values that mean nothing to suites, groups, versions and extensions; RFC 8701. */
  grease?: boolean
  /** Further extensions, by number. */
  others?: readonly (readonly [type: number, body: Buffer])[]
  /** The most bytes of the message in one record; 16384 if absent. */
  recordSize?: number
}

/** RFC 7507: the client says that it has tried a higher version before. */
export const FALLBACK_SCSV = 0x5600

export const EXTENSION = {
  serverName: 0,
  statusRequest: 5,
  supportedGroups: 10,
  pointFormats: 11,
  signatureAlgorithms: 13,
  heartbeat: 15,
  protocols: 16,
  truncatedHmac: 4,
  encryptThenMac: 22,
  extendedMasterSecret: 23,
  ticket: 35,
  supportedVersions: 43,
  keyShare: 51,
  renegotiationInfo: 65281,
} as const

const GREASE = 0x2a2a
const CLIENT_HELLO = 1
const HANDSHAKE = 22

export const number = (value: number, size: number): Buffer => {
  const bytes = Buffer.alloc(size)
  bytes.writeUIntBE(value, 0, size)
  return bytes
}
const numbers = (values: readonly number[], size = 2): Buffer =>
  Buffer.concat(values.map(value => number(value, size)))
/** Bytes behind their length; RFC 8446 s3.4. Throws RangeError for more bytes than the length can say. */
export const vector = (size: number, ...parts: Buffer[]): Buffer => {
  const body = Buffer.concat(parts)
  return Buffer.concat([number(body.length, size), body])
}

function extensionsOf(offer: Offer): (readonly [type: number, body: Buffer])[] {
  const { serverName, groups, signatureAlgorithms, protocols, ticket, versions, grease } = offer
  const greased = (values: readonly number[]): readonly number[] => (grease ? [GREASE, ...values] : values)
  const all: (readonly [number, Buffer])[] = []
  if (grease) all.push([GREASE, Buffer.alloc(0)])
  if (serverName !== undefined) {
    const name = vector(2, Buffer.from(serverName, 'latin1'))
    all.push([EXTENSION.serverName, vector(2, Buffer.from([0]), name)])
  }
  if (offer.extendedMasterSecret) all.push([EXTENSION.extendedMasterSecret, Buffer.alloc(0)])
  if (offer.renegotiationInfo) all.push([EXTENSION.renegotiationInfo, vector(1)])
  if (groups) {
    all.push([EXTENSION.supportedGroups, vector(2, numbers(greased(groups)))])
    if (!versions) all.push([EXTENSION.pointFormats, vector(1, Buffer.from([0]))])
  }
  if (ticket) all.push([EXTENSION.ticket, ticket])
  if (protocols) {
    const names = protocols.map(name => vector(1, Buffer.from(name, 'latin1')))
    all.push([EXTENSION.protocols, vector(2, ...names)])
  }
  if (signatureAlgorithms) all.push([EXTENSION.signatureAlgorithms, vector(2, numbers(signatureAlgorithms))])
  if (versions) {
    // No share: a server of TLS 1.3 then names the group that it wants, and signs nothing (RFC 8446 s4.2.8).
    all.push([EXTENSION.keyShare, vector(2)])
    all.push([EXTENSION.supportedVersions, vector(1, numbers(greased(versions)))])
  }
  all.push(...(offer.others ?? []))
  return all
}

/** The records of one ClientHello. Throws RangeError for a value that does not fit into its field. */
export function clientHelloBytes(offer: Offer): Buffer {
  const extensions = extensionsOf(offer).map(([type, body]) =>
    Buffer.concat([number(type, 2), vector(2, body)]),
  )
  const message = Buffer.concat([
    number(CLIENT_HELLO, 1),
    vector(
      3,
      number(offer.version, 2),
      offer.random ?? randomBytes(32),
      vector(1, offer.sessionId ?? Buffer.alloc(0)),
      vector(2, numbers(offer.grease ? [GREASE, ...offer.suites] : offer.suites)),
      vector(1, Buffer.from(offer.compression ?? [0])),
      // RFC 8446 s4.1.2: a hello without extensions ends here, and has no empty list.
      ...(extensions.length > 0 ? [vector(2, ...extensions)] : []),
    ),
  ])
  const { recordVersion = Math.min(offer.version, 0x0301), recordSize = 16_384 } = offer
  const records: Buffer[] = []
  for (let at = 0; at < message.length; at += recordSize)
    records.push(
      number(HANDSHAKE, 1),
      number(recordVersion, 2),
      vector(2, message.subarray(at, at + recordSize)),
    )
  return Buffer.concat(records)
}

/** The suites of SSL 2, in its own numbers: RC4, RC2, IDEA, DES and triple DES. */
const SSL2_SUITES = [0x010080, 0x020080, 0x030080, 0x040080, 0x050080, 0x060040, 0x0700c0]

/** A ClientHello of SSL 2: two bytes of length with the top bit set, the type 1, and the version 0x0002. */
export function ssl2HelloBytes(): Buffer {
  const suites = numbers(SSL2_SUITES, 3)
  const challenge = randomBytes(16)
  const lengths = numbers([suites.length, 0, challenge.length])
  const message = Buffer.concat([Buffer.from([1, 0, 2]), lengths, suites, challenge])
  return Buffer.concat([number(0x8000 | message.length, 2), message])
}
