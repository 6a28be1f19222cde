import { defineParameterType } from '@cucumber/cucumber'
import type { Behaviour, TlsVersion } from '../../support/lab/partner/behaviour.ts'
import { type CertificateFlaw, FLAWS } from '../../support/pki/flaws.ts'

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
  'demands a client certificate': { tls: { clientCertificate: 'requires' } },
  'demands a client certificate and supports TLS 1.2 at most': {
    tls: { clientCertificate: 'requires', maxVersion: 'TLSv1.2' },
  },
  'shows a certificate of the former authority': { tls: { authority: 'former' } },
  'shows a certificate of the new authority': { tls: { authority: 'new' } },
  ...Object.fromEntries(
    REFUSALS.map(code => [`refuses STARTTLS with ${code}`, { starttls: { refuses: code } }]),
  ),
  ...Object.fromEntries(
    VERSIONS.map(text => [`supports ${text} at most`, { tls: { maxVersion: version(text) } }]),
  ),
}

const ON_SOME = ' (on|after) the first (?:(\\d+) connections|connection)'

/** Throws for words that are no behaviour: a table cell has no parameter type to check it. */
export function behaviour(text: string): Behaviour {
  const [, does, when, count] = new RegExp(`^(.*?)(?:${ON_SOME})?$`).exec(text) ?? []
  const found = BEHAVIOURS[does ?? '']
  if (!found) throw new Error(`no partner is known that ${text}`)
  if (!when) return found
  return { ...found, [when === 'on' ? 'times' : 'spares']: Number(count ?? 1) }
}

defineParameterType({
  name: 'behaviour',
  regexp: new RegExp(
    `(?:${Object.keys(BEHAVIOURS)
      .sort((one, other) => other.length - one.length)
      .map(RegExp.escape)
      .join('|')})(?:${ON_SOME.replace('(on|after)', '(?:on|after)').replace('(\\d+)', '\\d+')})?`,
  ),
  transformer: behaviour,
  useForSnippets: false,
})
