import { defineParameterType } from '@cucumber/cucumber'
import { EXCHANGE_SUITES } from '../../support/catalogue/tls-profiles.ts'
import type { Behaviour, TlsVersion } from '../../support/lab/partner/behaviour.ts'
import { type AuthorityName, type CertificateFlaw, FLAWS } from '../../support/pki/flaws.ts'
import { ANSWERS, type AnswerName } from '../../support/pki/status-words.ts'
import { type CraftedAnswer, suitesNamed } from '../../support/wire/tls/craft-answer.ts'

/** A parameter type whose words are the keys of a table. The longest words come first: one may begin with another. */
export function words<T>(name: string, table: Readonly<Record<string, T>>): void {
  const all = Object.keys(table).sort((one, other) => other.length - one.length)
  defineParameterType({
    name,
    regexp: new RegExp(all.map(RegExp.escape).join('|')),
    transformer: (text: string) => table[text]!,
    useForSnippets: false,
  })
}

export const version = (text: string): TlsVersion =>
  (text === 'TLS 1.0' ? 'TLSv1' : text.replace(' ', 'v')) as TlsVersion

const CERTIFICATE_FLAWS = Object.keys(FLAWS) as CertificateFlaw[]

/** What an administrator installs as a trusted root, in the words of the features. */
export type Installed =
  | { root: AuthorityName; among?: 'its own certificates' }
  | { shown: 'own' | 'intermediate' }
words<Installed>('installed', {
  'the root of the new authority': { root: 'new' },
  "the root of the new authority among the gateway's own certificates": {
    root: 'new',
    among: 'its own certificates',
  },
  'another root with the name of the new one': { root: 'namesake of new' },
  "the partner's own certificate": { shown: 'own' },
  'the intermediate of the new authority': { shown: 'intermediate' },
})

/** What the distribution point of trusted roots has, in the words of the features. */
export type Distributed = readonly AuthorityName[] | 'a web page'
words<Distributed>('distributed', {
  'the former root and the new one': ['former', 'new'],
  'only the former root': ['former'],
  'the former root and another one with the name of the new one': ['former', 'namesake of new'],
  'a web page in place of roots': 'a web page',
})

words('flaw', Object.fromEntries(CERTIFICATE_FLAWS.map(flaw => [flaw, flaw])))

/** Standard name of a cipher suite. */
defineParameterType({ name: 'suite', regexp: /TLS_[A-Z0-9_]+/, useForSnippets: false })

/** A DNS name; a leading `*.` covers what is below it. */
defineParameterType({ name: 'name', regexp: /[a-z0-9*-]+(?:\.[a-z0-9-]+)+/, useForSnippets: false })

const REFUSALS = [421, 454, 500, 502, 554] as const
const VERSIONS = ['TLS 1.0', 'TLS 1.1', 'TLS 1.2', 'TLS 1.3']

/** How long a partner keeps its reply back, so that a gateway that takes an injected one for it gives itself away, in ms. */
const WITHHELD = 300

const injecting = (bytes: string): Behaviour => ({
  starttls: { injects: bytes, withholdsEhloReply: WITHHELD },
})

const presenting = (...flaws: CertificateFlaw[]): Behaviour => ({
  tls: { presents: new Set(flaws) as unknown as CertificateFlaw[] },
})

/** A partner that does one of these may also go on unencrypted on the same connection. */
const BROKEN_HANDSHAKES: Record<string, Behaviour> = {
  'sends garbage instead of a TLS handshake': { handshake: 'talks garbage' },
  'ends the TLS handshake with an alert': { handshake: 'alerts' },
  'answers the TLS handshake with an unencrypted reply': { handshake: 'answers in clear' },
  'falls silent in the TLS handshake': { handshake: 'goes silent' },
}

const answering = (answers: Record<string, CraftedAnswer>): Record<string, Behaviour> =>
  Object.fromEntries(
    Object.entries(answers).map(([how, crafts]) => [`answers the ClientHello ${how}`, { crafts }]),
  )

