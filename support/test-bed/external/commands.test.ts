import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { detailsOf, externalBed, options, problemsIn } from './bed.ts'
import type { Addresses } from './serve.ts'

describe('a gateway that can be asked by commands', () => {
  const { startGateway, beside, check } = externalBed()

  /** What the gateway file has where an administrator lets the suite ask the gateway for all that it can. */
  const told = ({ commands }: Addresses) => ({
    retry: asking(`${commands}/retry?domain=`, 'MAIL_TLS_DOMAIN'),
    queue: asking(`${commands}/queue`),
    log: { file: 'mail.log' },
    reader: 'postfix',
  })
  /** A command that prints what an HTTP server answers. */
  const asking = (url: string, variable?: string) => [
    process.execPath,
    '-e',
    `fetch(${JSON.stringify(url)} + (${variable ? `process.env.${variable}` : "''"})).then(answer => answer.text()).then(console.log)`,
  ]
  const withLog = () => {
    const log = beside('mail.log')
    writeFileSync(log, '')
    return { log, commands: told }
  }

  it('is asked to try again, and its log tells what becomes of its mail', async () => {
    // Nobody could wait for so long.
    await startGateway({ sides: 'outbound', settle: '5m', ...withLog() })
    const result = await check(...options('RFC5321-02', 'EXO-FRC-01'), '--parallel', '4')
    assert.deepEqual(problemsIn(result), [])
    assert.equal(result.status, 0)
    const retried = result.verdicts.filter(({ requirement }) => requirement === 'RFC5321-02')
    assert.deepEqual(
      retried.filter(({ verdict }) => verdict === 'conformant').map(({ title }) => title),
      [
        'a partner that offers STARTTLS from the second attempt on',
        'a partner that offers STARTTLS at neither attempt',
      ],
    )
    assert.match(detailsOf(result, 'RFC5321-02').join(), /the key commands\.expire/)
  })

  it('is found at fault if it sends unencrypted when it is asked to try again', async () => {
    await startGateway({
      sides: 'outbound',
      settle: '5m',
      defect: 'sends in clear at later attempts',
      ...withLog(),
    })
    const { verdicts } = await check(...options('EXO-OPP-01'))
    assert.ok(verdicts.some(({ verdict }) => verdict === 'non-conformant'))
  })

  const failing: [what: string, commands: (addresses: Addresses) => object, message: RegExp][] = [
    [
      'retry',
      a => ({ ...told(a), retry: 'echo no >&2; exit 1' }),
      /commands\.retry: the command ended with exit status 1; its last words: no/,
    ],
    [
      'queue',
      a => ({ ...told(a), queue: 'echo no >&2; exit 1' }),
      /commands\.queue: the command ended with exit status 1; its last words: no/,
    ],
    [
      'log',
      a => ({ ...told(a), log: 'echo no; exit 1' }),
      /commands\.log: the command ended by itself with exit status 1; its last words: no/,
    ],
    [
      'log',
      a => ({ ...told(a), log: 'yes' }),
      /commands\.log says more than 50000 lines, the last of them: y/,
    ],
  ]
  for (const [what, commands, message] of failing)
    it(`is not held at fault if the command of ${what} fails: ${message.source.slice(0, 40)}`, async () => {
      await startGateway({ sides: 'outbound', ...withLog(), commands })
      const { status, verdicts, err } = await check(...options('RFC5321-02'))
      assert.equal(status, 2)
      const applied = verdicts.filter(({ verdict }) => verdict !== 'inapplicable')
      assert.match(applied.map(({ detail }) => detail).join('\n') + err, message)
      assert.deepEqual(
        new Set(applied.map(({ verdict }) => verdict)).difference(new Set(['lab-error', 'conformant'])),
        new Set(),
      )
    })
})
