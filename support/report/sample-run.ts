/** Made-up runs for the tests of this folder; nothing else imports them. */

import { loadCatalogue } from '../verdicts/catalogue.ts'
import { totals, VERDICTS, type VerdictName } from '../verdicts/verdict.ts'
import type { CertificateFacts, Conversation, Handshake, Party, WireEvent } from '../wire/conversation.ts'
import type { RecordedVerdict, RunRecord } from './run-record.ts'

/** What a peer could try to break a report with. */
export const HOSTILE = [
  '</script><script>alert(1)</script>',
  '"><img src=x onerror=alert(2)>',
  "' onmouseover='alert(3)",
  '<!-- --><svg onload=alert(4)>',
  ']]></failure><testcase name="forged"/>',
  '\u0000NUL \u001b[31mred\u001b[0m \u202egnp.exe\u202c \ud800 \ufffe',
  '| a | b |\n# forged [link](https://evil.test) `code` <b>',
  '<%= process.exit(1) %>',
  'x'.repeat(10_000),
] as const

const PARTNER: CertificateFacts = {
  subject: 'CN=mx.p7.verified.test',
  issuer: 'CN=Mail TLS test root',
  names: ['p7.verified.test', 'mx.p7.verified.test'],
  notBefore: 'Nov 23 11:00:00 2026 GMT',
  notAfter: 'Dec 24 11:00:00 2026 GMT',
  fingerprint: '9f2c4e1ab07d5566f1c02b7a94de8831c7a5520ee69f0b1d4a8873cc26fd9034',
  chainLength: 2,
}

const OFFER: Handshake['offered'] = {
  legacyVersion: 'TLSv1.2',
  versions: ['TLSv1.3', 'TLSv1.2'],
  suites: [
    'TLS_AES_256_GCM_SHA384',
    'TLS_CHACHA20_POLY1305_SHA256',
    'TLS_AES_128_GCM_SHA256',
    'TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384',
    'TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256',
  ],
  groups: ['X25519MLKEM768', 'X25519', 'P-256', 'P-384'],
  signatureAlgorithms: ['ecdsa_secp256r1_sha256', 'rsa_pss_rsae_sha256', 'rsa_pkcs1_sha256'],
  serverName: 'mx.p7.verified.test',
  length: 1594,
}

type Said = [from: 's' | 'r', text: string, kind?: WireEvent['kind'], secured?: boolean]

let conversations = 0

function talk(
  gatewayIs: Party,
  said: Said[],
  { handshake, ...names }: { handshake?: Handshake; sender?: string; receiver?: string } = {},
): Conversation {
  const [gateway, partner] = ['haraka.gateway.test', 'mx.p7.verified.test']
  let at = 0
  return {
    id: `c${++conversations}`,
    gatewayIs,
    sender: gatewayIs === 'sender' ? gateway : 'client.p7.verified.test',
    receiver: gatewayIs === 'sender' ? partner : gateway,
    startedAt: '2026-11-24T11:57:03.120Z',
    events: said.map(([from, text, kind, secured = false]) => {
      at += 0.4 + (text.length % 7) * 0.3
      return {
        at: Math.round(at * 100) / 100,
        from: from === 's' ? 'sender' : 'receiver',
        kind: kind ?? (from === 's' ? 'command' : 'reply'),
        secured,
        text,
      }
    }),
    ...(handshake ? { handshake } : {}),
    clear: { fromSender: 'EHLO haraka.gateway.test\\r\\nSTARTTLS\\r\\n', fromReceiver: '220 mx ESMTP\\r\\n' },
    closed: true,
    ...names,
  }
}

