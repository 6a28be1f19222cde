import pc from 'picocolors'
import stringWidth from 'string-width'
import type { Profile } from '../catalogue/catalogue.ts'
import { type Grade, TLS_PROFILES } from '../catalogue/tls-profiles.ts'
import type { TlsOffer, VersionOffer } from '../evidence/offer.ts'
import { type Difference, isNamed } from '../evidence/offer-differences.ts'
import { counted, duration } from '../quantities.ts'
import { visibleLine } from '../report/visible.ts'
import { type Advice, certificateAdvice, validityOf } from '../verdicts/advice.ts'
import { familyOf, keyInWords, type Row } from '../verdicts/grades.ts'
import { spoken } from '../wire/tls/tls-names.ts'
import { COLUMNS, fitted, wrapped } from './columns.ts'
import type { Look, Paint } from './terminal.ts'

/** Of a grade. */
const CELL = 5
const LABEL = COLUMNS - CELL * TLS_PROFILES.length
const MARKS: Record<Grade, string> = { good: 'ok', weak: '~', wrong: '✗' }
const SILENT = '·'
const LEGEND = '✗ must not   ~ should not, or to be phased out   ok allowed   · not said'

/** What was found at one address, and what it is worth. */
export interface Probed {
  /** As it was asked for. */
  host: string
  offer: TlsOffer
  rows: readonly Row[]
  advice: readonly Advice[]
}

interface About {
  differences: readonly Difference[]
  profiles: readonly Profile[]
  look: Look
}

/** What was found at one address, for a person, in lines of at most 80 columns. */
export function serverText(one: Probed, { profiles, look }: Omit<About, 'differences'>): string {
  return serverLines(one, profiles, pc.createColors(look.colour)).join('\n')
}

/** The texts of all servers, below their differences. */
export function probeText(servers: readonly string[], { differences, profiles, look }: About): string {
  const paint = pc.createColors(look.colour)
  const lines = [
    ...(servers.length > 1 ? differenceLines(differences, servers.length, paint) : []),
    ...servers.flatMap(text => [text, '']),
    ...legendLines(profiles, paint),
  ]
  return `${lines.join('\n')}\n`
}

function differenceLines(differences: readonly Difference[], servers: number, paint: Paint): string[] {
  if (differences.length === 0) return [`${counted(servers, 'server')} with the same TLS`, '']
  return [
    paint.bold('Differences between the servers'),
    ...differences.flatMap(({ about, by }) => [
      `  ${about}`,
      ...[...Map.groupBy(Object.entries(by), ([, value]) => value)].map(
        ([value, having]) =>
          `    ${wrapped(`${visibleLine(value)}: ${having.map(([address]) => address).join(', ')}`, COLUMNS, 6)}`,
      ),
    ]),
    '',
  ]
}

function legendLines(profiles: readonly Profile[], paint: Paint): string[] {
  return [
    LEGEND,
    ...TLS_PROFILES.map(({ short, profile, source }) => {
      const chosen = profiles.includes(profile) ? paint.bold(short.padEnd(CELL)) : short.padEnd(CELL)
      return `${chosen} ${wrapped(`${source} (--profile ${profile})`, COLUMNS, CELL + 1)}`
    }),
  ]
}

function serverLines(
  { host, offer, rows, advice }: Probed,
  profiles: readonly Profile[],
  paint: Paint,
): string[] {
  const { address, unreachable, brokenOff, connections, milliseconds } = offer
  const head = [
    paint.bold(fitted(host === address.replace(/:\d+$/, '') ? address : `${host} at ${address}`, COLUMNS)),
    paint.dim(`${wordsFor(offer)}, ${counted(connections, 'connection')}, ${duration(milliseconds)}`),
  ]
  if (unreachable !== undefined)
    return [...head, wrapped(`Nothing is known of its TLS: ${visibleLine(unreachable)}`, COLUMNS)]
  return [
    ...head,
    ...(brokenOff === undefined
      ? []
      : [wrapped(`Not everything could be asked: ${visibleLine(brokenOff)}`, COLUMNS)]),
    '',
    ...adviceLines({ offer, advice }, profiles, paint),
    ...versionLines(offer, rows, paint),
    ...offer.versions.flatMap(version => suiteLines(version, rows, paint)),
    ...groupLines(offer, rows, paint),
    ...certificateLines(offer, rows, paint),
    ...optionLines(offer, rows, paint),
  ]
}

