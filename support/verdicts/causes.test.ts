import assert from 'node:assert/strict'
import { CERTIFICATE, conversation } from '../test-bed/fixtures/evidence.ts'
import type { Conversation } from '../wire/conversation.ts'
import { CAUSES, causesOf, toldOf } from './causes.ts'
import type { RecordedVerdict } from './recorded-verdict.ts'

let lines = 0

type About = Partial<Omit<RecordedVerdict, 'seen'>> & { wire?: Conversation[]; given?: string[] }

const verdict = ({ wire = [], given = [], ...about }: About): RecordedVerdict => ({
  requirement: 'EXO-FRC-01',
  level: 'must',
  actor: 'sender',
  scenario: `features/outbound/forced-tls.feature:${++lines}`,
  title: 'an example',
  control: false,
  verdict: 'non-conformant',
  detail: 'what was seen',
  durationMs: 1,
  seen: {
    conversations: wire,
    notes: [],
    steps: [...given.map(one => `Given ${one}`), 'When the gateway acts', 'Then all is well'],
  },
  ...about,
})

const taking = (said: string[], about: Partial<Conversation> = {}) =>
  conversation(said, { gatewayIs: 'receiver', ...about })
const EHLO = ['<-- 220 mx', '--> EHLO client.test']
const NO_TLS = taking([...EHLO, '<-- 250 mx', '--> QUIT'])
const REFUSED = taking([...EHLO, '<-- 250-mx', '<-- 250 STARTTLS', '--> MAIL FROM:<a@b.test>', '<-- 530 TLS'])
const TOOK = taking([
  ...EHLO,
  '<-- 250-mx',
  '<-- 250 STARTTLS',
  '--> DATA',
  '<-- 354 go',
  '--> {content}',
  '<-- 250 ok',
])
const TURNED_AWAY = taking([...EHLO, '<-- 250 STARTTLS', '--> STARTTLS', '<-- 454 4.7.0 no TLS', '--> QUIT'])
const BROKEN_OFF = taking([...EHLO, '<-- 250 STARTTLS', '--> STARTTLS', '<-- 220 go', '--> {hello}'])
const OVER_OLD_TLS = taking(['--> {hello}', '<== {established}'], { handshake: { version: 'TLSv1' } })
const EXPIRING = taking(['--> {hello}', '<== {established}'], {
  startedAt: '2026-12-01T00:00:00.000Z',
  handshake: { serverCertificate: { ...CERTIFICATE, notAfter: '2026-12-20T06:00:00Z' } },
})
const SENT = ['<-- 220 mx.partner.test', '--> EHLO gateway.test']
const UNUSED = conversation([...SENT, '<-- 250 STARTTLS', '--> MAIL FROM:<a@b.test>'])
const IN_CLEAR = conversation([...SENT, '<-- 250 mx', '--> MAIL FROM:<a@b.test>'])
const IN_TLS = conversation([
  ...SENT,
  '<-- 250 STARTTLS',
  '--> STARTTLS',
  '<-- 220 go',
  '==> MAIL FROM:<a@b.test>',
])
const UNTRUSTED = conversation([...SENT, '<-- 250 STARTTLS', '--> STARTTLS', '<-- 220 go', '==> QUIT'])
const LEFT = conversation([...SENT, '<-- 250 mx', '--> QUIT'])
const outbound = (demand: string) => [`an outbound connector that ${demand} for the partner's domain`]
const OPPORTUNISTIC = outbound('uses opportunistic TLS')
const ENCRYPTION = outbound('requires encryption only')
const VALIDATION = outbound('requires certificate validation')

