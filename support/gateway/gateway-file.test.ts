import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readerNames } from '../../containers/index.ts'
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

  it('may have commands, each as a list or as a text for a shell', () => {
    put('mail.log', '')
    const commands = (text: string) => load(`${SENDER_ONLY}commands: ${text}\n`).commands
    const own = { folder }
    assert.deepEqual(
      commands(
        '{ retry: [postqueue, -f], queue: mailq | cat, log: [tail, -f, a], reader: exim, timeout: 2m }',
      ),
      {
        retry: { ...own, key: 'commands.retry', argv: ['postqueue', '-f'] },
        queue: { ...own, key: 'commands.queue', argv: ['sh', '-c', 'mailq | cat'] },
        log: { ...own, key: 'commands.log', argv: ['tail', '-f', 'a'] },
        reader: 'exim',
        timeout: 120_000,
      },
    )
    assert.deepEqual(commands('{ log: { file: mail.log } }'), {
      log: { key: 'commands.log.file', path: join(folder, 'mail.log') },
      timeout: 10_000,
    })
  })

  const LAST = SENDER_ONLY.split('\n').length
  const wrongCommands: [about: string, text: string, message: string][] = [
    ['no command', '{}', `${LAST}:11: commands: must NOT have fewer than 1 properties`],
    ['an unknown command', '{ retyr: a }', `${LAST}:13: commands.retyr: unknown key; did you mean retry?`],
    [
      'a command without words',
      '{ retry: [] }',
      `${LAST}:20: commands.retry: must NOT have fewer than 1 items`,
    ],
    [
      'a command that is a number',
      '{ retry: 3 }',
      `${LAST}:20: commands.retry: must be a string or a list, not 3`,
    ],
    [
      'a word that is a number',
      '{ retry: [a, 3] }',
      `${LAST}:24: commands.retry[1]: must be a string, not 3`,
    ],
    [
      'a command without program',
      '{ retry: ["", a] }',
      `${LAST}:20: commands.retry: the first word must be a program`,
    ],
    ['a zero byte', '{ retry: [a, "\\0"] }', `${LAST}:20: commands.retry: must have no zero byte`],
    [
      'a log file that is not there',
      '{ log: { file: b.log } }',
      `${LAST}:26: commands.log.file: there is no file b.log`,
    ],
    ['a log without file', '{ log: { path: b.log } }', `${LAST}:18: commands.log: file is missing`],
    ['an unknown reader', '{ log: a, reader: qmail }', `${LAST}:29: commands.reader: must be one of postfix`],
    [
      'a reader of nothing',
      '{ reader: exim }',
      `${LAST}:21: commands.reader: needs log or queue, which it is to read`,
    ],
    [
      'a time that is too short',
      '{ timeout: 1ms }',
      `${LAST}:22: commands.timeout: must be a number with ms, s or m`,
    ],
  ]
  for (const [about, text, message] of wrongCommands)
    it(`with ${about} is refused, with line and key`, () =>
      assert.throws(
        () => load(`${SENDER_ONLY}commands: ${text}\n`),
        error => {
          assert.ok(error instanceof InputError, String(error))
          assert.ok(
            error.message.replaceAll(`${folder}/`, '').startsWith(`gateway.yaml:${message}`),
            error.message,
          )
          return true
        },
      ))

  it('may have a user, whose password is in a file or in the environment', () => {
    put('password', 'right horse\r\nmore\n')
    process.env['GATEWAY_FILE_TEST'] = 'right cow'
    try {
      const login = (text: string) =>
        load(SENDER_ONLY.replace('  sender:', `  login: ${text}\n  submitTls: implicit\n  sender:`)).outbound
      const { login: fromFile, submitTls } = login('{ user: probe, passwordFile: password }')!
      assert.deepEqual([fromFile, submitTls], [{ name: 'probe', password: 'right horse' }, 'implicit'])
      const fromEnv = login('{ user: probe, passwordEnv: GATEWAY_FILE_TEST }')!.login
      assert.deepEqual(fromEnv, { name: 'probe', password: 'right cow' })
    } finally {
      delete process.env['GATEWAY_FILE_TEST']
    }
  })

  const wrongLogins: [about: string, text: string, message: string][] = [
    ['without a user', '{ passwordEnv: A }', '4:10: outbound.login: user is missing'],
    [
      'without a password',
      '{ user: a }',
      '4:10: outbound.login: must have either passwordEnv or passwordFile',
    ],
    ['with a password itself', '{ user: a, password: secret }', '4:21: outbound.login.password: unknown key'],
    [
      'with a variable that is not set',
      '{ user: a, passwordEnv: NOT_SET_HERE }',
      '4:34: outbound.login.passwordEnv: the environment variable NOT_SET_HERE is not set',
    ],
    [
      'with a file that is not there',
      '{ user: a, passwordFile: b }',
      '4:35: outbound.login.passwordFile: there is no file b',
    ],
    [
      'with an empty file',
      '{ user: a, passwordFile: empty }',
      '4:35: outbound.login.passwordFile: empty is empty',
    ],
    [
      'without TLS',
      '{ user: a, passwordFile: empty }\n  submitTls: none',
      '4:10: outbound.login: needs TLS, so submitTls must not be none',
    ],
  ]
  for (const [about, text, message] of wrongLogins)
    it(`with a login ${about} is refused, with line and key`, () => {
      put('empty', '\n')
      assert.throws(
        () => load(SENDER_ONLY.replace('  sender:', `  login: ${text}\n  sender:`)),
        error => {
          assert.ok(error instanceof InputError, String(error))
          const shown = error.message.replaceAll(`${folder}/`, '')
          assert.ok(shown.startsWith(`gateway.yaml:${message}`), shown)
          assert.doesNotMatch(shown, /secret/)
          return true
        },
      )
    })

  it('may name each product as reader that can be one', () =>
    assert.deepEqual(schema.properties.commands.properties.reader.enum.toSorted(), readerNames().toSorted()))

  it('that describes no direction is refused', () => {
    refused(
      'name: a\n',
      'gateway.yaml:1:1: neither inbound nor outbound is there, so nothing could be tested',
    )
  })

  const NAMES = 'names:\n  listen: 127.0.0.1:5353\n  partners: [127.0.16.0/20, "[fd00:1::]/112"]\n'
  const named = (names: string) => SENDER_ONLY.replace('  partner: 127.0.0.1:2625\n', '') + names

  it('may give each partner an address of its own in place of partner addresses', () => {
    const { names, outbound } = load(named(NAMES))
    const { partners, ...rest } = names!
    assert.deepEqual(rest, { listen: { host: '127.0.0.1', port: 5353 }, port: 25 })
    assert.deepEqual(
      partners.map(range => [range.size, range.at(0)]),
      [
        [4094, '127.0.16.1'],
        [65_534, 'fd00:1::1'],
      ],
    )
    assert.deepEqual(outbound!.partner, [])
    assert.deepEqual(load(named(`${NAMES}  port: 2600\n`)).names!.port, 2600)
    assert.equal(load(named(NAMES.replace('"[fd00:1::]/112"', 'fd00:1::/112'))).names!.partners.length, 2)
  })

  it('that has neither partner addresses nor names for what the gateway sends is refused', () => {
    refused(
      named(''),
      'gateway.yaml:3:3: outbound: partner is missing, and so are names and lab, which give each partner an address of its own',
    )
  })

  it('with partner addresses beside names is refused', () => {
    const contradiction = 'contradicts names, which gives each partner an address of its own; leave one out'
    refused(SENDER_ONLY + NAMES, `gateway.yaml:5:12: outbound.partner: ${contradiction}`)
    refused(
      named(NAMES).replace('tls: encryption-only', 'tls: encryption-only\n      partner: 127.0.0.1:2626'),
      `gateway.yaml:10:16: outbound.connectors[1].partner: ${contradiction}`,
    )
  })

  const wrongNames: [from: string, to: string, message: string][] = [
    [
      '127.0.0.1:5353',
      'mx.gateway.test:53',
      '16:11: names.listen: its host must be an address of this machine, not a name',
    ],
    [
      '127.0.0.1:5353',
      '127.0.0.1',
      '16:11: names.listen: its port is missing; must be host:port, such as 127.0.0.1:2525 or [::1]:2525',
    ],
    [
      '/20',
      '/33',
      '17:14: names.partners[0]: must be addresses in CIDR form, such as 127.0.16.0/20 or [fd00:1::]/112',
    ],
    ['"[fd00:1::]/112"', '127.0.16.7', '17:29: names.partners[1]: has addresses of names.partners[0]'],
    [
      '127.0.16.0/20, "[fd00:1::]/112"',
      '"::1"',
      '17:13: names.partners: must be two IPv6 addresses at least',
    ],
    ['127.0.16.0/20, "[fd00:1::]/112"', '', '17:13: names.partners: must NOT have fewer than 1 items'],
    ['  partners', '  port: 0\n  partners', '17:9: names.port: must be a port from 1 to 65535'],
    ['  listen: 127.0.0.1:5353\n', '', '16:3: names: listen is missing'],
    [
      '  listen',
      '  lissten',
      '16:3: names: listen is missing\ngateway.yaml:16:3: names.lissten: unknown key; did you mean listen?',
    ],
  ]
  for (const [from, to, message] of wrongNames)
    it(`with names is refused: ${message.replace(/\n.*/s, '')}`, () => {
      assert.ok(NAMES.includes(from))
      refused(named(NAMES.replace(from, to)), `gateway.yaml:${message}`)
    })

  const LAB = 'lab: { network: mail_default, resolver: 172.29.0.53 }\n'

  it('may name the container network of the gateway in place of partner addresses', () => {
    const { lab, outbound } = load(named(LAB))
    assert.deepEqual([lab!.network, lab!.resolver, outbound!.partner], ['mail_default', '172.29.0.53', []])
    const { message } = lab!.problem('resolver', 'is wrong')
    assert.match(message, /gateway\.yaml:15:41: lab\.resolver: is wrong$/)
  })

  for (const [text, message] of [
    [
      SENDER_ONLY + LAB,
      '5:12: outbound.partner: contradicts lab, which gives each partner an address of its own; leave one out',
    ],
    [named(NAMES + LAB), '18:6: lab: contradicts names; leave one out'],
    [named(LAB.replace('172.29.0.53', 'mx')), '15:41: lab.resolver: must be an IPv4 address in the network'],
    [
      named(LAB.replace('mail_default', 'a/b')),
      '15:17: lab.network: must be the name of a container network, such as mail-test_default',
    ],
    [
      named(LAB).replace('.encrypted.test', '.encrypted.example'),
      '8:11: outbound.connectors[1].to: must be below test, because with lab the suite answers for no other names',
    ],
  ] as const)
    it(`with lab is refused: ${message}`, () => refused(text, `gateway.yaml:${message}`))

  it('may have several partner addresses, one for a single connector, and names to compare with', () => {
    const { outbound } = load(
      varied('partner: 127.0.0.1:2625', 'partner: ["127.0.0.2:2625", "[::1]:2625"]').replace(
        'tls: domain-validation',
        'tls: domain-validation\n      tlsDomain: "*.Partner.test"\n      partner: 127.0.0.2:2626\n      status: required',
      ),
    )
    assert.deepEqual(outbound!.connectors[0]!.partner, [
      { host: '127.0.0.2', port: 2625 },
      { host: '::1', port: 2625 },
    ])
    assert.deepEqual(outbound!.connectors[3]!.partner, [{ host: '127.0.0.2', port: 2626 }])
    assert.equal(outbound!.connectors[3]!.tlsDomain, '*.partner.test')
    assert.equal(outbound!.connectors[3]!.status, 'required')
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
      'a status where no certificate is validated',
      'tls: encryption-only',
      'tls: encryption-only\n      status: asked',
      '23:15: outbound.connectors[1].status: needs tls: certificate-validation or domain-validation in the same connector',
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

    it('keeps them apart also for a folder on an IMAP server', () => {
      assert.deepEqual(mailbox('imaps://us%40er:p%3Ass@mail.test:9933/INBOX/'), {
        url: 'imaps://mail.test:9933/INBOX',
        user: 'us@er',
        password: 'p:ss',
      })
      assert.throws(() => mailbox('imap://mail.test/INBOX'), /inbound\.mailbox: an IMAP mailbox needs a user/)
    })

    it('can be the suite itself, at an address where it takes the mail', () => {
      assert.deepEqual(mailbox('smtp://127.0.0.1:1025'), {
        url: 'smtp://127.0.0.1:1025',
        listen: { host: '127.0.0.1', port: 1025 },
      })
      assert.throws(() => mailbox('smtp://127.0.0.1'), /inbound\.mailbox: its port is missing/)
    })

    it('never prints the credentials', () => {
      for (const url of [
        'smtp://user:secret@mail.test:25',
        'ftp://user:secret@mail.test',
        'user:secret@mail.test',
        'http://user:secret@',
        'http://user:secret@mail.test/?a',
        'http://user:secret%zz@mail.test',
        'imap://user:secret%zz@mail.test',
        'imap://user:secret@mail.test/INBOX?a',
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
