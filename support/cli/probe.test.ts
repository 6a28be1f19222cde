import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import type { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Ajv } from 'ajv'
import stringWidth from 'string-width'
import { Pki } from '../pki/pki.ts'
import { COMMAND, runCommand } from '../test-bed/fixtures/command.ts'
import { Loopback } from '../test-bed/fixtures/loopback.ts'
import { type ListenerOptions, SmtpListener } from '../test-bed/fixtures/smtp-listener.ts'
import schema from './probe.schema.json' with { type: 'json' }

const NAME = 'mx.d1.test'

/** The command with little patience. */
const run = (args: readonly string[]) =>
  runCommand(['probe', ...args], { env: { MAIL_TLS_PATIENCE: '2000', NO_COLOR: '1' } })

describe('mail-tls probe', function () {
  this.timeout(60_000)
  const pki = new Pki()
  let identity: { key: string; cert: string }
  let folder: string
  let roots: string
  const running: { close: () => Promise<void> }[] = []
  before(async () => {
    const made = await pki.issue({ names: [NAME], usage: 'server' })
    identity = { key: made.key, cert: made.certificate }
    folder = mkdtempSync(join(tmpdir(), 'mail-tls-test-'))
    roots = join(folder, 'root.pem')
    writeFileSync(roots, await pki.root())
  })
  after(() => rmSync(folder, { recursive: true }))
  afterEach(() => Promise.all(running.splice(0).map(one => one.close())))

  const GOOD = {
    ciphers: 'ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-AES128-GCM-SHA256',
    sigalgs: 'RSA-PSS+SHA256',
  }
  async function listening(options: ListenerOptions = {}): Promise<string> {
    const listener = await SmtpListener.start({ ...options, tls: { ...identity, ...GOOD, ...options.tls } })
    running.push(listener)
    return `127.0.0.1:${listener.endpoint.port}`
  }
  async function behind(script: (socket: Socket) => void): Promise<string> {
    const loopback = await Loopback.start(script)
    running.push(loopback)
    return `127.0.0.1:${loopback.endpoint.port}`
  }

  it('ends with 0 for a server that the profiles forbid nothing', async () => {
    const { status, out, err } = await run([await listening(), '--name', NAME, '--trust', roots])
    assert.deepEqual([status, err], [0, ''])
    assert.match(out, /TLS 1\.3 {2}accepted/)
    assert.match(out, /chain: leads to a trusted root, 2 certificates shown/)
    assert.match(out, /RSA 2048 bits/)
  })

  it('ends with 1, and says what to change first, for one with four faults', async () => {
    const address = await listening({
      tls: {
        minVersion: 'TLSv1',
        ciphers: 'ALL:eNULL:@SECLEVEL=0',
        dhparam: 'auto',
        sigalgs: 'RSA-PSS+SHA256:RSA+SHA1',
      },
    })
    const { status, out } = await run([address, '--name', 'mx.else.test', '--trust', roots])
    assert.equal(status, 1)
    const first = out.slice(out.indexOf('What to change first'), out.indexOf('Other profiles'))
    assert.match(first, /Get a certificate for mx\.else\.test/)
    assert.match(first, /Switch off suites that encrypt nothing: must, by MS18 MS21 RFC/)
    assert.match(first, /Switch off TLS 1\.0: must, by MS21 RFC BSI; should, by NIST NCSC/)
    assert.match(first, /Switch off signatures with SHA1/)
    for (const line of out.split('\n')) assert.ok(stringWidth(line) <= 80, line)
  })

  it('decides by the profiles that are named', async () => {
    const address = await listening({
      tls: { minVersion: 'TLSv1', ciphers: `${GOOD.ciphers}:AES128-SHA:@SECLEVEL=0` },
    })
    const by = async (profile: string) => (await run([address, '--profile', profile])).status
    assert.deepEqual([await by('tls-bcp-2022'), await by('ncsc-nl-internet-nl')], [1, 0])
  })

  it('prints one JSON document that keeps to its schema', async () => {
    const [one, other] = [await listening(), await listening({ tls: { maxVersion: 'TLSv1.2' } })]
    const { status, out } = await run([one, other, '--json', '--name', NAME])
    assert.equal(status, 0)
    const document = JSON.parse(out) as { differences: { about: string }[] }
    const validate = new Ajv({ allErrors: true }).compile(schema)
    assert.ok(validate(document), JSON.stringify(validate.errors))
    assert.equal(validate({ ...document, schema: 2 }), false)
    assert.deepEqual(document.differences.map(({ about }: { about: string }) => about).slice(0, 1), [
      'TLS 1.3',
    ])
  })

  it('begins with the differences between servers', async () => {
    const [one, other] = [await listening(), await listening({ tls: { maxVersion: 'TLSv1.2' } })]
    const { out } = await run([one, other])
    assert.match(
      out,
      new RegExp(`^Differences between the servers\\n {2}TLS 1\\.3\\n {4}yes: ${one}\\n {4}no: ${other}\\n`),
    )
  })

  const NOTHING: Record<string, [script: (socket: Socket) => void, says: RegExp]> = {
    'closes at once': [socket => socket.end(), /Nothing is known of its TLS: connection closed/],
    'says nothing': [() => {}, /Nothing is known of its TLS: no answer: no reply within/],
    'speaks something else': [socket => socket.end('SSH-2.0-x\r\n'), /not an SMTP reply: SSH-2\.0-x/],
    'colours its refusal': [socket => socket.end('554 \x1b[31mno\r\n'), /554 \\+x1b\[31mno/],
    'offers no STARTTLS': [
      socket => {
        socket.write('220 here\r\n')
        socket.on('data', () => socket.write('250 here\r\n'))
      },
      /STARTTLS is not offered/,
    ],
    'floods with alerts': [
      socket => {
        socket.write('220 here\r\n')
        socket.on('data', data => {
          if (/^EHLO/.test(String(data))) socket.write('250-here\r\n250 STARTTLS\r\n')
          else if (/^STARTTLS/.test(String(data))) socket.write('220 go\r\n')
          else
            socket.write(
              Buffer.concat(Array.from({ length: 2_000 }, () => Buffer.from('15030300020170', 'hex'))),
            )
        })
      },
      /Nothing is known of its TLS/,
    ],
  }
  for (const [what, [script, says]] of Object.entries(NOTHING))
    it(`ends with 2 and one sentence for a server that ${what}`, async () => {
      const { status, out } = await run([await behind(script)])
      assert.equal(status, 2)
      assert.match(out, says)
    })

  const WRONG: Record<string, [args: string[], says: RegExp]> = {
    'no host': [[], /^mail-tls: there is nothing to probe/],
    'a port that is none': [['127.0.0.1:0'], /^mail-tls: 127\.0\.0\.1:0: its port must be from 1 to 65535/],
    'a text that is no host': [['not a host'], /^mail-tls: not a host: its host is neither/],
    'a name without address': [['nobody.invalid'], /^mail-tls: nobody\.invalid: no address is known/],
    'an unknown profile': [['127.0.0.1', '--profile', 'tls-bcp-2020'], /did you mean tls-bcp-2022\?/],
    'a profile without grades': [
      ['127.0.0.1:1', '--profile', 'dane'],
      /^mail-tls: --profile dane: .*; there are exchange-online-2018, .*, ncsc-nl-internet-nl$/m,
    ],
    'an unknown service': [['127.0.0.1', '--service', 'imap'], /it must be smtp, lmtp or tls/],
    'no file of roots': [['127.0.0.1', '--trust', '/nowhere.pem'], /^mail-tls: --trust \/nowhere\.pem: /],
  }
  for (const [what, [args, says]] of Object.entries(WRONG))
    it(`ends with 2 and says what is wrong with ${what}`, async () => {
      const { status, err, out } = await run(args)
      assert.equal(status, 2)
      assert.equal(out, '')
      assert.match(err, says)
      assert.equal(err.trim().split('\n').length, 1)
    })

  it('refuses roots that are no certificate', async () => {
    const file = join(folder, 'text.pem')
    writeFileSync(file, readFileSync(COMMAND))
    const { status, err } = await run(['127.0.0.1', '--trust', file])
    assert.equal(status, 2)
    assert.match(err, /there is no certificate in PEM/)
  })
})
