import type { SuiteOffer, TlsVersion } from '../evidence/offer.ts'
import type { Offer } from '../wire/tls/craft-hello.ts'
import { groupName, signatureName } from '../wire/tls/tls-names.ts'
import { GROUPS, SIGNATURE_SCHEMES, SUITES } from '../wire/tls/tls-registry.ts'
import type { Certificates } from './certificates.ts'
import type { Answered, QuestionQueue } from './question-queue.ts'

const NUMBERS = { 'TLSv1.2': 0x0303, 'TLSv1.1': 0x0302, TLSv1: 0x0301, SSLv3: 0x0300 } as const
/** The versions whose handshake is not encrypted. */
export type Classic = keyof typeof NUMBERS
export const CLASSIC = Object.keys(NUMBERS) as Classic[]
const TLS13 = 0x0304

const codesOf = (matches: (name: string) => boolean): number[] =>
  SUITES.filter(([, name]) => matches(name)).map(([code]) => code)

export const TLS13_SUITES = codesOf(name => !name.includes('_WITH_') && !name.endsWith('_SCSV'))
/** No server chooses a suite with a key or a ticket that it shares with others. */
export const CLASSIC_SUITES = codesOf(
  name => name.includes('_WITH_') && !/PSK|KRB5|SRP|ECCPWD|NULL_WITH_NULL/.test(name),
)
export const suiteCode = new Map(SUITES.map(([code, name]) => [name, code]))
export const codesOfSuites = (suites: readonly SuiteOffer[]): number[] =>
  suites.map(({ name }) => suiteCode.get(name)!)
export const groupCode = new Map([...GROUPS.keys()].map(code => [groupName(code), code]))
export const signatureCode = new Map([...SIGNATURE_SCHEMES.keys()].map(code => [signatureName(code), code]))
export const ALL_GROUPS = [...GROUPS.keys()].filter(code => code < 0xff00)
/** Without finite fields: a server that knows those of RFC 7919 would no longer use one of its own. */
export const CURVES = ALL_GROUPS.filter(code => code < 0x0100)
export const ALL_SIGNATURES = [...SIGNATURE_SCHEMES.keys()]

/** Hellos that leave the server every choice; `more` takes some of it away. */
export class HelloQuestions {
  readonly #questions: QuestionQueue
  readonly #certificates: Certificates
  readonly #serverName: string | undefined

  constructor(questions: QuestionQueue, certificates: Certificates, serverName: string | undefined) {
    this.#questions = questions
    this.#certificates = certificates
    this.#serverName = serverName
  }

  ask(version: TlsVersion, about: string, more: Partial<Offer> = {}): Promise<Answered> {
    return version === 'TLSv1.3' ? this.#tls13(about, more) : this.#classic(version as Classic, about, more)
  }

  #name(): Pick<Offer, 'serverName'> {
    return this.#serverName === undefined ? {} : { serverName: this.#serverName }
  }

  /** A hello as present clients send it: the server chooses the version. */
  both(): Promise<Answered> {
    return this.#tls13('TLS 1.3 and TLS 1.2', {
      versions: [TLS13, NUMBERS['TLSv1.2']],
      suites: [...TLS13_SUITES, ...CLASSIC_SUITES],
      extendedMasterSecret: true,
      renegotiationInfo: true,
    })
  }

  #tls13(about: string, more: Partial<Offer>): Promise<Answered> {
    return this.#questions.hello(about, {
      version: 0x0303,
      versions: [TLS13],
      suites: TLS13_SUITES,
      groups: ALL_GROUPS,
      signatureAlgorithms: ALL_SIGNATURES,
      ...this.#name(),
      ...more,
    })
  }

  async #classic(version: Classic, about: string, more: Partial<Offer>): Promise<Answered> {
    const extensions: Partial<Offer> = {
      groups: CURVES,
      ...(version === 'TLSv1.2' ? { signatureAlgorithms: ALL_SIGNATURES } : {}),
      extendedMasterSecret: true,
      renegotiationInfo: true,
      ticket: Buffer.alloc(0),
      ...this.#name(),
    }
    const answer = await this.#questions.hello(about, {
      version: NUMBERS[version],
      suites: CLASSIC_SUITES,
      // A server of SSL 3 may not know extensions.
      ...(version === 'SSLv3' ? {} : extensions),
      ...more,
    })
    if (answer.kind === 'chosen') this.#certificates.take(answer.certificates)
    return answer
  }
}
