import type { ClientHello } from '../conversation.ts'
import { printable } from '../printable.ts'
import { groupName, signatureName, suiteName, versionName } from './tls-names.ts'

/** What a ServerHello chooses, in names. */
export interface ServerHello {
  kind: 'server-hello'
  version: string
  suite: string
  group?: string
  retry: boolean
  /** Hex. */
  random: string
}

/** RFC 8446 s4.1.3: the random of a HelloRetryRequest. */
const RETRY_RANDOM = 'cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c'

/** Reads a buffer of vectors that begin with their lengths; reading past the end throws RangeError. */
class Cursor {
  #at = 0
  readonly #bytes: Buffer
  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }
  get left(): number {
    return this.#bytes.length - this.#at
  }
  number(size: number): number {
    const value = this.#bytes.readUIntBE(this.#at, size)
    this.#at += size
    return value
  }
  bytes(length: number): Buffer {
    if (length > this.left) throw new RangeError('vector longer than its message')
    this.#at += length
    return this.#bytes.subarray(this.#at - length, this.#at)
  }
  vector(size: number): Cursor {
    return new Cursor(this.bytes(this.number(size)))
  }
  bytesAsText(): string {
    return printable(this.bytes(this.left), 255)
  }
  numbers(size: number): number[] {
    const all: number[] = []
    while (this.left >= size) all.push(this.number(size))
    return all
  }
}

function extensions(cursor: Cursor): Map<number, Cursor> {
  const found = new Map<number, Cursor>()
  if (cursor.left < 2) return found
  const list = cursor.vector(2)
  while (list.left >= 4) found.set(list.number(2), list.vector(2))
  return found
}

/** GREASE values (RFC 8701), which a client adds on purpose and which mean nothing. */
const grease = (value: number): boolean => (value & 0x0f0f) === 0x0a0a && value >> 8 === (value & 0xff)

/** RFC 8446 s4.1.2; `body` is the message without its 4-byte header. Throws RangeError on wrong lengths. */
export function clientHello(body: Buffer): ClientHello {
  const cursor = new Cursor(body)
  const legacy = cursor.number(2)
  cursor.bytes(32)
  cursor.vector(1)
  const suites = cursor.vector(2).numbers(2)
  cursor.vector(1)
  const found = extensions(cursor)
  const list = (id: number, sizeOfLength: number) =>
    found
      .get(id)
      ?.vector(sizeOfLength)
      .numbers(2)
      .filter(value => !grease(value)) ?? []
  const versions = list(43, 1)
  const hello: ClientHello = {
    legacyVersion: versionName(legacy),
    versions: (versions.length ? versions : impliedVersions(legacy)).map(versionName),
    suites: suites.filter(value => !grease(value) && value !== 0x00ff).map(suiteName),
    groups: list(10, 2).map(groupName),
    signatureAlgorithms: list(13, 2).map(signatureName),
    length: body.length,
  }
  const names = found.get(0)?.vector(2)
  if (names && names.number(1) === 0) hello.serverName = names.vector(2).bytesAsText()
  return hello
}

/** Without supported_versions a hello offers every version up to its legacy_version (RFC 5246 appendix E.1). */
function impliedVersions(legacy: number): number[] {
  return [0x0303, 0x0302, 0x0301, 0x0300].filter(version => version <= legacy)
}

/** RFC 8446 s4.1.3, HelloRetryRequest included; the rest as for `clientHello`. */
export function serverHello(body: Buffer): ServerHello {
  const cursor = new Cursor(body)
  const legacy = cursor.number(2)
  const random = cursor.bytes(32).toString('hex')
  const retry = random === RETRY_RANDOM
  cursor.vector(1)
  const suite = suiteName(cursor.number(2))
  cursor.number(1)
  const found = extensions(cursor)
  const share = found.get(51)
  return {
    kind: 'server-hello',
    version: versionName(found.get(43)?.number(2) ?? legacy),
    suite,
    retry,
    random,
    ...(share ? { group: groupName(share.number(2)) } : {}),
  }
}
