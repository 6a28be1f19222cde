import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { InputError } from '../input-error.ts'
import { Pki } from '../pki/pki.ts'
import schema from './gateway-file.schema.json' with { type: 'json' }
import { loadGatewayFile } from './gateway-file.ts'
import { parseEndpoint } from './gateway-file-values.ts'

/** The file of the contract (design, section 7). */
const CONTRACT = `
name: edge-gateway
inbound:
  address: 127.0.0.1:2525
  hostname: mx.gateway.test
  trust: ./gateway-ca.pem
  recipient: inbox@gateway.test
  mailbox: http://127.0.0.1:8025
  connectors:
    - from: "*.required.test"
      tls: required
    - from: "*.partner.test"
      tls: required
      clientCertificate: gateway.partner.test
outbound:
  submit: 127.0.0.1:2587
  sender: probe@gateway.test
  partner: 127.0.0.1:2625
  connectors:
    - to: "*.opportunistic.test"
      tls: opportunistic
    - to: "*.encrypted.test"
      tls: encryption-only
    - to: "*.trusted.test"
      tls: certificate-validation
    - to: "*.verified.test"
      tls: domain-validation
  settle: 5s
profiles: [exchange-online-2021]
deviations: ./deviations.yaml
pki: ./pki
`.slice(1)

const SENDER_ONLY = `name: a\n${CONTRACT.slice(CONTRACT.indexOf('outbound:'), CONTRACT.indexOf('profiles:'))}`

