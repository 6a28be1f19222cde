import type { Choices, SuiteOffer, TlsOffer, TlsVersion, VersionOffer } from '../evidence/offer.ts'
import type { Conversation } from '../wire/conversation.ts'
import { addressOf } from '../wire/smtp/smtp.ts'
import { type Offer, ssl2HelloBytes } from '../wire/tls/craft-hello.ts'
import { opensslName, spoken } from '../wire/tls/tls-names.ts'
import type { Target } from './ask.ts'
import { Certificates, fingerprintOf } from './certificates.ts'
import { acceptance, type Chosen, drain, drainBoth, mapped } from './drain.ts'
import { FinishedHandshakes, isKeyTransport, type Whole } from './finished-handshakes.ts'
import {
  ALL_GROUPS,
  ALL_SIGNATURES,
  CLASSIC,
  CLASSIC_SUITES,
  type Classic,
  CURVES,
  codesOfSuites,
  groupCode,
  HelloQuestions,
  signatureCode,
  suiteCode,
  TLS13_SUITES,
} from './hello-questions.ts'
import { type Answered, QuestionQueue } from './question-queue.ts'
import { optionsByHello } from './yes-or-no.ts'

/** What was seen of one server, and how. */
export interface Scan {
  offer: TlsOffer
  /** By the names in `seen`. */
  conversations: ReadonlyMap<string, Conversation>
}

export interface ScanOptions {
  /** The name that the certificate should have; without it no hello names a server. */
  serverName?: string
  /** PEM; the roots of Node without it. */
  trust?: readonly string[]
  /** Asks also when session tickets come, with a connection more. */
  tickets?: true
  onProgress?: (connections: number) => void
}

type Found = Omit<TlsOffer, 'address' | 'service' | 'serverName' | 'connections' | 'milliseconds'>

const NOTHING: Choices<never> = { all: [] }
const NOTHING_AT_ALL: Found = {
  versions: [],
  groups: { tls13: NOTHING, tls12: NOTHING },
  signatures: NOTHING,
  certificates: [],
  byName: {},
  options: {},
}

/** Asks a server for everything that it accepts, with few connections. Never throws for what the server does. */
export async function enumerate(target: Target, options: ScanOptions = {}): Promise<Scan> {
  const began = performance.now()
  const questions = new QuestionQueue(target)
  questions.onProgress = options.onProgress
  const { serverName } = options
  const found = await new Enumeration(questions, target, options).run()
  const { brokenOff } = questions
  const offer: TlsOffer = {
    address: addressOf(target),
    service: target.service,
    ...(serverName === undefined ? {} : { serverName }),
    ...found,
    ...(brokenOff === undefined || found.unreachable ? {} : { brokenOff }),
    connections: questions.connections,
    milliseconds: Math.round(performance.now() - began),
  }
  return { offer, conversations: questions.conversations }
}

class Enumeration {
  readonly #questions: QuestionQueue
  readonly #target: Target
  readonly #options: ScanOptions
  readonly #certificates = new Certificates()
  readonly #hellos: HelloQuestions
  /** The first answer of each version. */
  readonly #first = new Map<TlsVersion, Answered>()
  #best: TlsOffer['best']

  constructor(questions: QuestionQueue, target: Target, options: ScanOptions) {
    this.#questions = questions
    this.#target = target
    this.#options = options
    this.#hellos = new HelloQuestions(questions, this.#certificates, options.serverName)
  }