/** What was judged, and what is said of it first. */
const ROWS: Record<string, [id: string, judged: About[], told: RegExp]> = {
  'a message is gone, at a level that fails no run': [
    'lost',
    [
      { wire: [NO_TLS] },
      { wire: [NO_TLS] },
      {
        verdict: 'declined',
        requirement: 'EXO-MSG-04',
        detail: 'the gateway accepted the message and lost it',
      },
    ],
    /^mail is lost: the gateway accepted the message and lost it$/,
  ],
  'no reply to EHLO lists STARTTLS': [
    'no-starttls',
    [
      { wire: [NO_TLS] },
      { wire: [NO_TLS], requirement: 'RFC3207-01' },
      { wire: [NO_TLS], requirement: 'EXO-VER-02', verdict: 'inconclusive' },
    ],
    /^STARTTLS is not offered: 2 requirements fail because of it, and 1 could not be judged$/,
  ],
  'no handshake succeeds': [
    'no-handshake',
    [{ wire: [BROKEN_OFF] }, { wire: [BROKEN_OFF], requirement: 'EXO-VER-02' }],
    /^no TLS handshake with the gateway succeeds: 2 requirements fail because of it$/,
  ],
  'every client without TLS gets 530': [
    'tls-of-all',
    [
      { wire: [REFUSED], verdict: 'inconclusive' },
      { wire: [REFUSED], verdict: 'inconclusive', requirement: 'EXO-OPP-07' },
    ],
    /^every sender must use TLS \(530 at MAIL\): 2 could not be judged$/,
  ],
  'the certificate has expired': [
    'certificate',
    [
      { wire: [OVER_OLD_TLS], verdict: 'declined', requirement: 'PKIX-06', detail: 'no root' },
      {
        wire: [OVER_OLD_TLS],
        verdict: 'declined',
        requirement: 'PKIX-07',
        detail: 'the certificate expired',
      },
    ],
    /^the certificate expired: 2 requirements fail because of it$/,
  ],
  'handshakes with TLS 1.0 succeed': [
    'old-versions',
    [{ wire: [OVER_OLD_TLS] }, { wire: [OVER_OLD_TLS], requirement: 'EXO-VER-03' }],
    /^the gateway still uses TLS 1\.0: /,
  ],
  'old versions are offered, accepted and used': [
    'old-versions',
    [
      { detail: 'the gateway accepts only TLS 1.1', requirement: 'RFC8996-01' },
      { detail: 'the gateway offered TLS 1.1', requirement: 'EXO-VER-04' },
      {
        ...{ title: 'a partner that answers with TLS 1.0', requirement: 'RFC8996-02' },
        detail: 'the gateway accepted the answer of the partner and went on with the handshake',
      },
    ],
    /^the gateway still uses TLS 1\.0 and TLS 1\.1: 3 requirements fail/,
  ],
  'good certificates are accepted at no connector that validates': [
    'untrusted',
    [
      { wire: [UNTRUSTED], given: VALIDATION, control: true },
      {
        wire: [UNTRUSTED],
        given: outbound('requires domain validation'),
        control: true,
        requirement: 'EXO-FRC-10',
      },
      { wire: [IN_TLS], given: OPPORTUNISTIC, verdict: 'conformant' },
      { wire: [UNTRUSTED], given: VALIDATION, verdict: 'conformant' },
    ],
    /^no certificate under the suite's root \(pki\/root\.pem\) is accepted .*: 2 requirements fail/,
  ],
  'a connector that requires TLS takes mail without it': [
    'required-in-clear',
    [
      { wire: [TOOK], given: ["an inbound connector that requires TLS for the client's domain"] },
      {
        wire: [TOOK],
        given: ["an inbound connector that requires TLS for the client's domain"],
        requirement: 'EXO-FRC-11',
      },
    ],
    /^an inbound connector that requires TLS takes mail in the clear: /,
  ],
  'every client is refused TLS': [
    'refused-tls',
    [
      { wire: [TURNED_AWAY], requirement: 'EXO-OPP-07', verdict: 'inconclusive' },
      { wire: [TURNED_AWAY], requirement: 'PKIX-07', verdict: 'inconclusive' },
      { wire: [TOOK], verdict: 'conformant' },
    ],
    /^STARTTLS is offered, and then refused to every client \(454 4\.7\.0 no TLS\): 2 could not be judged$/,
  ],
  'TLS that is offered is never used': [
    'never-starts-tls',
    [
      { wire: [UNUSED], given: OPPORTUNISTIC },
      { wire: [UNUSED], given: ENCRYPTION, requirement: 'EXO-OPP-01' },
    ],
    /^all mail goes without TLS, also to partners that offer TLS: /,
  ],
  'all connectors that require TLS send in the clear': [
    'level',
    [
      { wire: [IN_CLEAR], given: ENCRYPTION },
      { wire: [IN_CLEAR], given: VALIDATION, requirement: 'EXO-FRC-07' },
      { wire: [IN_TLS], given: OPPORTUNISTIC, verdict: 'conformant' },
    ],
    /^no level of any outbound connector takes effect: all mail is sent as opportunistic: 2 req/,
  ],
  'partners without TLS get no mail, and any certificate does': [
    'level',
    [
      { wire: [LEFT], given: OPPORTUNISTIC },
      { wire: [IN_TLS], given: VALIDATION, requirement: 'EXO-FRC-07' },
      { wire: [LEFT], given: ENCRYPTION, verdict: 'conformant' },
    ],
    /all mail is sent as encryption only: 2 requirements fail/,
  ],
  'no certificate is validated': [
    'level',
    [
      { wire: [IN_TLS], given: VALIDATION },
      { wire: [IN_TLS], given: VALIDATION, requirement: 'EXO-FRC-07' },
      { wire: [IN_CLEAR], given: OPPORTUNISTIC, verdict: 'conformant' },
    ],
    /^no certificate is validated, also where the connector requires it: /,
  ],
  'the certificate expires soon': [
    'expires-soon',
    [{ wire: [EXPIRING], verdict: 'conformant' }],
    /^the gateway's certificate expires on 2026-12-20, in 19 days$/,
  ],
}

