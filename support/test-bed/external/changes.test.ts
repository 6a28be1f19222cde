import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import type { Rehearsal } from '../../run/rehearsal.ts'
import { runCommand, startCommand } from '../fixtures/command.ts'
import { externalBed, options, PASSWORD, problemsIn, type Setup } from './bed.ts'
import type { Addresses } from './serve.ts'

/** Requirements about a gateway whose certificate or roots are exchanged. */
const CHANGES = ['EXO-TRN-01', 'EXO-TRN-02', 'EXO-TRN-03', 'EXO-ROOT-02']
const FILES = ['chain.pem', 'key.pem', 'roots.pem']

describe('a gateway whose certificate and roots the suite can exchange', function () {
  this.timeout(180_000)
  const { startGateway, beside, check, checkUntil } = externalBed()

  /** As an administrator writes it: what is there is kept before it is exchanged for the first time. */
  const install = (name: string, ...files: [variable: string, file: string][]) => {
    const lines = files.map(
      ([variable, file]) =>
        `if [ "$MAIL_TLS_RESTORE" ]; then [ ! -e ${file}.own ] || mv ${file}.own ${file}; else [ -e ${file}.own ] || cp ${file} ${file}.own; cp "$${variable}" ${file}; fi`,
    )
    return `set -e; cd settings; ${lines.join('; ')}; echo ${name} "$MAIL_TLS_RESTORE" >>../done`
  }
  const commands = ({ commands }: Addresses) => {
    const asking = (path: string) => [
      process.execPath,
      '-e',
      `fetch('${commands}${path}' + (process.env.MAIL_TLS_DOMAIN ?? '')).then(answer => answer.text()).then(console.log)`,
    ]
    return {
      ...{ retry: asking('/retry?domain='), queue: asking('/queue'), reload: asking('/reload') },
      ...{ log: { file: 'mail.log' }, reader: 'postfix', timeout: '20s' },
      certificate: install('certificate', ['MAIL_TLS_CHAIN', 'chain.pem'], ['MAIL_TLS_KEY', 'key.pem']),
      trust: install('trust', ['MAIL_TLS_ROOTS', 'roots.pem']),
    }
  }
  const start = (more: Setup = {}) => {
    writeFileSync(beside('mail.log'), '')
    writeFileSync(beside('done'), '')
    mkdirSync(beside('settings'), { recursive: true })
    return startGateway({
      ...{ settings: beside('settings'), log: beside('mail.log'), settle: '5m', trust: 'pki/root.pem' },
      ...{ commands, ...more },
    })
  }
  const settings = () => FILES.map(name => readFileSync(beside(`settings/${name}`), 'utf8'))
  const done = () => readFileSync(beside('done'), 'utf8')

  it('is judged while they are exchanged, beside others, and has its own afterwards', async () => {
    await start()
    const before = settings()
    const ids = options(...CHANGES, 'EXO-FRC-07', 'PKIX-06')
    const result = await check(...ids, '--parallel', '6')
    assert.deepEqual(problemsIn(result), [])
    assert.equal(result.status, 0)
    const inapplicable = result.verdicts.filter(({ verdict }) => verdict === 'inapplicable')
    assert.deepEqual(
      inapplicable.map(({ detail }) => detail),
      [],
    )
    assert.deepEqual(settings(), before)
    assert.match(done(), /^certificate yes$/m)
    assert.match(done(), /^trust $/m)
  })

  for (const [defect, id] of [
    ['trusts whatever bears the name of a trusted authority', 'EXO-ROOT-02'],
    ['loses mail while its certificate is changed', 'EXO-TRN-01'],
  ] as const)
    it(`is found at fault if it ${defect}`, async () => {
      await start({ defect })
      const { verdicts } = await check(...options(id))
      assert.ok(verdicts.some(({ verdict }) => verdict === 'non-conformant'))
    })

  it('has its own also after an interrupt', async () => {
    await start()
    const before = settings()
    const result = await checkUntil(
      end => {
        const look = setInterval(() => {
          if (!/^trust $/m.test(done())) return
          clearInterval(look)
          end()
        }, 20)
      },
      'gateway.yaml',
      ...options('EXO-TRN-02', 'EXO-TRN-03'),
    )
    assert.equal(result.status, 2)
    assert.deepEqual(settings(), before)
  })

  const place = () => ({ cwd: beside('.'), env: { TMPDIR: beside('.'), GATEWAY_PASSWORD: PASSWORD } })

  it('is walked through a change of authority, and has its own afterwards', async () => {
    await start()
    const before = settings()
    const { status, out, err } = await runCommand(
      ['rehearse', 'gateway.yaml', '--json', '--report', 'rehearsal'],
      place(),
    )
    const { mails, ownCertificate } = JSON.parse(out) as Rehearsal
    assert.deepEqual(
      mails.filter(({ asPlanned }) => !asPlanned),
      [],
      err,
    )
    assert.ok('messages' in ownCertificate && ownCertificate.asPlanned, JSON.stringify(ownCertificate))
    assert.equal(status, 0)
    assert.deepEqual(settings(), before)
    assert.match(readFileSync(beside('rehearsal/rehearsal.html'), 'utf8'), /clean-up/)
  })

  const without: Record<string, (addresses: Addresses) => object | undefined> = {
    'command for its roots': addresses => ({
      ...commands(addresses),
      certificate: undefined,
      trust: undefined,
    }),
    command: () => undefined,
  }
  for (const [what, given] of Object.entries(without))
    it(`is walked through it by hand if there is no ${what}`, async () => {
      let reload = ''
      await start({
        settle: what === 'command' ? '1s' : '5m',
        commands: addresses => {
          reload = `${addresses.commands}/reload`
          return given(addresses)
        },
      })
      const { child, printed, ended } = startCommand(['rehearse', 'gateway.yaml', '--json'], {
        ...place(),
        input: true,
      })
      let asked = 0
      child.stderr!.on('data', async () => {
        const files = [...printed.err.matchAll(/in (\S+\.pem) and nothing else, then press Enter/g)]
        if (files.length === asked) return
        asked = files.length
        writeFileSync(beside('settings/roots.pem'), readFileSync(beside(files.at(-1)![1]!)))
        await fetch(reload)
        child.stdin!.write('\n')
      })
      const { status, out, err } = await ended
      const { mails, ownCertificate } = JSON.parse(out) as Rehearsal
      assert.deepEqual(
        mails.filter(({ asPlanned }) => !asPlanned),
        [],
      )
      assert.ok('notTried' in ownCertificate && /commands\.certificate/.test(ownCertificate.notTried))
      assert.deepEqual([status, asked], [0, 3])
      assert.match(
        err,
        /gateway\.yaml has no key commands\.trust that installs roots\. So install the roots by hand/,
      )
      assert.match(err, /Let the gateway trust again what it trusted before/)
    })

  it('is not walked through it by hand if nobody is there', async () => {
    await start({
      commands: addresses => ({ ...commands(addresses), trust: undefined }),
    })
    const { status, err } = await runCommand(['rehearse', 'gateway.yaml'], place())
    assert.equal(status, 2)
    assert.match(err, /nobody pressed Enter/)
  })

  it('is not judged so if a key is missing, and the key is named', async () => {
    await start({
      commands: addresses => ({ ...commands(addresses), certificate: undefined, trust: undefined }),
    })
    const { verdicts } = await check(...options('EXO-TRN-01', 'EXO-ROOT-02'))
    const why = verdicts.map(({ requirement, detail }) => `${requirement}: ${detail}`)
    assert.ok(verdicts.every(({ verdict }) => verdict === 'inapplicable'))
    for (const [id, key] of [
      ['EXO-TRN-01', 'certificate'],
      ['EXO-ROOT-02', 'trust'],
    ])
      assert.match(
        why.join('\n'),
        new RegExp(`${id}: .*; the key commands\\.${key} of gateway\\.yaml would make it applicable`),
      )
  })

  const failing: [what: string, command: string, message: RegExp][] = [
    [
      'fails',
      'echo no >&2; exit 1',
      /commands\.certificate: .*exit status 1; its last words: no; so nothing is installed/,
    ],
    [
      'does nothing',
      ':',
      /commands\.certificate: .*still shows another certificate than the one that was installed/,
    ],
  ]
  for (const [what, certificate, message] of failing)
    it(`is not held at fault if the command for its certificate ${what}`, async () => {
      await start({ commands: addresses => ({ ...commands(addresses), certificate, timeout: '1s' }) })
      const before = settings()
      const { status, verdicts } = await check(...options('EXO-TRN-01'))
      assert.equal(status, 2)
      assert.deepEqual(new Set(verdicts.map(({ verdict }) => verdict)), new Set(['lab-error']))
      assert.match(verdicts.map(({ detail }) => detail).join('\n'), message)
      assert.deepEqual(settings(), before)
    })
})
