import { setTimeout as pause } from 'node:timers/promises'
import type { CertificateOffer, Finding, Option, TlsVersion, VersionOffer } from '../evidence/offer.ts'
import { MAX_WAIT } from '../wire/patience.ts'
import type { ClientTls } from '../wire/smtp/smtp.ts'
import { type SmtpClient, WireError } from '../wire/smtp/smtp.ts'
import { maxEarlyData } from '../wire/tls/session-ticket.ts'
import { opensslName, spoken } from '../wire/tls/tls-names.ts'
import type { Target, Unknown } from './ask.ts'
import type { Certificates } from './certificates.ts'
import { sendsTicketEarly } from './early-ticket.ts'
import type { QuestionQueue } from './question-queue.ts'

/** What one finished handshake showed. */
interface Done {
  kind: 'done'
  session: Buffer | undefined
  resumed: boolean
}

/** What is done at the end of a session, on a connection that nothing else needs. */
type Last = (client: SmtpClient, seen: string) => Promise<void>

type Options = Partial<Record<Option, Finding>>

/** What whole handshakes show. */
export interface Whole {
  options: Options
  /** Set where the server chooses suites with key exchange by RSA, and no handshake with them succeeds. */
  unfinished?: { said: string; seen: string }
}

/** Key exchange by RSA alone: RFC 5246 s7.4.7.1. */
export const isKeyTransport = (name: string): boolean => name.startsWith('TLS_RSA_WITH_')
type Outcome = Done | Unknown

/** Questions that take a whole handshake, which the TLS library does. */
export class FinishedHandshakes {
  readonly #questions: QuestionQueue
  readonly #target: Target
  readonly #certificates: Certificates
  readonly #tls: Pick<ClientTls, 'servername' | 'trust'>

  constructor(
    questions: QuestionQueue,
    target: Target,
    certificates: Certificates,
    tls: Pick<ClientTls, 'servername' | 'trust'>,
  ) {
    this.#questions = questions
    this.#target = target
    this.#certificates = certificates
    this.#tls = tls
  }

  /** Certificates that no classic handshake has shown yet are looked at too, with their chains. */
  async all(versions: readonly VersionOffer[], { tickets }: { tickets?: true } = {}): Promise<Whole> {
    const tls13 = versions.find(({ version, known }) => version === 'TLSv1.3' && known === 'yes')
    const classic = versions.find(
      ({ version, known }) => version.startsWith('TLSv1') && version !== 'TLSv1.3' && known === 'yes',
    )
    const [one, other] = await Promise.all([
      tls13 ? this.#tls13(tickets === true) : {},
      classic ? this.#classic(classic) : { options: {} },
      ...(classic ? this.#others(classic) : []),
    ])
    return { ...other, options: { ...one, ...other.options } }
  }

  async #tls13(asksWhen: boolean): Promise<Options> {
    const only: ClientTls = { minVersion: 'TLSv1.3' }
    const first = await this.#handshake('TLS 1.3, whole handshake', only)
    if (first.kind !== 'done') return {}
    if (!first.session) {
      const none: Finding = { known: 'no', said: 'no ticket was given', seen: 'TLS 1.3, whole handshake' }
      return {
        'resumption in TLS 1.3': none,
        'early data': none,
        ...(asksWhen ? { 'early ticket': none } : {}),
      }
    }
    const early = asksWhen ? this.#earlyTicket(only) : undefined
    const data = maxEarlyData(first.session)
    const about = 'TLS 1.3, resumption by ticket'
    const again = await this.#handshake(about, { ...only, session: first.session })
    return {
      'resumption in TLS 1.3': resumption(again, about),
      'early data': {
        known: data === undefined ? 'unknown' : data === 0 ? 'no' : 'yes',
        ...(data ? { said: `${data} bytes` } : {}),
        seen: 'TLS 1.3, whole handshake',
      },
      ...(early ? { 'early ticket': await early } : {}),
    }
  }