const HELLO: Said[] = [
  ['s', 'from 127.0.0.1', 'open'],
  ['r', '220 mx.p7.verified.test ESMTP'],
  ['s', 'EHLO haraka.gateway.test'],
  ['r', '250-mx.p7.verified.test'],
  ['r', '250-PIPELINING'],
  ['r', '250-8BITMIME'],
  ['r', '250-ENHANCEDSTATUSCODES'],
]
const STARTTLS: Said[] = [
  ['r', '250-SIZE 33554432'],
  ['r', '250 STARTTLS'],
  ['s', 'STARTTLS'],
  ['r', '220 2.0.0 Go ahead'],
  ['s', 'ClientHello: TLS 1.3, TLS 1.2; 5 suites, SNI mx.p7.verified.test', 'handshake'],
]
const END: Said[] = [
  ['s', 'QUIT'],
  ['r', '221 2.0.0 mx.p7.verified.test closes'],
  ['r', 'closed after QUIT', 'close'],
]
const MAIL: Said[] = [
  ['s', 'MAIL FROM:<probe@gateway.test>'],
  ['r', '250 2.1.0 Sender noted'],
  ['s', 'RCPT TO:<inbox@p7.verified.test>'],
  ['r', '250 2.1.5 Recipient noted'],
  ['s', 'DATA'],
  ['r', '354 Go on, end with a dot'],
  ['s', 'message of 412 bytes', 'content'],
  ['r', '250 2.0.0 Taken'],
]
const inside = (said: Said[]): Said[] =>
  said.map(([from, text, kind]) => [from, text, kind ?? (from === 's' ? 'command' : 'reply'), true])

function overTls(gatewayIs: Party, handshake: Handshake = {}): Conversation {
  return talk(
    gatewayIs,
    [
      ...HELLO,
      ...STARTTLS,
      ['r', 'ServerHello: TLS 1.3, TLS_AES_256_GCM_SHA384, X25519MLKEM768', 'handshake'],
      ['s', 'TLS 1.3 established, TLS_AES_256_GCM_SHA384', 'handshake', true],
      ...inside([
        ['s', 'EHLO haraka.gateway.test'],
        ['r', '250-mx.p7.verified.test'],
        ['r', '250-PIPELINING'],
        ['r', '250-8BITMIME'],
        ['r', '250-ENHANCEDSTATUSCODES'],
        ['r', '250 SIZE 33554432'],
        ...MAIL,
        ...END,
      ]),
    ],
    {
      handshake: {
        offered: OFFER!,
        version: 'TLSv1.3',
        suite: 'TLS_AES_256_GCM_SHA384',
        group: 'X25519MLKEM768',
        serverCertificate: PARTNER,
        ...handshake,
      },
    },
  )
}

const inClear = (): Conversation =>
  talk('sender', [...HELLO, ['r', '250 SIZE 33554432'], ...MAIL, ...END], {})

const heldBack = (): Conversation => talk('sender', [...HELLO, ['r', '250 SIZE 33554432'], ...END], {})

function brokenHandshake(error: string, certificate = PARTNER): Conversation {
  return talk(
    'sender',
    [
      ...HELLO,
      ...STARTTLS,
      ['r', 'ServerHello: TLS 1.3, TLS_AES_256_GCM_SHA384, X25519', 'handshake'],
      ['s', 'fatal alert: bad_certificate', 'alert'],
      ['r', `handshake failed: ${error}`, 'error'],
      ['s', 'closed', 'close'],
    ],
    {
      handshake: {
        offered: OFFER!,
        version: 'TLSv1.3',
        suite: 'TLS_AES_256_GCM_SHA384',
        group: 'X25519',
        serverCertificate: certificate,
        error,
      },
    },
  )
}

function refusedOldVersion(): Conversation {
  return talk(
    'receiver',
    [
      ['s', 'to 127.0.0.1 port 2525', 'open'],
      ['r', '220 haraka.gateway.test ESMTP Haraka ready'],
      ['s', 'EHLO client.p7.verified.test'],
      ['r', '250-haraka.gateway.test Hello localhost [127.0.0.1], Haraka is at your service.'],
      ['r', '250-PIPELINING'],
      ['r', '250 STARTTLS'],
      ['s', 'STARTTLS'],
      ['r', '220 Go ahead.'],
      ['s', 'ClientHello: TLS 1.0; 6 suites, no SNI', 'handshake'],
      ['r', 'fatal alert: protocol_version', 'alert'],
      ['s', 'handshake failed: write EPROTO SSL alert number 70', 'error'],
      ['s', 'closed', 'close'],
    ],
    {
      handshake: {
        offered: {
          ...OFFER!,
          legacyVersion: 'TLSv1',
          versions: ['TLSv1'],
          groups: ['P-256'],
          signatureAlgorithms: [],
        },
        error: 'write EPROTO SSL alert number 70',
      },
    },
  )
}

