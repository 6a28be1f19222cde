import assert from 'node:assert/strict'
import type { Capability } from './capabilities.ts'
import {
  type Choice,
  type Choosable,
  certified,
  expecting,
  forced,
  forLevel,
  forOneDomain,
  forParentAlone,
  generalAndOptional,
  missingConnector,
  NoConnector,
  required,
  requiredBothWays,
  requiredInboundAlone,
} from './connectors.ts'
import type { InboundConnector, MailFlow, OutboundConnector, OutboundLevel } from './mail-flow.ts'

const out = (to: string, tls: OutboundLevel, tlsDomain?: string): OutboundConnector => ({
  to,
  tls,
  ...(tlsDomain ? { tlsDomain } : {}),
})
const from = (domain: string, clientCertificate?: string): InboundConnector => ({
  from: domain,
  tls: 'required',
  ...(clientCertificate ? { clientCertificate } : {}),
})

const any = out('*.any.test', 'opportunistic')
const encrypted = out('*.encrypted.test', 'encryption-only')
const verified = out('*.verified.test', 'domain-validation')
const named = out('*.named.test', 'domain-validation', 'mail.partner.test')
const wildcard = out('*.wildcard.test', 'domain-validation', '*.partner.test')
const asking: OutboundConnector = { ...out('*.asking.test', 'domain-validation'), status: 'asked' }
const strict: OutboundConnector = { ...out('*.strict.test', 'domain-validation'), status: 'required' }
const one = out('one.test', 'encryption-only')
const optionalForOne = out('one.encrypted.test', 'opportunistic')
const optionalForMany = out('*.some.encrypted.test', 'opportunistic')

/** What is chosen: the domain of a connector, or the sentence. */
type Row = [
  what: string,
  choose: (flow: MailFlow) => Choice<OutboundConnector | InboundConnector | { optional: OutboundConnector }>,
  connectors: (OutboundConnector | InboundConnector)[],
  chosen: string,
]
const no = (side: 'inbound' | 'outbound', what: string) => `the gateway has no ${side} connector that ${what}`
const opposite =
  'the gateway has no outbound connectors of which one makes TLS optional where another requires it'

const secret = out('*.secret.test', 'encryption-only')
const inTurn = (turn: number, choose: Row[1]) => (flow: MailFlow) => choose({ ...flow, turn } as Choosable)

