import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { detailsOf, externalBed, options, PASSWORD, problemsIn } from './bed.ts'

describe('a gateway with a user who hands mail over', () => {
  const { startGateway, beside, check } = externalBed()

  const login = { user: 'probe', passwordEnv: 'GATEWAY_PASSWORD' }
  const printed = [PASSWORD, `\0probe\0${PASSWORD}`].map(text =>
    Buffer.from(text).toString('base64').slice(0, -4),
  )
  const isNowhere = (text: string) => {
    for (const secret of [PASSWORD, ...printed]) assert.ok(!text.includes(secret), 'the password was printed')
  }

  it('is judged as one to which a user logs in inside TLS', async () => {
    await startGateway({ submits: { login } })
    const result = await check(...options('RFC8314-02', 'EXO-FRC-01'))
    assert.deepEqual(problemsIn(result), [])
    assert.equal(result.status, 0)
    const details = detailsOf(result, 'RFC8314-02')
    assert.match(details.join(), /the right password is accepted, and a wrong one is refused/)
    assert.ok(
      details.includes('the password of a gateway that the suite did not start is sent inside TLS alone'),
    )
    assert.match(result.report, /AUTH PLAIN \*\*\*/)
    isNowhere(result.report + result.out)
  })

  it('sends nothing if the password is wrong, and the password is not printed', async () => {
    writeFileSync(beside('password'), `${PASSWORD} too long\n`)
    await startGateway({ submits: { login: { user: 'probe', passwordFile: 'password' } }, sides: 'outbound' })
    const result = await check(...options('EXO-FRC-01'))
    assert.match(
      result.err,
      /^mail-tls: .*no login for submission: 535 .*look at outbound\.submit and outbound\.login/,
    )
    assert.deepEqual([result.status, result.verdicts], [2, []])
    isNowhere(result.report + result.out + result.err)
  })

  it('may want TLS from the beginning of the connection', async () => {
    await startGateway({
      sides: 'outbound',
      submits: { submitTls: 'implicit' },
    })
    const result = await check(...options('EXO-FRC-01'))
    assert.deepEqual(problemsIn(result), [])
    assert.equal(result.status, 0)
  })
})
