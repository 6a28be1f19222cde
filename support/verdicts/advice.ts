import type { Profile } from '../catalogue/catalogue.ts'
import { type Grade, TLS_PROFILES } from '../catalogue/tls-profiles.ts'
import type { CertificateOffer, Option, TlsOffer } from '../evidence/offer.ts'
import { isNamed } from '../evidence/offer-differences.ts'
import { counted, day, daysUntil } from '../quantities.ts'
import { familyOf, type Row } from './grades.ts'

/** One thing to do, for the rows that it puts right. */
export interface Advice {
  /** A sentence that begins with a verb. */
  text: string
  rows: readonly Row[]
  wrongIn: readonly Profile[]
  weakIn: readonly Profile[]
}

const SWITCH: Partial<Record<Option, string>> = {
  'secure renegotiation': 'Support secure renegotiation (RFC 5746)',
  'extended master secret': 'Support the extended master secret (RFC 7627)',
  'unknown server name': 'Serve clients that name an unknown server',
  'odd server name': 'Serve clients that name a server with capitals, a long label or an A-label',
  'no server name': 'Serve clients that name no server',
  'old record version': 'Serve hellos in records of an old version',
}

function adviceFor({ subject, what, suite, option }: Row): string {
  if (subject === 'missing') return `Switch on ${what.slice('no '.length)}`
  if (subject === 'suite') {
    if (suite!.dhBits !== undefined && suite!.dhBits < 2048 && !/NULL|_anon_|EXPORT/.test(suite!.name))
      return 'Use a Diffie-Hellman group of at least 2048 bits'
    return `Switch off suites ${familyOf(suite!.name)}`
  }
  if (subject === 'group') return `Switch off the group ${what}`
  if (subject === 'signature')
    return `Switch off signatures with ${/md5|sha\d+/.exec(what)?.[0].toUpperCase() ?? what}`
  if (subject === 'key') return 'Get a certificate with a stronger key and signature'
  return (option && SWITCH[option]) ?? `Switch off ${what}`
}

/** What to do, the most important first: what `chosen` profiles forbid, then what many others forbid, then what is weak. */
export function advice(rows: readonly Row[], chosen: readonly Profile[]): Advice[] {
  const having = (of: readonly Row[], grade: Grade) =>
    TLS_PROFILES.map(({ profile }) => profile).filter(profile =>
      of.some(({ grades }) => grades[profile] === grade),
    )
  const bad = rows.filter(({ grades }) => Object.values(grades).some(grade => grade !== 'good'))
  const all = [...Map.groupBy(bad, adviceFor)].map(([text, of]): Advice => {
    const wrongIn = having(of, 'wrong')
    return {
      text,
      rows: of,
      wrongIn,
      weakIn: having(of, 'weak').filter(profile => !wrongIn.includes(profile)),
    }
  })
  const weight = ({ wrongIn, weakIn }: Advice): number =>
    wrongIn.filter(profile => chosen.includes(profile)).length * 1_000 +
    weakIn.filter(profile => chosen.includes(profile)).length * 100 +
    wrongIn.length * 10 +
    weakIn.length
  return all.toSorted((a, b) => weight(b) - weight(a))
}

/** From this many days before a certificate ends, somebody has to renew it. */
const SOON = 30

/** `from 2026-10-31 to 2026-12-30, 29 days left`; `now` in ms. */
export function validityOf({ notBefore, notAfter }: CertificateOffer, now: number): string {
  const dates = `from ${day(notBefore)} to ${day(notAfter)}`
  const left = daysUntil(notAfter, now)
  return left < 0 || Date.parse(notBefore) > now ? dates : `${dates}, ${counted(left, 'day')} left`
}

/** What is wrong with the certificates whatever the profile, each as a sentence that begins with a verb. */
export function certificateAdvice({ certificates, serverName }: TlsOffer, now: number): string[] {
  const all = certificates.flatMap(certificate => {
    const { notBefore, notAfter, names, chain, subject } = certificate
    const which =
      certificates.length > 1 ? `the certificate ${subject} (${certificate.key.type})` : 'the certificate'
    const left = daysUntil(notAfter, now)
    return [
      left < 0 ? `Renew ${which}: it ended on ${day(notAfter)}` : '',
      left >= 0 && left < SOON ? `Renew ${which}: it ends on ${day(notAfter)}` : '',
      Date.parse(notBefore) > now
        ? `Use another certificate until ${day(notBefore)}: ${which} is not valid before`
        : '',
      serverName !== undefined && !isNamed(names, serverName)
        ? `Get a certificate for ${serverName}: ${which} is for ${names.join(', ') || 'no name'}`
        : '',
      chain !== undefined && !['good', 'CERT_HAS_EXPIRED', 'CERT_NOT_YET_VALID'].includes(chain)
        ? `Show a chain that leads to a trusted root with ${which}: ${chain}`
        : '',
    ]
  })
  return all.filter(text => text !== '')
}