const table: Row[] = [
  ['the weakest level', forced, [any, verified, encrypted], '*.encrypted.test'],
  ['the weakest level in its turn', inTurn(1, forced), [encrypted, verified, secret, one], '*.secret.test'],
  ['the first again after the last', inTurn(2, forced), [encrypted, verified, secret], '*.encrypted.test'],
  [
    'a level in its turn',
    inTurn(1, f => forLevel(f, 'domain-validation')),
    [named, verified],
    '*.named.test',
  ],
  ['the only connector at each turn', inTurn(3, required), [from('*.a.test')], '*.a.test'],
  ['an inbound connector in its turn', inTurn(1, required), [from('*.a.test'), from('*.b.test')], '*.b.test'],
  ['the only level', forced, [verified], '*.verified.test'],
  ['the own name before a fixed one', forced, [named, verified], '*.verified.test'],
  ['a fixed name', forced, [wildcard, named], '*.named.test'],
  ['no name below a wildcard', forced, [wildcard], 'the gateway has no outbound connector that requires TLS'],
  ['no single domain', forced, [any, one], 'the gateway has no outbound connector that requires TLS'],
  [
    'nothing for which TLS is optional in part',
    forced,
    [encrypted, optionalForOne, verified],
    '*.verified.test',
  ],
  ['nor by a pattern', forced, [encrypted, optionalForMany, verified], '*.verified.test'],
  ['an exact level', flow => forLevel(flow, 'domain-validation'), [encrypted, verified], '*.verified.test'],
  [
    'and no other',
    flow => forLevel(flow, 'certificate-validation'),
    [encrypted, verified],
    no('outbound', 'has the level certificate-validation'),
  ],
  [
    'no connector that requires the status',
    flow => forLevel(flow, 'domain-validation'),
    [strict, asking],
    '*.asking.test',
  ],
  ...(['asked', 'required'] as const).map(
    (status): Row => [
      `one with status: ${status}`,
      flow => forLevel({ ...flow, status }, 'domain-validation'),
      [verified, asking, strict],
      status === 'asked' ? '*.asking.test' : '*.strict.test',
    ],
  ),
  [
    'and none that says nothing of it',
    flow => forLevel({ ...flow, status: 'required' }, 'domain-validation'),
    [verified, asking],
    no('outbound', 'has the level domain-validation and status: required'),
  ],
  ['just the name', flow => expecting(flow, '*.partner.test'), [named, wildcard], '*.wildcard.test'],
  [
    'and no other name',
    flow => expecting(flow, 'mail.partner.test'),
    [wildcard, out('one.test', 'domain-validation', 'mail.partner.test')],
    no('outbound', 'expects a certificate for mail.partner.test'),
  ],
  ['one domain', forOneDomain, [encrypted, optionalForOne, one], 'one.test'],
  [
    'no pattern for one domain',
    forOneDomain,
    [encrypted, optionalForOne],
    no('outbound', 'requires TLS for one domain by its name'),
  ],
  ['a parent alone', forParentAlone, [any, one], 'one.test'],
  [
    'no parent of others',
    forParentAlone,
    [one, out('*.one.test', 'opportunistic')],
    no('outbound', 'requires TLS for one domain and not for those below it'),
  ],
  [
    'a domain for which TLS is optional',
    flow => generalAndOptional(flow, 'one domain'),
    [encrypted, optionalForMany, optionalForOne],
    'one.encrypted.test',
  ],
  [
    'domains for which TLS is optional',
    flow => generalAndOptional(flow, 'a pattern'),
    [encrypted, optionalForOne, optionalForMany],
    '*.some.encrypted.test',
  ],
  [
    'what nothing covers',
    flow => generalAndOptional(flow, 'a pattern'),
    [verified, optionalForMany],
    opposite,
  ],
  [
    'what no other connector makes optional',
    flow => generalAndOptional(flow, 'one domain'),
    [encrypted, one],
    opposite,
  ],
  ['TLS of senders', required, [from('*.b.test', 'mail.b.test'), from('*.a.test')], '*.a.test'],
  ['no single sender', required, [from('a.test')], no('inbound', 'requires TLS')],
  ['one way alone', requiredInboundAlone, [from('*.named.test'), from('*.a.test'), named], '*.a.test'],
  [
    'and not both',
    requiredInboundAlone,
    [from('*.named.test'), named],
    no('inbound', 'requires TLS while no outbound connector covers the same domain'),
  ],
  ['both ways', requiredBothWays, [from('*.a.test'), from('*.named.test'), named], '*.named.test'],
  [
    'and not one',
    requiredBothWays,
    [from('*.any.test'), any],
    no('inbound', 'requires TLS for a domain that an outbound connector names as well'),
  ],
  ['a certificate', certified, [from('*.a.test', '*.b.test'), from('*.c.test', 'mail.c.test')], '*.c.test'],
  [
    'just that certificate',
    flow => certified(flow, '*.b.test'),
    [from('*.c.test', 'mail.c.test'), from('*.a.test', '*.b.test')],
    '*.a.test',
  ],
  ['no certificate', certified, [from('*.a.test')], no('inbound', 'requires a certificate with a name')],
  [
    'not that certificate',
    flow => certified(flow, 'mail.d.test'),
    [from('*.c.test', 'mail.c.test')],
    no('inbound', 'requires a certificate for mail.d.test'),
  ],
]

const flowOf = (connectors: Row[2]) =>
  ({
    outbound: connectors.filter(connector => 'to' in connector),
    inbound: connectors.filter(connector => 'from' in connector),
  }) as MailFlow

describe('a connector is chosen', () => {
  for (const [what, choose, connectors, chosen] of table)
    it(`by what it does: ${what}`, () => {
      const choice = choose(flowOf(connectors))
      const place = (c: OutboundConnector | InboundConnector) => ('to' in c ? c.to : c.from)
      const found =
        choice instanceof NoConnector ? choice.why : place('optional' in choice ? choice.optional : choice)
      assert.equal(found, chosen)
    })
})

describe('a connector is missing in a gateway file', () => {
  const rows: [capability: Capability, connectors: Row[2], missing: string | undefined][] = [
    ['encryption-only', [encrypted], undefined],
    ['encryption-only', [verified], 'no outbound connector with tls: encryption-only in g.yaml'],
    ['encryption-only', [one], 'no outbound connector with to: "*.…" and tls: encryption-only in g.yaml'],
    ['domain-validation', [named], undefined],
    ['domain-validation', [wildcard], 'no outbound connector with tls: domain-validation in g.yaml'],
    ['tls-domain', [wildcard], undefined],
    ['tls-domain', [verified], 'no outbound connector with to: "*.…" and tlsDomain in g.yaml'],
    ['inbound-required', [from('*.a.test')], undefined],
    [
      'inbound-required',
      [from('*.a.test', 'mail.a.test')],
      'no inbound connector with tls: required in g.yaml',
    ],
    [
      'inbound-required',
      [from('a.test')],
      'no inbound connector with from: "*.…" and tls: required in g.yaml',
    ],
    ['client-certificates', [from('a.test', 'mail.a.test')], undefined],
    ['client-certificates', [from('a.test')], 'no inbound connector with clientCertificate in g.yaml'],
    ['retry', [], 'a gateway file cannot claim retry'],
  ]
  for (const [capability, connectors, missing] of rows)
    it(`for ${capability}: ${missing ?? 'nothing'}`, () => {
      assert.equal(missingConnector(flowOf(connectors), capability, 'g.yaml'), missing)
    })
})