const wordsFor = ({ service, serverName }: TlsOffer): string => {
  const words = { smtp: 'SMTP with STARTTLS', lmtp: 'LMTP with STARTTLS', tls: 'TLS from the beginning' }[
    service
  ]
  return serverName === undefined ? `${words}, no server name` : `${words}, server name ${serverName}`
}

const shortOf = (profiles: readonly Profile[]): string =>
  TLS_PROFILES.filter(({ profile }) => profiles.includes(profile))
    .map(({ short }) => short)
    .join(' ')

/** First what the chosen profiles ask for; below it what others do. */
function adviceLines(
  { offer, advice }: Pick<Probed, 'offer' | 'advice'>,
  profiles: readonly Profile[],
  paint: Paint,
): string[] {
  const certificates = certificateAdvice(offer, Date.now())
  const [first, others] = [
    advice.filter(one => concerns(one, profiles)),
    advice.filter(one => !concerns(one, profiles)),
  ]
  const numbered = [...certificates, ...first.map(one => adviceText(one, profiles, paint))]
  return [
    ...(numbered.length > 0
      ? [
          paint.bold('What to change first'),
          ...numbered.map((text, i) => `${`${i + 1}.`.padStart(4)} ${wrapped(text, COLUMNS, 5)}`),
        ]
      : [paint.bold('The profiles that were asked for want nothing changed.')]),
    '',
    ...(others.length > 0
      ? [
          'Other profiles ask for more',
          ...others.map(one => `   - ${wrapped(adviceText(one, profiles, paint), COLUMNS, 5)}`),
          '',
        ]
      : []),
  ]
}

const concerns = ({ wrongIn, weakIn }: Advice, profiles: readonly Profile[]): boolean =>
  [...wrongIn, ...weakIn].some(profile => profiles.includes(profile))

function adviceText(
  { text, wrongIn, weakIn, rows }: Advice,
  profiles: readonly Profile[],
  paint: Paint,
): string {
  const said = [
    wrongIn.length > 0 ? `must, by ${shortOf(wrongIn)}` : undefined,
    weakIn.length > 0 ? `should, by ${shortOf(weakIn)}` : undefined,
  ].filter(Boolean)
  const broken = rows.flatMap(({ grades, requirements }) =>
    profiles.flatMap(one => (grades[one] === 'wrong' ? (requirements[one] ?? []) : [])),
  )
  const why = broken.length > 0 ? ` (${[...new Set(broken)].join(', ')})` : ''
  const line = `${visibleLine(text)}: ${said.join('; ')}${why}`
  return broken.length > 0 ? paint.red(line) : line
}

const heading = (text: string, paint: Paint): string => {
  const columns = TLS_PROFILES.map(({ short }) => short.padStart(CELL)).join('')
  return `${paint.bold(fitted(text, LABEL).padEnd(LABEL))}${paint.dim(columns)}`
}

function gradeLine(label: string, grades: Row['grades'] | undefined, paint: Paint): string {
  const cells = TLS_PROFILES.map(({ profile }) => {
    const grade = grades?.[profile]
    const text = (grade ? MARKS[grade] : SILENT).padStart(CELL)
    return grade === 'wrong'
      ? paint.red(text)
      : grade === 'weak'
        ? paint.yellow(text)
        : grade
          ? paint.green(text)
          : paint.dim(text)
  })
  const shown = fitted(label, LABEL - 1)
  return `${shown}${' '.repeat(LABEL - stringWidth(shown))}${cells.join('')}`
}

function versionLines({ versions }: TlsOffer, rows: readonly Row[], paint: Paint): string[] {
  return [
    heading('Versions', paint),
    ...versions.map(({ version, known, said }) => {
      const words = spoken(version)
      const row = rows.find(({ what, subject }) =>
        known === 'yes'
          ? subject === 'version' && what === words
          : subject === 'missing' && what === `no ${words}`,
      )
      const label = { yes: 'accepted', no: 'refused', unknown: 'unknown' }[known]
      const relevant = known === 'yes' || Object.keys(row?.grades ?? {}).length > 0
      const text = `  ${words}  ${label}${said ? ` (${visibleLine(said)})` : ''}`
      return relevant ? gradeLine(text, row?.grades, paint) : fitted(text, COLUMNS)
    }),
    '',
  ]
}

