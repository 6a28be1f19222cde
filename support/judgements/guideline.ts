import { type Grade, type Subject, TLS_PROFILES, type TlsProfile } from '../catalogue/tls-profiles.ts'
import { hellosIn, versionsOffered } from '../evidence/client-hellos.ts'
import type { SuiteOffer, TlsOffer, TlsVersion } from '../evidence/offer.ts'
import { graded, nameOf } from '../verdicts/grades.ts'
import { broken, kept, type Observation, refused, unclear } from '../verdicts/observation.ts'
import type { ClientHello, Conversation } from '../wire/conversation.ts'
import { EXTENSION } from '../wire/tls/craft-hello.ts'
import { opensslName, spoken } from '../wire/tls/tls-names.ts'

// The guidelines of governments: what their tables say of everything that a gateway accepts or offers.

/** Requirements that a table decides. */
export type TableRequirement = 'NIST-01' | 'NIST-02' | 'BSI-02' | 'NCSC-01' | 'NCSC-02'

const guidelineOf = (requirement: TableRequirement): TlsProfile =>
  TLS_PROFILES.find(({ requirements }) => Object.values(requirements).includes(requirement))!

interface Graded {
  what: string
  grade: Grade | undefined
}

/** What is wrong, or what is weak at most, as one observation. `does`: what the gateway does with it. */
function concluded(
  rows: readonly Graded[],
  does: 'accepts' | 'offers',
  { source, short }: TlsProfile,
): Observation {
  const of = (grade: Grade) => [...new Set(rows.filter(row => row.grade === grade).map(({ what }) => what))]
  const [wrong, weak] = [of('wrong'), of('weak')]
  if (wrong.length > 0) return broken(`the gateway ${does} what ${short} forbids: ${some(wrong)} (${source})`)
  const also = weak.length > 0 ? `; to be phased out: ${some(weak)}` : ''
  const detail = `the gateway ${does} nothing that ${short} forbids (${source})${also}`
  return does === 'accepts' ? refused(detail) : kept(detail)
}

const MOST = 6
const some = (names: readonly string[]): string =>
  `${names.slice(0, MOST).join(', ')}${names.length > MOST ? ` and ${names.length - MOST} more` : ''}`

/** What the gateway accepts of a client keeps to the table, as far as this requirement is about it. */
export function staysWithin(offer: TlsOffer, requirement: TableRequirement): Observation {
  const guideline = guidelineOf(requirement)
  const { profile } = guideline
  if (offer.unreachable !== undefined)
    return unclear(`nothing is known of the gateway's TLS: ${offer.unreachable}`)
  const rows = graded(offer).filter(({ requirements }) => requirements[profile] === requirement)
  const seen = concluded(
    rows.map(row => ({ what: nameOf(row), grade: row.grades[profile] })),
    'accepts',
    guideline,
  )
  const why = whyMore(offer)
  return seen.kind === 'kept' && why !== undefined
    ? unclear(`not everything that the gateway accepts is known: ${why}`)
    : seen
}

/** Why the gateway may accept more than is known. */
function whyMore({ brokenOff, versions, groups, signatures }: TlsOffer): string | undefined {
  const choices = [...versions.map(({ suites }) => suites), groups.tls13, groups.tls12, signatures]
  const unknown = versions.find(({ known }) => known === 'unknown')
  return (
    brokenOff ??
    choices.find(({ incomplete }) => incomplete !== undefined)?.incomplete ??
    (unknown && (unknown.said ?? 'no answer'))
  )
}

/** What every ClientHello of the gateway offers keeps to the table, as far as this requirement is about it. */
export function offersWithin(
  conversations: readonly Conversation[],
  requirement: TableRequirement,
): Observation {
  const hellos = hellosIn(conversations)
  if (hellos.length === 0) return unclear('the lab saw no ClientHello')
  const guideline = guidelineOf(requirement)
  const rows = hellos
    .flatMap(hello => gradedHello(hello, guideline))
    .filter(({ subject }) => guideline.requirements[subject] === requirement)
  return concluded(rows, 'offers', guideline)
}

function gradedHello(hello: ClientHello, guideline: TlsProfile): (Graded & { subject: Subject })[] {
  const versions = versionsOffered(hello) as TlsVersion[]
  const newest = ['TLSv1.3', 'TLSv1.2'] as const
  const old = versions.filter(version => version !== 'TLSv1.3')
  return [
    ...versions.map(version => ({
      ...{ subject: 'version' as const, what: spoken(version), grade: guideline.versions[version] },
    })),
    ...newest
      .filter(version => !versions.includes(version))
      .map(version => ({
        ...{ subject: 'version' as const, what: `no ${spoken(version)}`, grade: guideline.missing[version] },
      })),
    ...hello.suites.map(name => ({
      subject: 'suite' as const,
      what: opensslName(name),
      grade: guideline.suite(suiteOffered(name), name.includes('_WITH_') ? (old[0] ?? 'TLSv1.2') : 'TLSv1.3'),
    })),
    ...hello.groups.map(what => ({ subject: 'group' as const, what, grade: guideline.group(what) })),
    ...hello.signatureAlgorithms.map(what => ({
      ...{ subject: 'signature' as const, what, grade: guideline.signature(what) },
    })),
    ...(old.length === 0 ? [] : protections(hello, guideline)),
  ]
}

const suiteOffered = (name: string): SuiteOffer => ({
  ...{ name, openssl: opensslName(name), forwardSecrecy: /_(EC)?DHE_/.test(name), seen: '' },
})

/** Options that protect TLS 1.2, and of which a server says whether it has them. */
function protections({ renegotiationInfo, extensions, compressions }: ClientHello, { options }: TlsProfile) {
  const has = {
    'secure renegotiation': renegotiationInfo,
    'extended master secret': extensions.includes(EXTENSION.extendedMasterSecret),
    'truncated HMAC': extensions.includes(EXTENSION.truncatedHmac),
    compression: compressions.some(method => method > 0),
  } as const
  return Object.entries(has).map(([name, there]) => ({
    subject: 'option' as const,
    what: there ? name : `no ${name}`,
    grade: options[name as keyof typeof has]?.[there ? 'yes' : 'no'],
  }))
}
