import assert from 'node:assert/strict'
import type { Pki } from '../pki/pki.ts'
import { samplePki } from '../test-bed/fixtures/sample-flow.ts'
import type { Capability } from './capabilities.ts'
import { CHANGES, type Change, type ChangeName, changed, gatewayIdentity, keyOf } from './changes.ts'
import type { MailFlow } from './mail-flow.ts'
import { FORCED_LEVELS, standardFlow } from './standard-flow.ts'

/** A certificate says for which names it is and whose. */
const pki = {
  ...samplePki,
  issue: async ({ names, authority = 'root' }: { names: string[]; authority?: string }) => ({
    key: '<key>',
    certificate: `${names[0]} by ${authority}`,
  }),
} as unknown as Pki

const flowOf = (...capabilities: Capability[]) =>
  standardFlow(
    { lacks: capability => (capabilities.includes(capability) ? undefined : 'not built in') },
    { pki, network: { resolver: '198.18.0.3:53', partnerPort: 25 } },
  )
const named = (names: readonly ChangeName[]) => names.map(name => CHANGES[name])

const OF_SERVICE =
  /^still shows the certificate before$|^shows a certificate with another |^trusts both roots of the service$/

describe('changes of a mail flow', () => {
  let flow: MailFlow
  before(async () => {
    flow = await flowOf(...FORCED_LEVELS, 'inbound-required')
  })

  /** What a gateway of a service is told. */
  const service = (): Partial<MailFlow> => ({
    hostname: 'mx.here.service.test',
    domain: 'here.service.test',
    recipient: 'inbox@here.service.test',
    sender: 'probe@here.service.test',
    users: [{ name: 'probe@here.service.test', password: 'correct-horse-battery' }],
    identity: { key: '<key>', certificate: 'here.service.test by root' },
    inbound: [...flow.inbound, { from: '*.service.test', tls: 'required' }],
    outbound: [
      ...flow.outbound,
      { to: '*.service.test', tls: 'domain-validation' },
      { to: 'here.service.test', tls: 'opportunistic' },
    ],
  })
  const everybody: MailFlow['inbound'] = [{ from: '*', tls: 'required' }]

  const table: [changes: ChangeName[], told: () => Partial<MailFlow>][] = [
    [['trusts the former root'], () => ({ trust: ['<certificate of former>\n'] })],
    [['trusts both roots'], () => ({ trust: ['<certificate of former>\n', '<certificate of new>\n'] })],
    [['trusts the new root'], () => ({ trust: ['<certificate of new>\n'] })],
    [
      ['shows a certificate of the former authority'],
      () => ({
        identity: { key: '<key>', certificate: 'mx.gateway.test by former' },
        sendersTrust: ['<certificate of former>\n'],
      }),
    ],
    [['has lost its certificate'], () => ({ identity: { key: '<key>', certificate: '' } })],
    [['gives up after 3 attempts'], () => ({ attempts: 3 })],
    [['requires TLS of every client'], () => ({ inbound: everybody })],
    [['speaks TLS 1.2 and nothing newer'], () => ({ maxVersion: 'TLSv1.2' })],
    [['uses key exchange with forward secrecy alone'], () => ({ forwardSecrecy: true })],
    [['uses only what the guidelines of governments allow'], () => ({ strict: true })],
    [['requires the status of certificates'], () => ({ requiresStatus: true })],
    [['expects another name of its relay'], () => ({ relay: `renewed.${flow.domain}` })],
    [['belongs to a service'], service],
    [['gives up after 3 attempts', 'gives up after 3 attempts'], () => ({ attempts: 3 })],
    [
      ['gives up after 3 attempts', 'trusts the new root'],
      () => ({ attempts: 3, trust: ['<certificate of new>\n'] }),
    ],
    [
      ['speaks TLS 1.2 and nothing newer', 'belongs to a service'],
      () => ({ ...service(), maxVersion: 'TLSv1.2' }),
    ],
    // A certificate is issued for the names that the gateway has in the end.
    [
      ['shows a certificate of the former authority', 'belongs to a service'],
      () => ({
        ...service(),
        identity: { key: '<key>', certificate: 'mx.here.service.test by former' },
        sendersTrust: ['<certificate of former>\n'],
      }),
    ],
    [['requires TLS of every client', 'belongs to a service'], () => ({ ...service(), inbound: everybody })],
  ]
  for (const [names, told] of table)
    it(`change that alone: ${names.join(' + ')}`, async () => {
      const expected = { ...flow, ...told() }
      assert.deepEqual(await changed(flow, named(names), pki), expected)
      assert.deepEqual(await changed(flow, named(names.toReversed()), pki), expected)
    })

  it('see the names that the gateway has in the end', async () => {
    const first: Change = {
      words: 'a change whose words come first',
      sets: 'attempts',
      apply: async now => ({ ...now, sender: `first@${now.domain}` }),
    }
    const { sender } = await changed(flow, [first, ...named(['belongs to a service'])], pki)
    assert.equal(sender, 'first@here.service.test')
  })

  it('are all in the table, but for those of the mail service (service.test.ts)', () => {
    const all = (Object.keys(CHANGES) as ChangeName[]).filter(name => !OF_SERVICE.test(name))
    assert.deepEqual(new Set(table.flatMap(([names]) => names)), new Set(all))
  })

  it('leave the mail flow itself where there are none', async () => {
    assert.equal(await changed(flow, [], pki), flow)
  })

  const contradictions: ChangeName[][] = [
    ['trusts the former root', 'trusts both roots'],
    ['has lost its certificate', 'gives up after 3 attempts', 'shows a certificate of the former authority'],
  ]
  for (const names of contradictions)
    it(`contradict each other: ${names.join(' + ')}`, async () => {
      await assert.rejects(
        changed(flow, named(names), pki),
        /a gateway has one setting of its (roots|certificate)/,
      )
    })

  it('have one key for each set, in whatever order', () => {
    const [one, other] = named(['trusts the new root', 'belongs to a service']) as [never, never]
    assert.equal(keyOf([one, other]), keyOf([other, one]))
    assert.equal(keyOf([one, other, one]), keyOf([one, other]))
    assert.equal(new Set([[], [one], [other], [one, other]].map(keyOf)).size, 4)
    assert.equal(keyOf([]), '')
  })

  it('to a service ask for nothing that the product cannot do', async () => {
    const { inbound, outbound } = await changed(await flowOf(), named(['belongs to a service']), pki)
    assert.deepEqual([inbound, outbound], [[], [{ to: '*.opportunistic.test', tls: 'opportunistic' }]])
  })
})

describe('the certificate of a gateway under another authority', () => {
  it('is for the same names', async () => {
    const asked: unknown[] = []
    const issue = async (request: unknown) => {
      asked.push(request)
      return { key: '', certificate: '' }
    }
    await gatewayIdentity(await flowOf(), { ...pki, issue } as typeof pki, 'former')
    assert.deepEqual(asked, [
      { names: ['mx.gateway.test', 'gateway.test'], usage: 'server', authority: 'former' },
    ])
  })
})