describe('the cause of findings', () => {
  for (const [what, [id, judged, told]] of Object.entries(ROWS))
    it(`is found: ${what}`, () => {
      const [first] = causesOf(judged.map(verdict))
      assert.equal(first?.id, id)
      assert.match(toldOf(first), told)
    })

  it('has a test for each row of the table', () => {
    const tested = new Set(Object.values(ROWS).map(([id]) => id))
    assert.deepEqual(
      CAUSES.map(({ id }) => id).filter(id => !tested.has(id)),
      ['ends'],
    )
  })

  const NONE: Record<string, About[]> = {
    'one client saw STARTTLS': [{ wire: [NO_TLS] }, { wire: [NO_TLS] }, { wire: [TOOK] }],
    'one client got its mail through without TLS': [
      { wire: [REFUSED], verdict: 'inconclusive' },
      { wire: [REFUSED], verdict: 'inconclusive' },
      { wire: [TOOK], verdict: 'conformant' },
    ],
    'the lab asks questions that end with the answer': [
      { wire: [{ ...BROKEN_OFF, crafted: true }], requirement: 'EXO-CIP-02' },
      { wire: [{ ...BROKEN_OFF, crafted: true }], requirement: 'BCP-03' },
    ],
    'one connector holds its mail back': [
      { wire: [IN_TLS], given: VALIDATION },
      { wire: [LEFT], given: outbound('requires domain validation'), verdict: 'conformant' },
    ],
    'certificates are validated, and mail goes in the clear where TLS is optional': [
      { wire: [IN_TLS], given: VALIDATION, requirement: 'BCP-04' },
      { wire: [IN_TLS], given: VALIDATION, requirement: 'EXO-CRT-11' },
      { wire: [LEFT], given: OPPORTUNISTIC, requirement: 'PQC-01' },
      { wire: [LEFT], given: OPPORTUNISTIC, requirement: 'RFC8446-02' },
      { wire: [UNTRUSTED], given: VALIDATION, verdict: 'conformant' },
      { wire: [IN_CLEAR], given: OPPORTUNISTIC, verdict: 'conformant' },
    ],
    'there is one finding alone': [{ wire: [IN_CLEAR], given: ENCRYPTION }],
    'the certificate is good for a year': [
      {
        verdict: 'conformant',
        wire: [
          taking(['--> {hello}'], {
            handshake: { serverCertificate: { ...CERTIFICATE, notAfter: '2027-12-20T06:00:00Z' } },
          }),
        ],
      },
    ],
    'nothing is wrong': [
      { wire: [NO_TLS], verdict: 'conformant' },
      { wire: [NO_TLS], verdict: 'conformant' },
    ],
  }
  for (const [what, judged] of Object.entries(NONE))
    it(`is not claimed where ${what}`, () => assert.deepEqual(causesOf(judged.map(verdict)), []))

  it('is told of circumstances under which alone several requirements are broken, the most frequent one first', () => {
    const only = (requirement: string, ...names: string[]) =>
      verdict({
        ...{ requirement, wire: [TOOK], given: ['an inbound connector that requires TLS for the domain'] },
        circumstances: { tried: 8, broken: 1, unclear: 0, cells: [], only: names },
      })
    const causes = causesOf([
      only('EXO-FRC-11', 'greeting: HELO'),
      only('EXO-FRC-15', 'recipients: two', 'greeting: HELO'),
      only('EXO-CON-01', 'recipients: two'),
    ])
    assert.deepEqual(causes.map(toldOf), [
      'the gateway breaks what it keeps otherwise under the circumstance "greeting: HELO": 2 requirements fail because of it',
    ])
  })

  it('is told of failed controls, which are called so', () => {
    const seen = {
      kind: 'broken',
      detail: 'the message arrived unencrypted',
      lacks: { what: 'sends over TLS', domain: 'a.test' },
    } as const
    const failed = { breaks: 'EXO-OPP-01', seen }
    const control = (requirement: string) =>
      verdict({ requirement, control: true, verdict: 'inconclusive', failed })
    const [cause] = causesOf([
      control('EXO-OPP-04'),
      control('EXO-VER-02'),
      verdict({ requirement: 'EXO-OPP-01' }),
    ])
    assert.equal(cause?.id, 'control-EXO-OPP-01')
    assert.equal(
      toldOf(cause),
      'a control fails: the message arrived unencrypted: 1 requirement fails because of it, and 2 could not be judged',
    )
  })
})
