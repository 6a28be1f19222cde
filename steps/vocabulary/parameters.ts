import { defineParameterType } from '@cucumber/cucumber'
import type { Behaviour, TlsVersion } from '../../support/lab/partner/behaviour.ts'
import { CHANGES, type ChangeName } from '../../support/mailflow/changes.ts'
import { type CertificateFlaw, FLAWS } from '../../support/pki/flaws.ts'

defineParameterType({
  name: 'flaw',
  regexp: new RegExp(Object.keys(FLAWS).join('|')),
  transformer: (text: string) => text as CertificateFlaw,
  useForSnippets: false,
})

defineParameterType({
  name: 'version',
  regexp: /TLS 1\.[0-3]/,
  transformer: (text: string) => (text === 'TLS 1.0' ? 'TLSv1' : text.replace(' ', 'v')) as TlsVersion,
  useForSnippets: false,
})

/** Standard name of a cipher suite. */
defineParameterType({ name: 'suite', regexp: /TLS_[A-Z0-9_]+/, useForSnippets: false })

/** A DNS name; a leading `*.` covers what is below it. */
defineParameterType({ name: 'name', regexp: /[a-z0-9*-]+(?:\.[a-z0-9-]+)+/, useForSnippets: false })

defineParameterType({
  name: 'authority',
  regexp: /former|new/,
  transformer: (text: string) => text as 'former' | 'new',
  useForSnippets: false,
})

defineParameterType({
  name: 'change',
  regexp: new RegExp(Object.keys(CHANGES).join('|')),
  transformer: (words: string) => CHANGES[words as ChangeName],
  useForSnippets: false,
})

const REFUSALS = [454, 500, 502, 554] as const

/** What a partner does, in the words of the features. */
const BEHAVIOURS: Record<string, Behaviour> = {
  'offers STARTTLS': {},
  'does not offer STARTTLS': { starttls: { hides: true } },
  'offers STARTTLS with its name garbled': { starttls: { garbles: true } },
  'offers STARTTLS again inside TLS': { starttls: { tlsExtensions: ['STARTTLS'] } },
  'leaves its intermediate out': { tls: { presents: ['without its intermediate'] } },
  'shows a foreign certificate': { tls: { presents: ['self-signed'] } },
  'closes in answer to STARTTLS': { starttls: { closes: true } },
  'closes instead of a handshake': { handshake: 'closes' },
  'resets the connection at the handshake': { handshake: 'resets' },
  'talks garbage instead of a handshake': { handshake: 'talks garbage' },
  'ends the handshake with an alert': { handshake: 'alerts' },
  'answers the handshake in clear': { handshake: 'answers in clear' },
  'cuts the connection in the middle of the message': { transaction: { cutsAfter: 20_000 } },
  ...Object.fromEntries(
    REFUSALS.map(code => [`refuses STARTTLS with ${code}`, { starttls: { refuses: code } }]),
  ),
}

/** Throws for words that are no behaviour: a table cell has no parameter type to check it. */
export function behaviour(text: string): Behaviour {
  const [, words, when, count] =
    /^(.*?)(?: (on|after) the first (?:(\d+) connections|connection))?$/.exec(text) ?? []
  const found = BEHAVIOURS[words ?? '']
  if (!found) throw new Error(`no partner is known that ${text}`)
  if (!when) return found
  return { ...found, [when === 'on' ? 'times' : 'spares']: Number(count ?? 1) }
}

defineParameterType({
  name: 'behaviour',
  regexp: new RegExp(
    `(?:${Object.keys(BEHAVIOURS).join('|')})(?: (?:on|after) the first (?:\\d+ connections|connection))?`,
  ),
  transformer: behaviour,
  useForSnippets: false,
})