/** Two hundred refused recipients between a greeting and the refusal that decides. */
export function longConversation(): Conversation {
  return talk('receiver', [
    ...HELLO,
    ['r', '250 SIZE 33554432'],
    ...Array.from({ length: 200 }, (_, n): Said[] => [
      ['s', `RCPT TO:<user${n}@gateway.test>`],
      ['r', '503 5.5.1 No sender yet'],
    ]).flat(),
    ['s', 'DATA'],
    ['r', '530 5.7.0 Must issue a STARTTLS command first'],
    ...END,
  ])
}

interface Sample {
  id: string
  verdict: VerdictName
  title: string
  detail: string
  line: number
  control?: boolean
  steps?: string[]
  notes?: string[]
  conversations?: Conversation[]
}

const QUEUE = [
  '[notice] [-] [outbound] deferred: TLS required for p7.verified.test, STARTTLS not offered',
  'temp_fail: will retry in 64 s',
]
const FORCED = 'Given an outbound connector that requires encryption for the partner’s domain'
const SENDS = 'When the gateway sends a message to the partner'
const arrives = [FORCED, 'And the partner offers STARTTLS', SENDS, 'Then the message arrives over TLS']
const stays = [
  FORCED,
  'And the partner does not offer STARTTLS',
  SENDS,
  'Then the message is held back',
  'And nothing of it crossed the wire in clear',
]

const control = (id: string, line: number, receiver = false): Sample => ({
  ...{ id, line, control: true, verdict: 'conformant', steps: arrives },
  title: 'a partner with TLS gets the mail',
  detail: 'the message arrived over TLS 1.3',
  conversations: [overTls(receiver ? 'receiver' : 'sender')],
})