describe('a gateway file', () => {
  let folder: string
  let roots: string[]

  before(async () => {
    const pki = new Pki()
    roots = [await pki.root(), await pki.root('other')]
  })
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'gateway-file-'))
    mkdirSync(join(folder, 'pki'))
    put('gateway-ca.pem', roots[0]!)
    put('deviations.yaml', '[]')
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  const put = (name: string, text: string) => {
    writeFileSync(join(folder, name), text)
    return join(folder, name)
  }
  const load = (text: string) => loadGatewayFile(put('gateway.yaml', text))
  /** The contract's file with one text in place of another. */
  const varied = (from: string, to: string) => {
    assert.ok(CONTRACT.includes(from), `${from} is not in the file`)
    return CONTRACT.replace(from, () => to)
  }
  const refused = (text: string, message: string) =>
    assert.throws(
      () => load(text),
      error => {
        assert.ok(error instanceof InputError, String(error))
        assert.equal(error.message.replaceAll(`${folder}/`, ''), message)
        return true
      },
    )

  it('is read as its documentation describes it', () => {
    const partner = [{ host: '127.0.0.1', port: 2625 }]
    assert.deepEqual(load(CONTRACT), {
      path: join(folder, 'gateway.yaml'),
      name: 'edge-gateway',
      inbound: {
        address: { host: '127.0.0.1', port: 2525 },
        hostname: 'mx.gateway.test',
        trust: [roots[0]],
        recipient: 'inbox@gateway.test',
        mailbox: { url: 'http://127.0.0.1:8025' },
        connectors: [
          { from: '*.required.test', tls: 'required' },
          { from: '*.partner.test', tls: 'required', clientCertificate: 'gateway.partner.test' },
        ],
      },
      outbound: {
        submit: { host: '127.0.0.1', port: 2587 },
        sender: 'probe@gateway.test',
        partner,
        connectors: [
          { to: '*.opportunistic.test', tls: 'opportunistic', partner },
          { to: '*.encrypted.test', tls: 'encryption-only', partner },
          { to: '*.trusted.test', tls: 'certificate-validation', partner },
          { to: '*.verified.test', tls: 'domain-validation', partner },
        ],
        settle: 5000,
      },
      profiles: ['exchange-online-2021'],
      deviations: join(folder, 'deviations.yaml'),
      pki: join(folder, 'pki'),
    })
  })

  it('may describe one direction only, and leave out what has a default', () => {
    const sender = load(SENDER_ONLY.replace('  settle: 5s\n', ''))
    assert.equal(sender.inbound, undefined)
    assert.equal(sender.outbound?.settle, 5000)
    assert.equal(sender.pki, join(folder, 'pki'))
    assert.deepEqual([sender.profiles, sender.deviations], [undefined, undefined])
    const receiver = load('name: a\ninbound:\n  address: mx:25\n  hostname: mx\n  recipient: a@b\n')
    assert.deepEqual(receiver.inbound, {
      address: { host: 'mx', port: 25 },
      hostname: 'mx',
      recipient: 'a@b',
      connectors: [],
    })
    assert.equal(receiver.outbound, undefined)
  })

  it('that describes no direction is refused', () => {
    refused(
      'name: a\n',
      'gateway.yaml:1:1: neither inbound nor outbound is there, so nothing could be tested',
    )
  })

  it('may have several partner addresses, one for a single connector, and names to compare with', () => {
    const { outbound } = load(
      varied('partner: 127.0.0.1:2625', 'partner: ["127.0.0.2:2625", "[::1]:2625"]').replace(
        'tls: domain-validation',
        'tls: domain-validation\n      tlsDomain: "*.Partner.test"\n      partner: 127.0.0.2:2626',
      ),
    )
    assert.deepEqual(outbound!.connectors[0]!.partner, [
      { host: '127.0.0.2', port: 2625 },
      { host: '::1', port: 2625 },
    ])
    assert.deepEqual(outbound!.connectors[3]!.partner, [{ host: '127.0.0.2', port: 2626 }])
    assert.equal(outbound!.connectors[3]!.tlsDomain, '*.partner.test')
  })

  const wrong: [about: string, from: string, to: string, message: string][] = [
    [
      'an unknown key',
      'settle: 5s',
      'settled: 5s',
      '27:3: outbound.settled: unknown key; did you mean settle?',
    ],
    ['a missing key', '  hostname: mx.gateway.test\n', '', '3:3: inbound: hostname is missing'],
    [
      'an unknown level',
      'tls: encryption-only',
      'tls: forced',
      '22:12: outbound.connectors[1].tls: must be one of opportunistic, encryption-only, certificate-validation, domain-validation, not "forced"',
    ],
    [
      'a partner that is neither an address nor a list',
      'partner: 127.0.0.1:2625',
      'partner: 2625',
      '17:12: outbound.partner: must be a string or a list, not 2625',
    ],
    [
      'no partner',
      'partner: 127.0.0.1:2625',
      'partner: []',
      '17:12: outbound.partner: must NOT have fewer than 1 items',
    ],
    [
      'a pattern without quotes',
      '"*.required.test"',
      '*.required.test',
      '9:13: inbound.connectors[0].from: begins with *; put "*.required.test" in quotes',
    ],
    [
      'an IPv6 address without quotes',
      '127.0.0.1:2525',
      '[::1]:2525',
      '3:17: not valid YAML: Unexpected scalar at node end; an IPv6 address needs quotes',
    ],
    [
      'an address without port',
      '127.0.0.1:2525',
      '127.0.0.1',
      '3:12: inbound.address: its port is missing; must be host:port, such as 127.0.0.1:2525 or [::1]:2525',
    ],
    [
      'a port that is none',
      '127.0.0.1:2587',
      '127.0.0.1:65536',
      '15:11: outbound.submit: its port must be from 1 to 65535',
    ],
    [
      'IPv6 without brackets',
      '127.0.0.1:2525',
      '::1:2525',
      '3:12: inbound.address: an IPv6 address stands in brackets, such as [::1]:2525',
    ],
    [
      'a partner twice',
      'partner: 127.0.0.1:2625',
      'partner: [a:25, b:25, a:25]',
      '17:25: outbound.partner[2]: is the same address as one before',
    ],
    [
      'a wrong partner of a connector',
      'tls: encryption-only',
      'tls: encryption-only\n      partner: [b:25, a]',
      '23:23: outbound.connectors[1].partner[1]: its port is missing; must be host:port, such as 127.0.0.1:2525 or [::1]:2525',
    ],
    [
      'a wrong partner in a list',
      'partner: 127.0.0.1:2625',
      'partner: [a:25, b]',
      '17:19: outbound.partner[1]: its port is missing; must be host:port, such as 127.0.0.1:2525 or [::1]:2525',
    ],
    [
      'an address for a host name',
      'mx.gateway.test',
      '192.0.2.1',
      '4:13: inbound.hostname: must be a host name, such as mx.gateway.test',
    ],
    [
      'a host name in letters of its own',
      'mx.gateway.test',
      'mx.grüße.test',
      '4:13: inbound.hostname: must be a host name, such as mx.gateway.test; write it as the DNS has it, with xn--',
    ],
    [
      'a recipient that is none',
      'inbox@gateway.test',
      'inbox',
      '6:14: inbound.recipient: must be a mail address, such as inbox@gateway.test',
    ],
    [
      'a sender with more than an address',
      'probe@gateway.test',
      '"a@b.test> SIZE=1"',
      '16:11: outbound.sender: must be a mail address, such as inbox@gateway.test',
    ],
    [
      'a star in the wrong place',
      '"*.required.test"',
      '"*required.test"',
      '9:13: inbound.connectors[0].from: must be a domain, or *. in front of one, such as partner.test or *.partner.test',
    ],
    [
      'a star alone',
      '"*.trusted.test"',
      '"*"',
      '23:11: outbound.connectors[2].to: must be a domain, or *. in front of one, such as partner.test or *.partner.test',
    ],
    [
      'a sender domain twice',
      '"*.partner.test"',
      '"*.Required.test"',
      '11:13: inbound.connectors[1].from: is the same domain as one before',
    ],
    [
      'a recipient domain twice',
      '"*.verified.test"',
      '"*.trusted.test"',
      '25:11: outbound.connectors[3].to: is the same domain as one before',
    ],
    [
      'a certificate without TLS',
      '      tls: required\n      clientC',
      '      tls: opportunistic\n      clientC',
      '13:26: inbound.connectors[1].clientCertificate: needs tls: required in the same connector',
    ],
    [
      'a certificate name that is none',
      'gateway.partner.test',
      'a b',
      '13:26: inbound.connectors[1].clientCertificate: must be a domain, or *. in front of one, such as partner.test or *.partner.test',
    ],
    [
      'a name where none is compared',
      'tls: encryption-only',
      'tls: encryption-only\n      tlsDomain: a.test',
      '23:18: outbound.connectors[1].tlsDomain: needs tls: domain-validation in the same connector',
    ],
    [
      'a wait without unit',
      '5s',
      '5',
      '27:11: outbound.settle: must be a number with ms, s or m, from 100ms to 10m',
    ],
    [
      'a wait in hours',
      '5s',
      '1h',
      '27:11: outbound.settle: must be a number with ms, s or m, from 100ms to 10m',
    ],
    [
      'a wait that is too short',
      '5s',
      '99ms',
      '27:11: outbound.settle: must be a number with ms, s or m, from 100ms to 10m',
    ],
    [
      'a wait that is too long',
      '5s',
      '10.01m',
      '27:11: outbound.settle: must be a number with ms, s or m, from 100ms to 10m',
    ],
    [
      'a name that is a path',
      'edge-gateway',
      '../edge',
      '1:7: name: must be 1 to 64 letters, digits, blanks, dots, hyphens or underscores, no sign first',
    ],
    [
      'a trust file that is not there',
      './gateway-ca.pem',
      'ca/none.pem',
      '5:10: inbound.trust: there is no file ca/none.pem',
    ],
    [
      'a trust file without certificate',
      './gateway-ca.pem',
      './deviations.yaml',
      '5:10: inbound.trust: deviations.yaml holds no certificate in PEM',
    ],
    ['a trust file that is a folder', './gateway-ca.pem', './pki', '5:10: inbound.trust: pki is not a file'],
    [
      'a deviations file that is not there',
      './deviations.yaml',
      './none.yaml',
      '29:13: deviations: there is no file none.yaml',
    ],
    [
      'a pki that is not there',
      'pki: ./pki',
      'pki: ./keys',
      '30:6: pki: there is no folder keys; mail-tls init creates it',
    ],
    [
      'a pki that is a file',
      'pki: ./pki',
      'pki: gateway-ca.pem',
      '30:6: pki: gateway-ca.pem is not a folder; mail-tls init creates it',
    ],
  ]
  for (const [about, from, to, message] of wrong)
    it(`is refused with its place for ${about}`, () => refused(varied(from, to), `gateway.yaml:${message}`))

  it('is refused if its default pki folder does not exist', () => {
    rmSync(join(folder, 'pki'), { recursive: true })
    refused(SENDER_ONLY, 'gateway.yaml:1:1: pki: there is no folder pki; mail-tls init creates it')
  })

  it('is refused for a profile that no requirement has', () => {
    assert.throws(() => load(varied('[exchange-online-2021]', '[dane, exchange-online-2020]')), {
      name: 'InputError',
      message: /gateway\.yaml:28:18: profiles\[1\]: .*exchange-online-2020/,
    })
  })

  it('accepts durations within their limits', () => {
    const settle = (text: string) => load(varied('5s', text)).outbound?.settle
    assert.deepEqual(['100ms', '1.5s', '10m'].map(settle), [100, 1500, 600_000])
  })

  it('refuses an intermediate as a root: it would fill a gap in the chain that the gateway shows', async () => {
    const { certificate } = await new Pki().issue({ names: ['mx.gateway.test'], usage: 'server' })
    put('gateway-ca.pem', `${roots[0]}${certificate}`)
    refused(
      CONTRACT,
      'gateway.yaml:5:10: inbound.trust: certificate 2 of gateway-ca.pem is no root: another one issued it',
    )
  })

  it('accepts all roots of a trust file, and nothing else in it', () => {
    put(
      'gateway-ca.pem',
      `first:\n${roots[0]}-----BEGIN PRIVATE KEY-----\nAA\n-----END PRIVATE KEY-----\n${roots[1]}`,
    )
    assert.deepEqual(load(CONTRACT).inbound?.trust, roots)
    put('gateway-ca.pem', `${roots[0]}${roots[1]!.replace('\nMII', '\nAAA')}`)
    refused(CONTRACT, 'gateway.yaml:5:10: inbound.trust: certificate 2 of gateway-ca.pem cannot be read')
  })

  it('finds other files relative to itself, not to the working directory', () => {
    const { inbound, pki } = load(varied('./gateway-ca.pem', join(folder, 'gateway-ca.pem')))
    assert.deepEqual([inbound?.trust, pki], [[roots[0]], join(folder, 'pki')])
  })

  describe('with a mailbox', () => {
    const mailbox = (url: string) => load(varied('http://127.0.0.1:8025', url)).inbound?.mailbox

    it('keeps the credentials apart from the address', () => {
      assert.deepEqual(mailbox('https://us%40er:p%3Ass@mail.test:8443/hog/'), {
        url: 'https://mail.test:8443/hog',
        authorization: `Basic ${btoa('us@er:p:ss')}`,
      })
    })

    it('never prints the credentials', () => {
      for (const url of [
        'ftp://user:secret@mail.test',
        'user:secret@mail.test',
        'http://user:secret@',
        'http://user:secret@mail.test/?a',
        'http://user:secret%zz@mail.test',
      ])
        assert.throws(
          () => mailbox(url),
          error => {
            assert.ok(error instanceof InputError, String(error))
            assert.match(error.message, /gateway\.yaml:7:12: inbound\.mailbox: /)
            assert.ok(!error.message.includes('secret'), error.message)
            return true
          },
          url,
        )
    })
  })

  it('describes each key in its schema', () => {
    const nameless: string[] = []
    const visit = (properties: object, path: string) => {
      for (const [key, value] of Object.entries(properties)) {
        const here = `${path}${key}`
        if (!/^.{15,}\.$/.test(value.description ?? '')) nameless.push(here)
        visit(value.properties ?? value.items?.properties ?? {}, `${here}.`)
      }
    }
    visit({ file: schema }, '')
    assert.deepEqual(nameless, [])
  })
})