  async run(): Promise<Found> {
    const unreachable = await this.#contact()
    if (unreachable !== undefined) return { ...NOTHING_AT_ALL, unreachable }
    const [[tls13, groups13], ssl2, ...classic] = await Promise.all([
      this.#tls13(),
      this.#ssl2(),
      ...CLASSIC.map(version => this.#classic(version)),
    ])
    const versions = [tls13, ...classic, ssl2]
    const best = classic.find(({ known }) => known === 'yes')
    const about = { versions, first: this.#first, serverName: this.#options.serverName }
    const finished = new FinishedHandshakes(this.#questions, this.#target, this.#certificates, {
      ...(this.#options.serverName === undefined ? {} : { servername: this.#options.serverName }),
      ...(this.#options.trust ? { trust: this.#options.trust } : {}),
    })
    const [[groups12, signatures], { options, byName }, { unfinished, ...whole }] = await Promise.all([
      best ? this.#keyExchange(best) : [NOTHING, NOTHING],
      optionsByHello(this.#hellos, about),
      finished.all(versions, this.#options),
    ])
    return {
      versions: unfinished ? versions.map(one => withoutKeyTransport(one, unfinished)) : versions,
      ...(this.#best ? { best: this.#best } : {}),
      groups: { tls13: groups13, tls12: groups12 },
      signatures,
      certificates: this.#certificates.all,
      byName,
      options: { ...options, ...whole.options },
    }
  }

  /** The first questions, one after another: why no others have a point, or nothing. */
  async #contact(): Promise<string | undefined> {
    const both = await this.#hellos.both()
    if (both.kind === 'chosen') this.#best = { version: both.hello.version, seen: both.seen }
    const answers: Answered[] = []
    for (const version of ['TLSv1.3', 'TLSv1.2'] as const) {
      const known = version === 'TLSv1.3' && this.#best?.version === version ? both : undefined
      const answer = known ?? (await this.#hellos.ask(version, spoken(version)))
      this.#first.set(version, answer)
      answers.push(answer)
    }
    const last = answers.at(-1)!
    if (answers.every(({ kind }) => kind === 'unknown')) return last.kind === 'unknown' ? last.why : ''
    if (answers.every(({ kind }) => kind === 'closed'))
      return 'the server closes the connection instead of a TLS handshake'
    return undefined
  }

  async #tls13(): Promise<[VersionOffer, groups: Choices<string>]> {
    const first = this.#first.get('TLSv1.3')!
    const finding = acceptance(first, 'TLSv1.3')
    if (finding.known !== 'yes') return [{ version: 'TLSv1.3', ...finding, suites: NOTHING }, NOTHING]
    const [suites, groups] = await this.#suitesAndGroups(first)
    return [
      await this.#ordered({ version: 'TLSv1.3', ...finding, suites: mapped(suites, suiteOffer) }),
      groups,
    ]
  }

  async #classic(version: Classic): Promise<VersionOffer> {
    const words = spoken(version)
    const first = this.#first.get(version) ?? (await this.#hellos.ask(version, words))
    this.#first.set(version, first)
    const finding = acceptance(first, version)
    if (finding.known !== 'yes') return { version, ...finding, suites: NOTHING }
    const ask = (suites: readonly number[], question: number) =>
      question === 1 ? first : this.#hellos.ask(version, `${words}, suites, question ${question}`, { suites })
    const taken = await drain(CLASSIC_SUITES, version, ask, ({ hello }) => suiteCode.get(hello.suite))
    return this.#ordered({ version, ...finding, suites: mapped(taken, suiteOffer) })
  }

  /** With the question whose order decides: the last suite first. A server with an order of its own chooses as before. */
  async #ordered(offer: VersionOffer): Promise<VersionOffer> {
    const { version, suites } = offer
    // The configuration of an older version is hardly ever another one.
    const newest = CLASSIC.find(one => this.#first.get(one)?.kind === 'chosen') ?? version
    if (suites.all.length < 2 || (version !== 'TLSv1.3' && version !== newest)) return offer
    const turned = await this.#hellos.ask(version, `${spoken(version)}, order`, {
      suites: codesOfSuites(suites.all).toReversed(),
    })
    if (turned.kind !== 'chosen') return offer
    const preference = turned.hello.suite === suites.all[0]!.name ? 'server' : 'client'
    return { ...offer, preference, turned: { suite: turned.hello.suite, seen: turned.seen } }
  }

  async #ssl2(): Promise<VersionOffer> {
    const answer = await this.#questions.bytes(spoken('SSLv2'), ssl2HelloBytes())
    return { version: 'SSLv2', ...acceptance(answer, 'SSLv2'), suites: NOTHING }
  }

  /** For TLS 1.3: suites and groups at once. */
  async #suitesAndGroups(first: Answered): Promise<[suites: Choices<Chosen>, groups: Choices<string>]> {
    const words = spoken('TLSv1.3')
    const ask = ([suites, groups]: readonly [readonly number[], readonly number[]], question: number) =>
      question === 1
        ? first
        : this.#hellos.ask('TLSv1.3', `${words}, suites and groups, question ${question}`, { suites, groups })
    const [suites, groups] = await drainBoth(
      'TLSv1.3',
      [
        { offered: TLS13_SUITES, chosenIn: ({ hello }) => suiteCode.get(hello.suite) },
        { offered: ALL_GROUPS, chosenIn: ({ hello }) => groupCode.get(hello.group ?? '') },
      ],
      ask,
    )
    return [suites, mapped(groups, ({ hello }) => hello.group!)]
  }