function samples(): Sample[] {
  return [
    control('EXO-FRC-01', 14),
    {
      ...{ id: 'EXO-FRC-01', verdict: 'non-conformant', line: 21, steps: stays },
      title: 'a partner without TLS gets nothing',
      detail:
        'the message went out in clear: MAIL, RCPT and 412 bytes of content crossed the wire before any TLS',
      notes: ['[notice] [3A1C.1] [outbound] delivered file=1764 domain=p7.verified.test mode=SMTP tls=N'],
      conversations: [inClear()],
    },
    control('EXO-FRC-04', 30),
    {
      ...{ id: 'EXO-FRC-04', verdict: 'conformant', line: 38, steps: arrives },
      title: 'a partner that has TLS again at the next attempt',
      detail: 'held back at the first attempt, delivered over TLS 1.3 at the second, once',
      notes: QUEUE,
      conversations: [heldBack(), overTls('sender')],
    },
    control('EXO-FRC-05', 47),
    {
      ...{ id: 'EXO-FRC-05', verdict: 'conformant', line: 54, steps: stays },
      title: 'a partner without TLS in the connector’s domain',
      detail: 'no MAIL command was sent, and the queue says deferred',
      notes: QUEUE,
      conversations: [heldBack()],
    },
    control('EXO-FRC-07', 80),
    {
      ...{ id: 'EXO-FRC-07', verdict: 'conformant', line: 88, steps: arrives },
      title: 'a certificate that has expired',
      detail:
        'the sender broke the handshake off with bad_certificate, and nothing of the message crossed the wire',
      conversations: [
        brokenHandshake('ssl/tls alert bad certificate', {
          ...PARTNER,
          notBefore: 'Nov 1 11:00:00 2026 GMT',
          notAfter: 'Nov 20 11:00:00 2026 GMT',
        }),
      ],
    },
    {
      ...{ id: 'EXO-FRC-07', verdict: 'inconclusive', line: 96, steps: stays },
      title: 'a partner that goes silent in the handshake',
      detail: 'the gateway neither deferred nor delivered within 5 s after its last sign',
      conversations: [
        talk(
          'sender',
          [
            ...HELLO,
            ...STARTTLS,
            ['r', 'says nothing to the ClientHello', 'bytes'],
            ['s', 'closed', 'close'],
          ],
          { handshake: { offered: OFFER! } },
        ),
      ],
    },
    control('EXO-FRC-09', 12),
    {
      ...{ id: 'EXO-FRC-09', verdict: 'deviates', line: 19, steps: stays },
      title: 'a certificate for another name at the level of domain validation',
      detail:
        'delivered although the certificate names another host (recorded: Haraka has no setting for the expected name.)',
      conversations: [
        overTls('sender', {
          serverCertificate: { ...PARTNER, subject: 'CN=unrelated.test', names: ['unrelated.test'] },
        }),
      ],
    },
    {
      ...{ id: 'EXO-FRC-10', verdict: 'stale', line: 31 },
      title: 'a recorded deviation no longer shows',
      detail:
        'recorded on 2026-03-02, but it did not show: delivered to a sub-domain that the wildcard does not cover',
    },
    control('EXO-FRC-10', 31),
    control('EXO-FRC-11', 9, true),
    {
      ...{ id: 'EXO-FRC-11', verdict: 'lab-error', line: 17, steps: stays },
      title: 'a sender without TLS from a required domain',
      detail: 'the partner could not be made: no address is left in 127.0.0.0/8',
    },
    {
      ...{ id: 'EXO-FRC-13', verdict: 'inapplicable', line: 44 },
      title: 'a client certificate for another name',
      detail: 'the gateway file has no connector with clientCertificate',
    },
    control('EXO-OPP-01', 11),
    {
      ...{ id: 'EXO-OPP-04', verdict: 'conformant', line: 22, steps: stays },
      title: 'a partner without TLS still gets the mail',
      detail: 'the message arrived in clear, as it may',
      conversations: [inClear()],
    },
    {
      ...{ id: 'EXO-OPP-05', verdict: 'declined', line: 40, steps: stays },
      title: 'a self-signed certificate',
      detail: 'the message was held back, though an opportunistic sender should encrypt and go on',
      notes: QUEUE,
      conversations: [brokenHandshake('self-signed certificate')],
    },
    control('EXO-VER-03', 28, true),
    ...['TLS 1.1', 'TLS 1.0'].map(
      (version, index): Sample => ({
        ...{ id: 'EXO-VER-03', verdict: 'conformant', line: 41 + index },
        title: version,
        detail: 'the gateway answered the ClientHello with a protocol_version alert',
        conversations: [refusedOldVersion()],
      }),
    ),
    {
      ...{ id: 'RFC3207-05', verdict: 'conformant', line: 33 },
      title: 'a sender that asks for two hundred recipients without TLS',
      detail: 'refused with 530 5.7.0',
      conversations: [longConversation()],
    },
    {
      ...{ id: 'RFC5321-01', verdict: 'conformant', line: 60 },
      title: 'a first MX without TLS and a second with it',
      detail: 'passed over mx1 without a word of the message, delivered to mx2 over TLS 1.3',
      conversations: [
        { ...heldBack(), receiver: 'mx1.p7.verified.test' },
        { ...overTls('sender'), receiver: 'mx2.p7.verified.test' },
      ],
    },
    {
      ...{ id: 'RFC3207-08', verdict: 'conformant', line: 38 },
      title: 'half a line that lists AUTH behind the go-ahead',
      detail: 'the gateway dropped what came in clear and waited for the answer inside TLS',
      conversations: [
        talk('sender', [
          ...HELLO,
          ...STARTTLS,
          ['r', 'not TLS: 250 AUTH PLAIN\\r\\n', 'bytes'],
          ['r', 'handshake failed: wrong version number', 'error'],
          ['s', 'closed', 'close'],
        ]),
      ],
    },
    {
      ...{ id: 'DANE-01', verdict: 'inapplicable', line: 8 },
      title: 'a partner with signed TLSA records',
      detail: 'the gateway does not claim dane',
    },
    {
      ...{ id: 'STS-05', verdict: 'inapplicable', line: 8 },
      title: 'a partner in enforce mode without STARTTLS',
      detail: 'the gateway does not claim mta-sts',
    },
    control('EXO-S2S-03', 7),
    {
      ...{ id: 'EXO-MSG-02', verdict: 'conformant', line: 25 },
      title: 'a message that came over TLS is passed on to a partner without TLS',
      detail: 'it went out in clear: encryption of one hop says nothing about the next',
      conversations: [overTls('receiver'), inClear()],
    },
    {
      ...{ id: 'EXO-VER-06', verdict: 'declined', line: 16 },
      title: 'a clear-text transfer can be found afterwards',
      detail: 'neither the log nor the Received header says that there was no TLS',
      notes: Array.from({ length: 60 }, (_, n) => `[info] [core] line ${n} that says nothing of TLS`),
    },
    control('EXO-TRN-01', 10),
  ]
}

