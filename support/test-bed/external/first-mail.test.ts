import assert from 'node:assert/strict'
import { freePort } from '../../free-port.ts'
import { freshHost } from '../fixtures/ports.ts'
import { externalBed, type Setup } from './bed.ts'

/** How long the command waits for one answer, in ms. */
const PATIENCE = 5_000

/** What keeps the suite from judging anything, and the one sentence about it. */
const SET_UP_FAULTS: Record<string, () => Promise<[setup: Setup, sentence: RegExp]>> = {
  'delivers to another port': async () => {
    const host = freshHost()
    const sentence =
      /^mail-tls: the gateway took mail for \*\.opportunistic\.test, .* made no connection to .*; look at where .* outbound\.partner\n$/
    return [{ deliversTo: { host, port: await freePort(host) } }, sentence]
  },
  'does not know the recipient of the file': async () => [
    { recipient: 'nobody@elsewhere.test' },
    /^mail-tls: the gateway refuses the recipient nobody@elsewhere\.test: at RCPT came 5.*; look at inbound\.recipient\n$/,
  ],
  'has a mailbox that is down': async () => {
    const host = freshHost()
    return [
      { addresses: { mailbox: `http://${host}:${await freePort(host)}` } },
      /^mail-tls: the mailbox at http.* cannot be asked: .*ECONNREFUSED.*; look at inbound\.mailbox\n$/,
    ]
  },
  'delivers mail for its own domain elsewhere than to the suite': async () => {
    const host = freshHost()
    return [
      { addresses: { mailbox: `smtp://${host}:${await freePort(host)}` } },
      /^mail-tls: the gateway accepted mail for inbox@gateway\.test, and .* it is not in the mailbox at smtp:.*; look at inbound\.mailbox and at where .*\n$/,
    ]
  },
  'does not trust the root': async () => [
    { misses: 'trust' },
    /^mail-tls: the gateway does not trust pki\/root\.pem: .*; look at which roots it has for mail that it sends\n$/,
  ],
}

describe('a gateway through which no mail passes as its file says', function () {
  this.timeout(120_000)
  const { startGateway, check } = externalBed()
  // Some of these wait in vain, for several times the patience.
  before(() => {
    process.env['MAIL_TLS_PATIENCE'] = `${PATIENCE}`
  })
  after(() => {
    delete process.env['MAIL_TLS_PATIENCE']
  })
  for (const [what, about] of Object.entries(SET_UP_FAULTS))
    it(`cannot be judged if it ${what}, and the suite says so in one sentence`, async () => {
      const [setup, sentence] = await about()
      await startGateway(setup)
      const { status, err, verdicts } = await check()
      assert.equal(status, 2)
      assert.match(err, sentence)
      assert.deepEqual(verdicts, [])
    })
})
