import type { Identity, Pki } from '../pki/pki.ts'
import type { ClientTls } from '../wire/smtp/smtp.ts'
import { opensslName } from '../wire/tls/tls-names.ts'
import { inPieces } from '../wire/write-in-pieces.ts'
import type { SenderBehaviour } from './client-behaviour.ts'
import type { ClientManner } from './client-manner.ts'

const RECORD_HEADER = 5

/** OpenSSL group lists; four shares are the most, and one is of a classical group, so that every gateway finds one. */
const GROUPS: Partial<Record<NonNullable<ClientManner['clientHello']>, string>> = {
  'of 4,500 bytes': '*X25519MLKEM768:*SecP256r1MLKEM768:*SecP384r1MLKEM1024:*X25519:P-256:P-384',
  'of 350 bytes': '*X25519:P-256:P-384',
}

/** One record as two, each with half of what is in it: RFC 8446 s5.1. Bytes that are no whole record stay as they are. */
export function twoRecords(bytes: Buffer): Buffer[] {
  const length = bytes.length - RECORD_HEADER
  if (length < 2 || bytes.readUInt16BE(3) !== length) return [bytes]
  const records = inPieces(Math.ceil(length / 2))(bytes.subarray(RECORD_HEADER)).flatMap(fragment => {
    const header = Buffer.from(bytes.subarray(0, RECORD_HEADER))
    header.writeUInt16BE(fragment.length, 3)
    return [header, fragment]
  })
  return [Buffer.concat(records)]
}

const HELLOS: Partial<Record<NonNullable<ClientManner['clientHello']>, ClientTls['cutsHello']>> = {
  'single bytes': inPieces(1),
  'pieces of 64 bytes': inPieces(64),
  'two records': twoRecords,
}

/** How the plain client takes part in the handshake. `hostname`: of the gateway. */
export async function clientTls({
  behaviour,
  hostname,
  pki,
  manner = {},
}: {
  behaviour: SenderBehaviour
  manner?: ClientManner
  hostname: string
  pki: Pki
}): Promise<ClientTls> {
  const { certificate, maxVersion } = behaviour
  const old = maxVersion === 'TLSv1' || maxVersion === 'TLSv1.1'
  const identity: Identity | undefined =
    certificate &&
    (await pki.issue({
      names: certificate.names,
      usage: 'client',
      ofPeer: true,
      ...(certificate.flaws ? { flaws: certificate.flaws } : {}),
      ...(manner.certificateKey ? { kind: { key: manner.certificateKey } } : {}),
    }))
  const role = maxVersion ? undefined : pki.peersPlay
  const suites = role?.suites.map(opensslName).join(':')
  return {
    servername: hostname,
    ...(identity ? { identity } : {}),
    ...(role?.maxVersion ? { maxVersion: role.maxVersion } : {}),
    ...(suites ? { ciphers: `${suites}:@SECLEVEL=0` } : {}),
    ...(maxVersion ? { maxVersion } : {}),
    // Below TLS 1.2 OpenSSL wants security level 0.
    ...(old ? { minVersion: 'TLSv1' as const, ciphers: 'ALL:@SECLEVEL=0' } : {}),
    // With it, the client itself has nothing against a weak certificate of its own.
    ...(!old && !suites && certificate?.flaws?.length ? { ciphers: 'DEFAULT:@SECLEVEL=0' } : {}),
  }
}

/** How a client of this manner takes part in the handshake; `plain`: how the plain client does. */
export function tlsOf(plain: ClientTls, manner: ClientManner): ClientTls {
  const { tlsVersion, serverName, session, clientHello } = manner
  const { servername, ...rest } = plain
  const name =
    serverName === 'none'
      ? undefined
      : serverName === 'another name'
        ? 'mx.elsewhere.test'
        : serverName === 'in capitals'
          ? servername?.toUpperCase()
          : servername
  const groups = clientHello && GROUPS[clientHello]
  const cutsHello = clientHello && HELLOS[clientHello]
  return {
    ...rest,
    ...(name ? { servername: name } : {}),
    ...(tlsVersion || session === 'resumed by id' ? { maxVersion: 'TLSv1.2' } : {}),
    ...(session === 'resumed by id' ? { withoutTickets: true } : {}),
    ...(groups ? { groups } : {}),
    ...(cutsHello ? { cutsHello } : {}),
  }
}

/** A hello to which no gateway agrees: it offers nothing but a suite without encryption, RFC 5246 appendix A.5. */
export const failing = (tls: ClientTls): ClientTls => ({
  ...tls,
  minVersion: 'TLSv1.2',
  maxVersion: 'TLSv1.2',
  ciphers: 'NULL-SHA256:@SECLEVEL=0',
})