  /** Of the ephemeral key exchange below TLS 1.3: curves, and where the version names them, signatures. */
  async #keyExchange({
    version,
    suites,
  }: VersionOffer): Promise<[curves: Choices<string>, signatures: Choices<string>]> {
    const words = spoken(version)
    const curveOf = ({ keyExchange }: Chosen) => keyExchange?.group ?? ''
    const signatureOf = ({ keyExchange }: Chosen) => keyExchange?.signature ?? ''
    const signed = suites.all.filter(({ signature }) => signature !== undefined)
    const curved = suites.all.filter(({ group, name }) => group !== undefined && !name.includes('_anon_'))
    const rsa = curved.filter(({ name }) => !name.includes('_ECDSA_'))
    const curves = { offered: CURVES, chosenIn: (answer: Chosen) => groupCode.get(curveOf(answer)) }
    const signatures = {
      offered: ALL_SIGNATURES,
      chosenIn: (answer: Chosen) => signatureCode.get(signatureOf(answer)),
    }
    const askWith =
      (used: readonly SuiteOffer[], about: string) => (more: Partial<Offer>, question: number) =>
        this.#hellos.ask(version, `${words}, ${about}, question ${question}`, {
          suites: codesOfSuites(used),
          ...more,
        })
    // A certificate of a curve needs its own curve to be offered, and then the groups decide about the signature.
    if (rsa.length === curved.length && rsa.length > 0 && signed.length > 0) {
      const ask = askWith(rsa, 'curves and signatures')
      const [some, others] = await drainBoth(
        version,
        [curves, signatures],
        ([groups, signatureAlgorithms], question) => ask({ groups, signatureAlgorithms }, question),
      )
      return [mapped(some, curveOf), mapped(others, signatureOf)]
    }
    const used = rsa.length > 0 ? rsa : curved
    const [askCurves, askSignatures] = [askWith(used, 'curves'), askWith(signed, 'signatures')]
    const [some, others] = await Promise.all([
      used.length === 0
        ? NOTHING
        : drain(CURVES, version, (groups, question) => askCurves({ groups }, question), curves.chosenIn),
      signed.length === 0
        ? NOTHING
        : drain(
            ALL_SIGNATURES,
            version,
            (signatureAlgorithms, question) => askSignatures({ signatureAlgorithms }, question),
            signatures.chosenIn,
          ),
    ])
    const bound = rsa.length === 0 && used.length > 0 && !some.incomplete
    return [
      {
        ...mapped(some, curveOf),
        ...(bound ? { incomplete: "a client has to offer the curve of the server's certificate too" } : {}),
      },
      mapped(others, signatureOf),
    ]
  }
}

function withoutKeyTransport(one: VersionOffer, unfinished: NonNullable<Whole['unfinished']>): VersionOffer {
  const { all, ...rest } = one.suites
  const suites = all.filter(({ name }) => isKeyTransport(name)).map(({ openssl }) => openssl)
  if (suites.length === 0) return one
  return {
    ...one,
    suites: { ...rest, all: all.filter(({ name }) => !isKeyTransport(name)) },
    unfinished: { suites, ...unfinished },
  }
}

function suiteOffer({ hello, keyExchange, certificates, seen }: Chosen): SuiteOffer {
  const { suite } = hello
  const [own] = certificates
  return {
    name: suite,
    openssl: opensslName(suite),
    forwardSecrecy: !suite.includes('_WITH_') || /_(EC)?DHE_|_(EC)?DH_anon_/i.test(suite),
    ...keyExchange,
    ...(own ? { certificate: fingerprintOf(own) } : {}),
    seen,
  }
}
