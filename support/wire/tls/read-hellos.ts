import type { ClientHello } from '../conversation.ts'
import { EXTENSION } from './craft-hello.ts'
import { Cursor } from './cursor.ts'
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
  /** 0 is none; RFC 3749. */
  compression: number
  /** Numbers of the extensions, in the order of the server. */
  extensions: number[]
}

/** RFC 8446 s4.1.3: the random of a HelloRetryRequest. */
const RETRY_RANDOM = 'cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c'

function extensions(cursor: Cursor): Map<number, Cursor> {
  const found = new Map<number, Cursor>()
  if (cursor.left < 2) return found
  const list = cursor.vector(2)
  while (list.left >= 4) found.set(list.number(2), list.vector(2))
  return found
}

/** GREASE values (RFC 8701), which a client adds on purpose and which mean nothing. */
const grease = (value: number): boolean => (value & 0x0f0f) === 0x0a0a && value >> 8 === (value & 0xff)

/** The suite that is none: RFC 5746 s3.3. */
const RENEGOTIATION_SCSV = 0x00ff

/** RFC 8446 s4.1.2; `body` is the message without its 4-byte header. Throws RangeError on wrong lengths. */
export function clientHello(body: Buffer): ClientHello {
  const cursor = new Cursor(body)
  const legacy = cursor.number(2)
  cursor.bytes(32)
  cursor.vector(1)
  const suites = cursor.vector(2).numbers(2)
  const compressions = cursor.vector(1).numbers(1)
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
    suites: suites.filter(value => !grease(value) && value !== RENEGOTIATION_SCSV).map(suiteName),
    groups: list(10, 2).map(groupName),
    signatureAlgorithms: list(13, 2).map(signatureName),
    extensions: [...found.keys()].filter(value => !grease(value)),
    compressions,
    renegotiationInfo: found.has(EXTENSION.renegotiationInfo) || suites.includes(RENEGOTIATION_SCSV),
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
  const compression = cursor.number(1)
  const found = extensions(cursor)
  const share = found.get(51)
  return {
    kind: 'server-hello',
    version: versionName(found.get(43)?.number(2) ?? legacy),
    suite,
    retry,
    random,
    compression,
    extensions: [...found.keys()],
    ...(share ? { group: groupName(share.number(2)) } : {}),
  }
}
