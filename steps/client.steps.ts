import { defineParameterType, Given, When } from '@cucumber/cucumber'
import { SMUGGLED, type Smuggled } from '../support/evidence/session.ts'
import type { CertificateFlaw } from '../support/pki/flaws.ts'
import { deliver } from './act.ts'
import { version, words } from './vocabulary/parameters.ts'
import type { ClientSaid } from './vocabulary/subjects.ts'
import type { MailWorld } from './world.ts'

/** What a client does, in the words of the features. */
const HABITS: Record<string, Partial<ClientSaid>> = {
  'does not use TLS': { tls: 'does not use' },
  'then delivers unencrypted': { tls: 'falls back to unencrypted' },
  ...Object.fromEntries(
    ['TLS 1.0', 'TLS 1.1', 'TLS 1.2', 'TLS 1.3'].map(text => [
      `supports ${text} at most`,
      { maxVersion: version(text) },
    ]),
  ),
  'greets with another name': { greetsAs: 'mail.somebody-else.test' },
  'first begins a message from another domain and cancels it': { beginsAs: 'sender@somebody-else.test' },
  'writes its domain in capitals': { inCapitals: true },
  'cuts the connection in the middle of the message': { cuts: true },
  'ends TLS in the middle of MAIL and goes on unencrypted': { endsTlsIn: 'MAIL' },
  'ends TLS in the middle of the message and goes on unencrypted': { endsTlsIn: 'the message' },
  'ends TLS in the middle of a chunk and goes on unencrypted': { endsTlsIn: 'a chunk' },
  'breaks the TLS handshake and delivers unencrypted on the same connection': {
    failsHandshake: true,
    staysAfterFailedHandshake: true,
  },
  'gives STARTTLS a parameter and then delivers unencrypted': { starttlsParameter: true },
  'begins a message before TLS': { beginsBeforeTls: 'and again inside TLS' },
  'continues inside TLS a message from before TLS': { beginsBeforeTls: 'and continues inside TLS' },
  'does not greet again inside TLS': { greetsOnce: true },
  'begins with TLS': { beginsWithTls: true },
  'resumes an earlier session': { resumes: 'by ticket' },
  'offers a ticket that the gateway does not know': { resumes: 'by an unknown ticket' },
  'is inside TLS': { insideTls: true },
  'names no server in its ClientHello': { namesNoServer: true },
  'shows a valid certificate': { showsCertificate: true },
}
words('habit', HABITS)

function clientDoes(world: MailWorld, habit: Partial<ClientSaid>): void {
  world.intent.add('client', habit)
}

Given('the client {habit}', function (this: MailWorld, habit: Partial<ClientSaid>) {
  clientDoes(this, habit)
})

Given(
  'the client {habit} and {habit}',
  function (this: MailWorld, one: Partial<ClientSaid>, other: Partial<ClientSaid>) {
    clientDoes(this, { ...one, ...other })
  },
)

Given('the client shows a certificate that is {flaw}', function (this: MailWorld, flaw: CertificateFlaw) {
  this.intent.add('client', { showsCertificate: true, certificate: { flaws: new Set([flaw]) } })
})

Given('the client shows a certificate for {name}', function (this: MailWorld, name: string) {
  clientDoes(this, { showsCertificate: true, certificate: { names: [name], flaws: new Set() } })
})

defineParameterType({
  name: 'injected',
  regexp: new RegExp(
    Object.keys(SMUGGLED)
      .sort((one, other) => other.length - one.length)
      .map(RegExp.escape)
      .join('|'),
  ),
  transformer: (text: string) => text as Smuggled,
  useForSnippets: false,
})

Given('the client sends {injected} behind STARTTLS', function (this: MailWorld, injects: Smuggled) {
  clientDoes(this, { injects })
})

When('the client delivers a message', async function (this: MailWorld) {
  await deliver(this)
})