/** The ServerHello of a partner that the lab writes itself. A gateway that does not break the handshake off goes on with it. */
const CRAFTED = answering({
  'with SSL 3': { version: 'SSLv3' },
  'with TLS 1.0': { version: 'TLSv1' },
  'with TLS 1.1': { version: 'TLSv1.1' },
  // First those that have no signature over the random.
  'with TLS 1.2 and the mark of a downgrade': {
    marked: true,
    suites: suitesNamed(/^TLS_(ECDHE_)?RSA_WITH_AES_\d+_GCM/),
  },
  'with a suite that the gateway does not offer': {
    notOffered: true,
    suites: ['TLS_RSA_WITH_AES_256_GCM_SHA384', 'TLS_RSA_WITH_SEED_CBC_SHA', 'TLS_RSA_WITH_IDEA_CBC_SHA'],
  },
  'with a suite that encrypts nothing': { suites: suitesNamed(/^TLS_(ECDHE_)?RSA_WITH_NULL/) },
  'with a suite with RC4': { suites: suitesNamed(/^TLS_(ECDHE_)?RSA_WITH_RC4/) },
  'with a suite of export strength': { suites: suitesNamed(/^TLS_RSA_EXPORT/) },
  'with a suite with DES': { suites: suitesNamed(/^TLS_RSA_WITH_DES_/) },
  'with a suite with 3DES': { suites: suitesNamed(/^TLS_(ECDHE_)?RSA_WITH_3DES/) },
  'with a finite field of 1024 bits': { suites: suitesNamed(/^TLS_DHE_RSA_WITH_AES/) },
  'with a curve of 192 bits': { curve: 'secp192r1' },
  'with a signature with SHA-1': { digest: 'sha1' },
  'with TLS compression': { compresses: true },
  'without secure renegotiation': { renegotiatesInsecurely: true },
  'with a record that is too long': { longRecord: true },
})

/** Several servers behind one address: the first connection leads to one of them, the others to the rest. */
const rolledOut = (one: AuthorityName, others: AuthorityName): Behaviour => ({
  times: 1,
  tls: { authority: one },
  always: { tls: { authority: others } },
})

const SILENT: Record<string, Behaviour> = {
  'falls silent before the greeting': { greeting: 'goes silent' },
  'falls silent at EHLO': { silentAt: 'EHLO' },
  'falls silent at STARTTLS': { silentAt: 'STARTTLS' },
  'falls silent at EHLO inside TLS': { silentAt: 'EHLO inside TLS' },
  'falls silent at MAIL': { silentAt: 'MAIL' },
  'falls silent at RCPT': { silentAt: 'RCPT' },
  'falls silent at DATA': { silentAt: 'DATA' },
  'falls silent at the end of the message': { silentAt: 'message' },
}

