import assert from 'node:assert/strict'
import { InputError } from '../input-error.ts'
import { checkedName } from './gateway-file-values.ts'
import { gatewayAt, isServerAddress } from './server-address.ts'

describe('the address of a server in place of a gateway file', () => {
  const ADDRESSES: Record<string, { host: string; port: number; name: string }> = {
    'smtp://mx.gateway.test': { host: 'mx.gateway.test', port: 25, name: 'mx.gateway.test' },
    'smtp://mx.gateway.test:2525': { host: 'mx.gateway.test', port: 2525, name: 'mx.gateway.test-2525' },
    'SMTP://127.0.0.1:2525/': { host: '127.0.0.1', port: 2525, name: '127.0.0.1-2525' },
    'smtp://[::1]:2525': { host: '::1', port: 2525, name: '1-2525' },
    'smtp://[fd00::5]': { host: 'fd00::5', port: 25, name: 'fd00--5' },
  }
  for (const [target, { name, ...address }] of Object.entries(ADDRESSES))
    it(`reads ${target}`, () => {
      assert.ok(isServerAddress(target))
      const file = gatewayAt(target)
      assert.deepEqual([file.inbound?.address, file.name, file.outbound], [address, name, undefined])
      assert.equal(checkedName(file.name), name)
    })

  it('knows no recipient unless it is given', () => {
    assert.equal(gatewayAt('smtp://mx.gateway.test').inbound!.recipient, undefined)
    const { recipient } = gatewayAt('smtp://mx.gateway.test', 'inbox@Gateway.test').inbound!
    assert.equal(recipient, 'inbox@gateway.test')
  })

  const WRONG: Record<string, RegExp> = {
    'smtp://': /its host is neither a name nor an address/,
    'smtp://user:secret@mx.gateway.test': /must be host:port/,
    'smtp://mx.gateway.test:99999': /from 1 to 65535/,
    'smtp://mx.gateway.test/inbox': /neither a name nor an address/,
  }
  for (const [target, reason] of Object.entries(WRONG))
    it(`refuses ${target} and does not repeat it`, () =>
      assert.throws(
        () => gatewayAt(target),
        (error: unknown) =>
          error instanceof InputError && reason.test(error.message) && !error.message.includes('secret'),
      ))

  it('refuses a recipient that is no address', () =>
    assert.throws(
      () => gatewayAt('smtp://mx.gateway.test', 'inbox'),
      /^InputError: --recipient: must be a mail/,
    ))
})
