import type { Finding, Option, TlsVersion, VersionOffer } from '../evidence/offer.ts'
import { EXTENSION, FALLBACK_SCSV, type Offer } from '../wire/tls/craft-hello.ts'
import { spoken } from '../wire/tls/tls-names.ts'
import { fingerprintOf } from './certificates.ts'
import { acceptance } from './drain.ts'
import { codesOfSuites, type HelloQuestions } from './hello-questions.ts'
import type { Answered } from './question-queue.ts'

/** What is known before. */
interface Before {
  versions: readonly VersionOffer[]
  /** The first answer of each version. */
  first: ReadonlyMap<TlsVersion, Answered>
  serverName: string | undefined
}

type Options = Partial<Record<Option, Finding>>

/** RFC 8446 s4.1.3: the end of the random, in hex, where TLS 1.3 or TLS 1.2 was possible. */
const MARKERS: Partial<Record<TlsVersion, string>> = {
  'TLSv1.2': '444f574e47524401',
  'TLSv1.1': '444f574e47524400',
  TLSv1: '444f574e47524400',
}
/** A name that no server has: RFC 6761 s6.4. */
const UNKNOWN_NAME = 'unknown-name.invalid'
/** Likewise, with capitals, the longest label and one for other letters: RFC 1035 s2.3.4, RFC 5890 s2.3.2.1. */
const ODD_NAME = `${'Odd-Name-'.repeat(7).slice(0, 62)}0.xn--bcher-kva.INVALID`
/** More than a TCP segment holds. */
const PADDING = 2_000
const PADDING_EXTENSION = 21

/** Everything that the answer to one hello decides. What does not apply to this server is left out. */
export async function optionsByHello(
  hellos: HelloQuestions,
  before: Before,
): Promise<{ options: Options; byName: Record<string, string> }> {
  const accepted = before.versions.filter(({ known, version }) => known === 'yes' && version !== 'SSLv2')
  const classic = accepted.find(({ version }) => version !== 'TLSv1.3')
  const best = accepted[0]
  if (!best) return { options: {}, byName: {} }
  const byName: Record<string, string> = {}
  const named = async (about: string, name: string | undefined): Promise<Finding> => {
    const { version, suites } = classic ?? best
    const codes = codesOfSuites(suites.all)
    return took(await hellos.ask(version, about, { suites: codes, serverName: name }), name)
  }
  const took = (answer: Answered, name: string | undefined): Finding => {
    const [own] = answer.kind === 'chosen' ? answer.certificates : []
    if (own) byName[name ?? ''] = fingerprintOf(own)
    return acceptance(answer, (classic ?? best).version)
  }
  /** One hello for the options and for no server name, where that is served. */
  const optionsWithoutName = async (): Promise<[none: Finding, others: Options]> => {
    const answer =
      classic &&
      (await hellos.ask(classic.version, ACKNOWLEDGED, { ...offering(classic), serverName: undefined }))
    if (answer?.kind === 'chosen') return [took(answer, undefined), acknowledged(answer, classic!)]
    return [
      await named('no server name', undefined),
      classic
        ? acknowledged(
            await hellos.ask(classic.version, `${ACKNOWLEDGED}, with a name`, offering(classic)),
            classic,
          )
        : {},
    ]
  }
  const served = async (about: string, offer: Partial<Offer>): Promise<Finding> => {
    const { version } = classic ?? best
    return acceptance(await hellos.ask(version, about, offer), version)
  }
  /** Both at once, and the plain name by itself where the odd one is not served. */
  const otherNames = async (): Promise<Options> => {
    const odd = await named('odd server name', ODD_NAME)
    const unknown = odd.known === 'yes' ? odd : await named('unknown server name', UNKNOWN_NAME)
    return { 'unknown server name': unknown, 'odd server name': odd }
  }
  const [[none, others], names, hellosOfOddForm, fallback] = await Promise.all([
    optionsWithoutName(),
    otherNames(),
    oddForm(served),
    fallbackSignal(hellos, accepted),
  ])
  const own = before.serverName
  const shown = classic?.suites.all[0]?.certificate
  if (own !== undefined && shown) byName[own] = shown
  return {
    byName,
    options: {
      'no server name': none,
      ...names,
      ...hellosOfOddForm,
      ...(fallback ? { 'fallback signal': fallback } : {}),
      ...(classic ? inFirst(before.first.get(classic.version)!) : {}),
      ...downgradeMarker(accepted, before.first),
      ...others,
    },
  }
}

