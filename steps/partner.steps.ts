import { type DataTable, Given } from '@cucumber/cucumber'
import type { Behaviour } from '../support/lab/partner/behaviour.ts'
import { connectorThat } from './connector.steps.ts'
import { Inapplicable } from './outcome.ts'
import { behaviour } from './vocabulary/parameters.ts'
import type { MailWorld } from './world.ts'

function partnerDoes(world: MailWorld, does: Behaviour): void {
  const { times, spares, ...always } = does
  const limited = times !== undefined || spares !== undefined
  world.intent.add('partner', limited ? { limited: does } : { always })
}

Given('the partner {behaviour}', function (this: MailWorld, does: Behaviour) {
  const injects = does.starttls?.injects
  const { minVersion, maxVersion } = does.tls ?? {}
  if (!minVersion && maxVersion && maxVersion < 'TLSv1.2') this.needsNoOldTls()
  if (injects) this.intent.add('injected', { by: injects.endsWith('\n') ? 'reply' : 'line' })
  partnerDoes(this, does)
})

Given("the partner's mail exchangers, in order of preference", function (this: MailWorld, table: DataTable) {
  const list = table.raw().map(([words]) => behaviour(words!))
  this.needsRoom(list.length)
  this.intent.add('exchangers', { list })
})

Given(
  "the servers behind the name of the partner's mail exchanger",
  function (this: MailWorld, table: DataTable) {
    const list = table.raw().map(([words]) => behaviour(words!))
    mustLeadAnywhere(this)
    this.needsRoom(list.length)
    this.intent.add('exchangers', { list, oneName: true })
  },
)

Given(
  "a forged MX record leads to an attacker's host, whose certificate is for this host",
  function (this: MailWorld) {
    mustLeadAnywhere(this)
    this.intent.add('mx', { forged: true })
  },
)

/** Where the gateway finds its partners without the DNS, no record can lead it astray. */
function mustLeadAnywhere({ run }: MailWorld): void {
  if (!run.lab.leadsAll)
    throw new Inapplicable(
      'the gateway finds the partner without the DNS; the key names of the gateway file would make it applicable',
    )
}

Given('the partner accepts only the suite {suite}', function (this: MailWorld, suite: string) {
  partnerDoes(this, { tls: { maxVersion: 'TLSv1.2', suites: [suite] } })
})

Given(
  'the partner lets the gateway choose between {suite} and {suite}',
  function (this: MailWorld, one: string, other: string) {
    partnerDoes(this, { tls: { maxVersion: 'TLSv1.2', suites: [one, other], followsSender: true } })
  },
)

Given('the partner shows a certificate for {name}', function (this: MailWorld, name: string) {
  partnerDoes(this, { tls: { names: [name] } })
})

Given('the partner shows a certificate only for its mail exchanger', function (this: MailWorld) {
  partnerDoes(this, {
    tls: { names: [`mx.${this.intent.read('connector', 'partnerDomain').partnerDomain}`] },
  })
})

Given(
  'the partner offers extensions before TLS that it does not offer inside TLS',
  function (this: MailWorld) {
    this.intent.add('extensions', { beforeTlsOnly: ['AUTH', 'XCLIENT', 'XFORWARD', 'CHUNKING'] })
    partnerDoes(this, {
      starttls: {
        clearExtensions: ['AUTH PLAIN LOGIN', 'XCLIENT NAME ADDR', 'XFORWARD NAME ADDR', 'CHUNKING'],
      },
    })
  },
)

Given('the partner passes the message on unencrypted', function (this: MailWorld) {
  this.intent.add('onward', { unencrypted: true })
})

/** What the column STARTTLS of a table of partners says. */
const STARTTLS: Record<string, string> = {
  offered: 'offers STARTTLS',
  'not offered': 'does not offer STARTTLS',
  'offered, not answered': 'falls silent at STARTTLS',
}

/** Columns: partner, outbound connector, STARTTLS. */
Given('a message for these partners', function (this: MailWorld, table: DataTable) {
  this.needsRoom(table.hashes().length)
  const list = table.hashes().map(({ partner, 'outbound connector': demand, STARTTLS: does }) => ({
    partner: partner!,
    domain: this.run.lab.freshDomain(connectorThat(this, demand!).to),
    behaviour: behaviour(STARTTLS[does!] ?? does!),
  }))
  this.intent.add('copies', { list })
})