function suiteLines(
  { version, suites, preference, unfinished }: VersionOffer,
  rows: readonly Row[],
  paint: Paint,
): string[] {
  if (suites.all.length === 0) return []
  const order =
    preference === 'server' ? ", the server's order" : preference === 'client' ? ", the client's order" : ''
  const ours = rows.filter(row => row.subject === 'suite' && row.version === version)
  const alike = Map.groupBy(ours, ({ suite, grades }) => JSON.stringify([familyOf(suite!.name), grades]))
  return [
    heading(`Suites of ${spoken(version)}${order}`, paint),
    ...[...alike.values()].flatMap(of => {
      const family = familyOf(of[0]!.suite!.name)
      const names = of.map(
        ({ suite }) => `${suite!.openssl}${suite!.dhBits === undefined ? '' : ` (${suite!.dhBits} bits)`}`,
      )
      return [
        gradeLine(`  ${family}, ${of.length}`, of[0]!.grades, paint),
        paint.dim(`      ${wrapped(names.join(', '), COLUMNS, 6)}`),
      ]
    }),
    ...incomplete(suites.incomplete),
    ...(unfinished
      ? [
          `  ${wrapped(`chosen, although no handshake with them succeeds: ${unfinished.suites.join(', ')}`, COLUMNS, 4)}`,
        ]
      : []),
    '',
  ]
}

const incomplete = (why: string | undefined): string[] =>
  why === undefined ? [] : [`  ${wrapped(`there may be more: ${visibleLine(why)}`, COLUMNS, 2)}`]

function groupLines({ groups, signatures }: TlsOffer, rows: readonly Row[], paint: Paint): string[] {
  const of = (name: string, subject: Row['subject']) =>
    rows.find(row => row.what === name && row.subject === subject)?.grades
  const where = (name: string) =>
    [groups.tls13.all.includes(name) ? 'TLS 1.3' : '', groups.tls12.all.includes(name) ? 'below' : '']
      .filter(Boolean)
      .join(' and ')
  const names = [...new Set([...groups.tls13.all, ...groups.tls12.all])]
  return [
    ...(names.length > 0
      ? [
          heading("Groups, the server's order", paint),
          ...names.map(name => gradeLine(`  ${name}, ${where(name)}`, of(name, 'group'), paint)),
          ...incomplete(groups.tls13.incomplete ?? groups.tls12.incomplete),
          '',
        ]
      : []),
    ...(signatures.all.length > 0
      ? [
          heading('Signatures of TLS 1.2', paint),
          ...signatures.all.map(name => gradeLine(`  ${name}`, of(name, 'signature'), paint)),
          ...incomplete(signatures.incomplete),
          '',
        ]
      : []),
  ]
}

function certificateLines(
  { certificates, serverName, byName }: TlsOffer,
  rows: readonly Row[],
  paint: Paint,
): string[] {
  return certificates.flatMap(certificate => {
    const { subject, issuer, names, key, signature, chain, chainLength, fingerprint } = certificate
    const shown = Object.entries(byName)
      .filter(([, one]) => one === fingerprint)
      .map(([name]) => (name === '' ? 'no name' : name))
    const of = (what: string) => rows.find(row => row.subject === 'key' && row.what === what)?.grades
    const plain = (text: string) => `  ${wrapped(text, COLUMNS, 4)}`
    return [
      heading(`Certificate ${subject || 'without subject'}`, paint),
      plain(
        `names ${names.join(', ') || 'none'}${serverName === undefined || isNamed(names, serverName) ? '' : `; not ${serverName}`}`,
      ),
      plain(`issued by ${issuer}`),
      plain(`valid ${validityOf(certificate, Date.now())}`),
      plain(
        `chain: ${chain === undefined ? 'not checked' : chain === 'good' ? 'leads to a trusted root' : chain}, ${counted(chainLength, 'certificate')} shown`,
      ),
      ...(shown.length > 0 ? [plain(`shown to clients that ask for ${shown.join(', ')}`)] : []),
      gradeLine(`  ${keyInWords(key)}`, of(keyInWords(key)), paint),
      gradeLine(`  signed with ${signature}`, of(`signed with ${signature}`), paint),
      '',
    ]
  })
}

function optionLines({ options }: TlsOffer, rows: readonly Row[], paint: Paint): string[] {
  return [
    heading('Options', paint),
    ...Object.entries(options).map(([name, { known, said }]) => {
      const grades = rows.find(({ option }) => option === name)?.grades
      return gradeLine(`  ${name}: ${known}${said ? ` (${visibleLine(said)})` : ''}`, grades, paint)
    }),
  ]
}