/** Evil in every text that a peer or a gateway chooses. */
function hostileSamples(): Sample[] {
  return HOSTILE.map((text, index) => ({
    ...{ id: 'EXO-OPP-01', verdict: VERDICTS[index % VERDICTS.length]!, line: 100 + index },
    title: `hostile ${text}`,
    detail: `seen: ${text}`,
    steps: [`Given ${text}`],
    notes: [text],
    conversations: [
      talk(
        'sender',
        [
          ['r', `220 ${text}`],
          ['s', text, 'bytes'],
          ['r', `handshake failed: ${text}`, 'error'],
        ],
        {
          sender: text,
          receiver: text,
          handshake: {
            offered: { ...OFFER!, serverName: text, suites: [text] },
            serverCertificate: { ...PARTNER, subject: text, issuer: text, names: [text], notAfter: text },
            error: text,
          },
        },
      ),
    ],
  }))
}

function judged(sample: Sample): RecordedVerdict {
  const { id, verdict, title, detail, line, control = false, conversations = [], notes = [] } = sample
  const catalogue = loadCatalogue()
  const { level, actor, area } = catalogue.get(id)
  return {
    requirement: id,
    level,
    actor: actor === 'both' ? 'sender' : actor,
    scenario: `features/${area}/sample.feature:${line}`,
    title,
    control,
    verdict,
    detail,
    durationMs: 12.5 + line,
    seen: { conversations, notes, steps: sample.steps ?? arrives },
  }
}

function record(verdicts: RecordedVerdict[], name: string): RunRecord {
  return {
    schema: 1,
    suite: { name: 'mail-tls-conformance', version: '0.1.0', commit: '5b1f0c2d9e8a77c4f1b2' },
    gateway: { name, version: '3.3.4', library: 'OpenSSL 3.5.7', kind: 'embedded' },
    profiles: ['exchange-online-2021', 'starttls-base', 'tls-bcp-2022'],
    startedAt: '2026-11-24T11:57:02.004Z',
    durationMs: 8421,
    totals: totals(verdicts),
    verdicts,
    command: 'npx mail-tls check haraka --profile exchange-online-2021',
  }
}

/** About thirty verdicts of all kinds, as a run would have them. */
export function sampleRun(): RunRecord {
  return record(samples().map(judged), 'haraka')
}

/** The same with everything hostile in it. */
export function hostileRun(): RunRecord {
  return {
    ...record([...samples(), ...hostileSamples()].map(judged), HOSTILE[0]),
    command: HOSTILE.filter(({ length }) => length < 100).join(' '),
  }
}

/** `count` examples of about 25 events, over many requirements of the catalogue. */
export function largeRun(count: number): RunRecord {
  const ids = loadCatalogue().requirements.map(({ id }) => id)
  return record(
    Array.from({ length: count }, (_, n) => judged(control(ids[n % ids.length]!, n + 1))),
    'haraka',
  )
}