describe('an endpoint', () => {
  it('is a host and a port', () => {
    assert.deepEqual(parseEndpoint('mx.gateway.test:25'), { host: 'mx.gateway.test', port: 25 })
    assert.deepEqual(parseEndpoint('[fe80::1%eth0]:65535'), { host: 'fe80::1%eth0', port: 65_535 })
    assert.deepEqual(parseEndpoint('mail_1:1'), { host: 'mail_1', port: 1 })
  })

  it('may leave out a port that has a default', () => {
    assert.deepEqual(parseEndpoint('mx.gateway.test', 25), { host: 'mx.gateway.test', port: 25 })
    assert.deepEqual(parseEndpoint('[::1]', 25), { host: '::1', port: 25 })
    assert.deepEqual(parseEndpoint('[::1]:26', 25), { host: '::1', port: 26 })
  })

  for (const text of [
    '',
    ':25',
    'a',
    'a:',
    'a:0',
    'a:65536',
    'a:b',
    'a:-1',
    'a:2 5',
    'a b:25',
    '-a:25',
    'a..b:25',
    '.a:25',
    'a.:25',
    '1.2.3.256:25',
    '1.2.3:25',
    '[::1]',
    '[::1]25',
    '[::g]:25',
    '[1.2.3.4]:25',
    '[]:25',
    '::1',
    '::1:25',
    'http://a:25',
    'a:25/',
    'a@b:25',
    'a:25\n',
    `${'a'.repeat(64)}:25`,
    `${'a.'.repeat(127)}a:25`,
  ])
    it(`is not ${JSON.stringify(text.slice(0, 30))}`, () => {
      assert.throws(() => parseEndpoint(text), { name: 'InputError' })
    })
})
