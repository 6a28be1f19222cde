import { type DataTable, Given } from '@cucumber/cucumber'
import type { Behaviour, TlsVersion } from '../support/lab/partner/behaviour.ts'
import type { CertificateFlaw } from '../support/pki/flaws.ts'
import { behaviour } from './vocabulary/parameters.ts'
import type { MailWorld } from './world.ts'

Given('the partner {behaviour}', function (this: MailWorld, does: Behaviour) {
  this.hosts = [does]
})

Given("the partner's mail exchangers, in order of preference", function (this: MailWorld, table: DataTable) {
  this.hosts = table.raw().map(([words]) => behaviour(words!))
  this.needsRoom(this.hosts.length)
})

Given('the partner speaks {version} at most', function (this: MailWorld, maxVersion: TlsVersion) {
  this.hosts = [{ tls: { maxVersion } }]
})

Given('the partner accepts only the suite {suite}', function (this: MailWorld, suite: string) {
  this.hosts = [{ tls: { maxVersion: 'TLSv1.2', suites: [suite] } }]
})

Given(
  'the partner lets the sender choose between {suite} and {suite}',
  function (this: MailWorld, one: string, other: string) {
    this.hosts = [{ tls: { maxVersion: 'TLSv1.2', suites: [one, other], followsSender: true } }]
  },
)

Given('the partner shows a certificate that is {flaw}', function (this: MailWorld, flaw: CertificateFlaw) {
  this.hosts = [{ tls: { presents: [flaw] } }]
})

Given(
  'the partner shows a certificate of the {authority} authority',
  function (this: MailWorld, authority: 'former' | 'new') {
    this.hosts = [{ tls: { authority } }]
  },
)

Given("the partner's certificate names {name}", function (this: MailWorld, name: string) {
  this.hosts = [{ tls: { names: [name] } }]
})

Given("the partner's certificate names its mail exchanger alone", function (this: MailWorld) {
  this.hosts = [{ tls: { names: [`mx.${this.domain}`] } }]
})

/** In clear only; an extension that is gone must not be used. */
Given('the partner offers extensions in clear that are gone inside TLS', function (this: MailWorld) {
  this.gone = ['AUTH', 'XCLIENT', 'XFORWARD']
  this.hosts = [
    { starttls: { clearExtensions: ['AUTH PLAIN LOGIN', 'XCLIENT NAME ADDR', 'XFORWARD NAME ADDR'] } },
  ]
})

Given('the partner passes the message on in clear', function (this: MailWorld) {
  this.passesOn = true
})

/** Long enough for a sender that uses what was smuggled to give itself away, in ms. */
const WITHHELD = 300

Given('the partner smuggles a whole answer to EHLO behind the go-ahead', function (this: MailWorld) {
  this.smuggled = 'answer'
  this.hosts = [
    {
      starttls: { injects: '250-mx.smuggled.test\r\n250 AUTH PLAIN LOGIN\r\n', withholdsEhloReply: WITHHELD },
    },
  ]
})

Given('the partner smuggles half a line that lists AUTH behind the go-ahead', function (this: MailWorld) {
  this.smuggled = 'line'
  this.hosts = [{ starttls: { injects: '250-AUTH PLAIN', withholdsEhloReply: WITHHELD } }]
})

Given('the partner smuggles half a line that ends a reply behind the go-ahead', function (this: MailWorld) {
  this.smuggled = 'line'
  this.hosts = [{ starttls: { injects: '250 ', withholdsEhloReply: WITHHELD } }]
})