/** Both at once, and each by itself where that is not served. */
async function oddForm(served: (about: string, offer: Partial<Offer>) => Promise<Finding>): Promise<Options> {
  const old: Partial<Offer> = { recordVersion: 0x0300 }
  const large: Partial<Offer> = { others: [[PADDING_EXTENSION, Buffer.alloc(PADDING)]], recordSize: 1_000 }
  const both = await served('old record version, large hello', { ...old, ...large })
  if (both.known === 'yes') return { 'old record version': both, 'large hello': both }
  return {
    'old record version': await served('old record version', old),
    'large hello': await served('large hello', large),
  }
}

const extensionIn = (answer: Answered, type: number): Finding => {
  const { seen } = answer
  if (answer.kind !== 'chosen')
    return { known: 'unknown', said: answer.kind === 'unknown' ? answer.why : 'the hello was refused', seen }
  return { known: answer.hello.extensions.includes(type) ? 'yes' : 'no', seen }
}

const inFirst = (first: Answered): Options => ({
  'secure renegotiation': extensionIn(first, EXTENSION.renegotiationInfo),
  'extended master secret': extensionIn(first, EXTENSION.extendedMasterSecret),
})

const ACKNOWLEDGED = 'compression, truncated HMAC, encrypt-then-MAC, heartbeat'

const cbcOf = ({ suites }: VersionOffer) =>
  suites.all.filter(({ name }) => name.includes('_CBC_') && !name.includes('_anon_'))

/** Options that a server acknowledges in its ServerHello, all of them at once. */
function offering(classic: VersionOffer): Partial<Offer> {
  const cbc = cbcOf(classic)
  return {
    suites: codesOfSuites(cbc.length > 0 ? cbc : classic.suites.all),
    compression: [1, 0],
    others: [
      [EXTENSION.truncatedHmac, Buffer.alloc(0)],
      [EXTENSION.encryptThenMac, Buffer.alloc(0)],
      [EXTENSION.heartbeat, Buffer.from([1])],
    ],
  }
}

function acknowledged(answer: Answered, classic: VersionOffer): Options {
  const compression: Finding =
    answer.kind === 'chosen'
      ? { known: answer.hello.compression === 0 ? 'no' : 'yes', seen: answer.seen }
      : extensionIn(answer, 0)
  return {
    compression,
    'truncated HMAC': extensionIn(answer, EXTENSION.truncatedHmac),
    // RFC 7366 s3: it is about suites with CBC alone.
    ...(cbcOf(classic).length > 0
      ? { 'encrypt-then-MAC': extensionIn(answer, EXTENSION.encryptThenMac) }
      : {}),
    heartbeat: extensionIn(answer, EXTENSION.heartbeat),
  }
}

async function fallbackSignal(
  hellos: HelloQuestions,
  [, lower]: readonly VersionOffer[],
): Promise<Finding | undefined> {
  if (!lower) return undefined
  const { version, suites } = lower
  const codes = codesOfSuites(suites.all)
  const about = `fallback signal with ${spoken(version)}`
  const { known, ...rest } = acceptance(
    await hellos.ask(version, about, { suites: [...codes, FALLBACK_SCSV] }),
    version,
  )
  return { known: known === 'unknown' ? known : known === 'no' ? 'yes' : 'no', ...rest }
}

function downgradeMarker(
  [best, lower]: readonly VersionOffer[],
  first: ReadonlyMap<TlsVersion, Answered>,
): Options {
  const marker = lower && MARKERS[lower.version]
  const answer = lower && first.get(lower.version)
  if (!marker || answer?.kind !== 'chosen' || !['TLSv1.3', 'TLSv1.2'].includes(best!.version)) return {}
  const marked = answer.hello.random.endsWith(marker)
  return { 'downgrade marker': { known: marked ? 'yes' : 'no', seen: answer.seen } }
}