  async #earlyTicket(tls: ClientTls): Promise<Finding> {
    const seen = "TLS 1.3, without the client's Finished"
    const answer = await this.#questions.session(seen, async (client, recorder) => ({
      kind: 'answer' as const,
      early: await sendsTicketEarly(client, recorder, { ...this.#tls, ...tls }),
    }))
    return answer.kind === 'unknown'
      ? { known: 'unknown', said: answer.why, seen }
      : { known: answer.early ? 'yes' : 'no', seen }
  }

  async #classic({ version, suites }: VersionOffer): Promise<Whole> {
    const words = spoken(version)
    const tls = { ...limitedTo(version), ciphers: listOf(suites.all) }
    let renegotiation: Finding | undefined
    let unfinished: Whole['unfinished']
    const begun = (way: 'ticket' | 'id', more: ClientTls, last?: Last): Promise<Outcome> =>
      this.#handshake(`${words}, whole handshake before resumption by ${way}`, { ...tls, ...more }, last)
    const resumed = async (way: 'ticket' | 'id', first: Outcome, more: ClientTls): Promise<Finding> => {
      const about = `${words}, resumption by ${way}`
      if (first.kind !== 'done' || !first.session) return resumption(first, about)
      return resumption(await this.#handshake(about, { ...tls, ...more, session: first.session }), about)
    }
    const byTicket = async () => {
      const first = await begun('ticket', {}, async (client, seen) => {
        renegotiation = await renegotiates(client, seen)
      })
      return resumed('ticket', first, {})
    }
    // A server uses its key for key exchange by RSA only after the answer, and one that keeps the key elsewhere may fail.
    const byId = async () => {
      const id: ClientTls = { withoutTickets: true }
      const rsa = suites.all.filter(({ name }) => isKeyTransport(name) && name.includes('_AES_'))
      if (rsa.length > 0) {
        const seen = `${words}, whole handshake with key exchange by RSA`
        const only = { ...id, ciphers: listOf(rsa) }
        const first = await this.#handshake(seen, { ...tls, ...only })
        if (first.kind === 'done') return resumed('id', first, only)
        if (first.why.startsWith('handshake failure')) unfinished = { said: first.why, seen }
      }
      const others = suites.all.filter(({ name }) => !unfinished || !isKeyTransport(name))
      return resumed('id', await begun('id', { ...id, ciphers: listOf(others) }), id)
    }
    const [ticket, sessionId] = await Promise.all([byTicket(), byId()])
    return {
      options: {
        'resumption by ticket': ticket,
        'resumption by id': sessionId,
        ...(renegotiation ? { 'client-initiated renegotiation': renegotiation } : {}),
      },
      ...(unfinished ? { unfinished } : {}),
    }
  }

  /** One handshake for each further certificate, with a suite that shows it: it tells what the chain is worth. */
  #others({ version, suites }: VersionOffer): Promise<Options>[] {
    const first = suites.all.find(({ certificate }) => certificate)?.certificate
    return this.#certificates.all.flatMap(({ fingerprint }: CertificateOffer, i) => {
      const showing = suites.all.filter(({ certificate }) => certificate === fingerprint)
      if (fingerprint === first || showing.length === 0) return []
      const tls = { ...limitedTo(version), ciphers: listOf(showing) }
      return this.#handshake(`${spoken(version)}, whole handshake for certificate ${i + 1}`, tls).then(
        () => ({}),
      )
    })
  }

  #handshake(about: string, tls: ClientTls, last?: Last): Promise<Outcome> {
    return this.#questions.session(about, async (client, recorder): Promise<Outcome> => {
      try {
        await client.startTls({ ...this.#tls, ...tls })
      } catch (error) {
        if (error instanceof WireError) throw error
        // The library cannot do what was asked for, such as a suite that it does not know.
        return { kind: 'unknown', why: (error as Error).message }
      }
      const { certificate } = recorder
      if (certificate && !client.resumed)
        this.#certificates.checked(
          certificate,
          recorder.handshake.serverCertificate?.chainLength ?? 1,
          client.chainError,
        )
      if (tls.minVersion === 'TLSv1.3' && !tls.session) await this.#ticket(client)
      const { session, resumed } = client
      await last?.(client, about)
      return { kind: 'done', session, resumed }
    })
  }

  /** A ticket of TLS 1.3 comes behind the handshake, and before the reply to the next command. */
  async #ticket(client: SmtpClient): Promise<void> {
    const { service, helo } = this.#target
    if (client.session) return
    if (service === 'tls') await pause(0.02 * MAX_WAIT)
    else await client.command(`${service === 'lmtp' ? 'LHLO' : 'EHLO'} ${helo}`)
  }
}

async function renegotiates(client: SmtpClient, seen: string): Promise<Finding> {
  try {
    return { known: (await client.renegotiates()) ? 'yes' : 'no', seen }
  } catch (error) {
    if (!(error instanceof WireError)) throw error
    return { known: 'unknown', said: error.message, seen }
  }
}

const resumption = (outcome: Outcome, seen: string): Finding => {
  if (outcome.kind === 'unknown') return { known: 'unknown', said: outcome.why, seen }
  if (outcome.resumed) return { known: 'yes', seen }
  return { known: 'no', ...(outcome.session ? {} : { said: 'no session was given' }), seen }
}

const limitedTo = (version: TlsVersion): ClientTls => ({
  minVersion: version as 'TLSv1.2',
  maxVersion: version as 'TLSv1.2',
})

/** Suites that the library does not know are passed over by it. */
const listOf = (suites: readonly { name: string }[]): string =>
  `${suites.map(({ name }) => opensslName(name)).join(':')}:@SECLEVEL=0`