/** What a partner does, in the words of the features. */
const BEHAVIOURS: Record<string, Behaviour> = {
  'offers STARTTLS': {},
  'does not offer STARTTLS': { starttls: { hides: true } },
  'offers STARTTLS under a garbled name': { starttls: { garbles: true } },
  'offers STARTTLS again inside TLS': { starttls: { tlsExtensions: ['STARTTLS'] } },
  'closes the connection after STARTTLS': { starttls: { closes: true } },
  'closes the connection instead of a TLS handshake': { handshake: 'closes' },
  'resets the connection during the TLS handshake': { handshake: 'resets' },
  ...BROKEN_HANDSHAKES,
  ...Object.fromEntries(
    Object.entries(BROKEN_HANDSHAKES).map(([words, fault]) => [
      `${words} and goes on unencrypted`,
      { ...fault, stays: true },
    ]),
  ),
  'closes TLS instead of a TLS handshake and goes on unencrypted': { handshake: 'closes', stays: true },
  ...SILENT,
  ...CRAFTED,
  'prefers the weakest suite of the profile': {
    tls: { maxVersion: 'TLSv1.2', suites: EXCHANGE_SUITES.toReversed() },
  },
  'supports only TLS 1.3': { tls: { minVersion: 'TLSv1.3' } },
  "sends a session ticket before the gateway's Finished": { ticketsEarly: true },
  'resumes sessions': { tls: { resumes: 'with the same keys' } },
  'has new keys for tickets': { tls: { resumes: 'with new keys' } },
  'resumes sessions and shows a certificate that is self-signed': {
    tls: { resumes: 'with the same keys', ...presenting('self-signed').tls },
  },
  'supports only TLS 1.1': { tls: { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1' } },
  ...Object.fromEntries(
    ['P-384', 'X25519MLKEM768'].map(group => [
      `accepts only the group ${group}`,
      { tls: { groups: [group] } },
    ]),
  ),
  'refuses unencrypted mail with 530': { starttls: { demands: true } },
  'knows no EHLO': { knowsNoEhlo: true },
  'turns the gateway away with 421': { greeting: 'turns away (421)' },
  'cuts the connection in the middle of the message': { transaction: { cutsAfter: 20_000 } },
  'sends a whole reply to EHLO behind the go-ahead': injecting(
    '250-mx.smuggled.test\r\n250 AUTH PLAIN LOGIN\r\n',
  ),
  'sends "250-AUTH PLAIN" without a line end behind the go-ahead': injecting('250-AUTH PLAIN'),
  'sends "250 " without a line end behind the go-ahead': injecting('250 '),
  'leaves out its intermediate certificate': presenting('without its intermediate'),
  ...Object.fromEntries(
    CERTIFICATE_FLAWS.map(flaw => [`shows a certificate that is ${flaw}`, presenting(flaw)]),
  ),
  'shows a certificate that is self-signed and goes on unencrypted when TLS has ended': {
    ...presenting('self-signed'),
    stays: true,
  },
  'asks for a client certificate': { tls: { clientCertificate: 'asks' } },
  'demands a client certificate': { tls: { clientCertificate: 'requires' } },
  'demands a client certificate and supports TLS 1.2 at most': {
    tls: { clientCertificate: 'requires', maxVersion: 'TLSv1.2' },
  },
  'shows a certificate of the former authority': { tls: { authority: 'former' } },
  'shows a certificate of the new authority': { tls: { authority: 'new' } },
  'shows the former certificate at one of its servers and the new one at the others': rolledOut(
    'former',
    'new',
  ),
  'shows the new certificate at one of its servers and the former one at the others': rolledOut(
    'new',
    'former',
  ),
  'shows the former certificate of the service': { tls: { ofService: 'before' } },
  'shows the present certificate of the service': { tls: { ofService: 'after' } },
  'shows a certificate of the new authority with its root': {
    tls: { authority: 'new', kind: { chain: 'with its root' } },
  },
  'shows a certificate of an authority that only bears the name of the former one': {
    tls: { authority: 'namesake of former', kind: { chain: 'with its root' } },
  },
  ...Object.fromEntries(
    (Object.keys(ANSWERS) as AnswerName[]).flatMap(staples => [
      [`sends along ${staples}`, { tls: { staples } }],
      [`sends along ${staples} and supports TLS 1.2 at most`, { tls: { staples, maxVersion: 'TLSv1.2' } }],
    ]),
  ),
  'shows a certificate that promises an answer about its status': {
    tls: { kind: { promises: 'a stapled answer' } },
  },
  'shows a certificate with its names in capitals': { tls: { kind: { hosts: 'in capitals' } } },
  'shows a certificate with a wildcard for one label': {
    tls: { kind: { hosts: 'wildcards for one label' } },
  },
  "shows a certificate that is issued by an intermediate for the partner's domain only": {
    tls: { kind: { intermediate: 'for its domains' } },
  },
  ...Object.fromEntries(
    REFUSALS.map(code => [`refuses STARTTLS with ${code}`, { starttls: { refuses: code } }]),
  ),
  ...Object.fromEntries(
    VERSIONS.map(text => [`supports ${text} at most`, { tls: { maxVersion: version(text) } }]),
  ),
}

/** On which connections a partner does something, where it does not do so on all. */
const ON_SOME = ' on the first (?:(\\d+) connections|connection)| from the second connection on'

/** Throws for words that are no behaviour: a table cell has no parameter type to check it. */
export function behaviour(text: string): Behaviour {
  const [, does, some, count = 1] = new RegExp(`^(.*?)(${ON_SOME})?$`).exec(text) ?? []
  const found = BEHAVIOURS[does ?? '']
  if (!found) throw new Error(`no partner is known that ${text}`)
  if (!some) return found
  return some.startsWith(' on') ? { ...found, times: Number(count) } : { ...found, spares: 1 }
}

defineParameterType({
  name: 'behaviour',
  regexp: new RegExp(
    `(?:${Object.keys(BEHAVIOURS)
      .sort((one, other) => other.length - one.length)
      .map(RegExp.escape)
      .join('|')})(?:${ON_SOME.replace('(\\d+)', '\\d+')})?`,
  ),
  transformer: behaviour,
  useForSnippets: false,
})
