import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { secured } from '../../evidence/facts.ts'
import type { Handover } from '../../evidence/handover.ts'
import { Pki } from '../../pki/pki.ts'
import { Loopback } from '../../test-bed/fixtures/loopback.ts'
import { handOver, type SenderBehaviour } from '../../traffic/deliver-message.ts'
import { compose } from '../../traffic/message.ts'
import type { Conversation, Party } from '../../wire/conversation.ts'
import { STATIC_RSA } from '../../wire/tls/tls-names.ts'
import { until } from '../../wire/until.ts'
import type { Interference } from '../lab.ts'
import { LoopbackLab } from '../loopback-lab.ts'
import type { PartnerTls } from '../partner/behaviour.ts'
import type { Partner } from '../partner/partner.ts'
import type { TapChanges } from './tap-changes.ts'

describe('a tap', function () {
  const HERE = '127.0.0.1'
  this.timeout(20_000)
  const lab = new LoopbackLab(new Pki())
  before(() => lab.start())
  after(() => lab.stop())

  interface Seen {
    handover: Handover
    behind: Partner
    tap: Partner
    near: Conversation
    far: Conversation
  }

  /** A message to a partner behind a tap, which plays the second server. */
  async function through(
    does: Interference = {},
    behaviour: Partial<SenderBehaviour> = {},
    second: { gatewayIs?: Party; tls?: PartnerTls } = {},
  ): Promise<Seen> {
    const domain = lab.freshDomain('*.test')
    const { gatewayIs = 'sender', tls = {} } = second
    const behind = await lab.partner({ domain, hosts: [{ tls }] })
    const to = { host: behind.hosts[0]!.address, port: lab.port }
    lab.inbox ??= behind
    const { tap } = await lab.tap({ domain, to, from: HERE, gatewayIs, does })
    const handover = await handOver(compose({ from: 'a@sender.test', to: [`inbox@${domain}`] }), {
      endpoint: { host: tap.hosts[0]!.address, port: lab.port },
      hostname: tap.hosts[0]!.hostname,
      behaviour: { tls: 'uses', ...behaviour },
      pki: lab.pki,
    })
    await until(() => tap.conversations.every(({ closed }) => closed), [tap, behind], 5_000)
    const [near, far] = tap.conversations as [Conversation, Conversation]
    return { handover, behind, tap, near, far }
  }
  const replies = ({ events }: Conversation) =>
    events.flatMap(({ kind, text }) => (kind === 'reply' ? [text] : []))
  const closer = ({ events }: Conversation) => events.find(({ kind }) => kind === 'close')?.from
  const commands = ({ events }: Conversation) =>
    events.flatMap(({ kind, text }) => (kind === 'command' ? [text.split(/[ :]/)[0]] : []))

  it('passes TLS on from end to end, and records what the wire shows of the session', async () => {
    const { handover, behind, near, far } = await through()
    assert.equal(handover.accepted, true)
    assert.equal(behind.messages[0]?.secured, true)
    const own = handover.conversations[0]!.handshake!
    assert.deepEqual(own.serverCertificate, behind.conversations[0]!.handshake!.serverCertificate)
    for (const leg of [near, far]) {
      assert.equal(leg.overheard, true)
      assert.equal(secured(leg), true)
      const { version, suite, group, randoms, ephemeral } = leg.handshake!
      assert.deepEqual(
        { version, suite, group },
        { version: own.version, suite: own.suite, group: own.group },
      )
      assert.deepEqual([randoms, ephemeral], [own.randoms, true])
      assert.deepEqual(commands(leg), ['EHLO', 'STARTTLS'])
      assert.ok(!leg.clear.fromSender.includes(handover.message.token))
    }
    assert.deepEqual([near.gatewayIs, far.gatewayIs], ['sender', 'neither'])
  })

  it('records what crosses unencrypted, on both connections', async () => {
    const { handover, near, far } = await through({}, { tls: 'does not use' })
    assert.equal(handover.accepted, true)
    for (const leg of [near, far]) {
      assert.deepEqual(commands(leg), ['EHLO', 'MAIL', 'RCPT', 'DATA', 'QUIT'])
      assert.ok(leg.events.some(({ kind }) => kind === 'content'))
      assert.ok(leg.clear.fromSender.includes(handover.message.token))
      assert.equal(secured(leg), false)
    }
  })

  it('finds the end of a message in chunks, and lets one side close before the other', async () => {
    const answers = { EHLO: '250-mx\r\n250 CHUNKING', MAIL: '250 ok', RCPT: '250 ok' } as const
    const server = await Loopback.start(socket => {
      socket.write('220 mx\r\n')
      let open = 0
      let text = ''
      socket.on('data', chunk => {
        text += chunk.toString('latin1')
        for (;;) {
          if (open > 0) {
            const taken = Math.min(open, text.length)
            text = text.slice(taken)
            open -= taken
            if (open > 0) return
            socket.write('250 chunk taken\r\n')
          }
          const [line, ...rest] = text.split('\r\n')
          if (rest.length === 0) return
          text = rest.join('\r\n')
          const verb = line!.slice(0, 4) as keyof typeof answers
          if (line!.startsWith('BDAT')) open = Number(line!.split(' ')[1])
          else socket.write(`${answers[verb] ?? '221 bye'}\r\n`)
          if (line === 'QUIT') socket.end()
        }
      })
    })
    const { tap } = await lab.tap({
      domain: 'chunks.test',
      to: server.endpoint,
      from: HERE,
      gatewayIs: 'sender',
      does: { faults: { stripsStarttls: true } },
    })
    const socket = connect({ host: tap.hosts[0]!.address, port: lab.port, allowHalfOpen: true })
    let heard = ''
    socket.on('data', chunk => {
      heard += chunk
    })
    socket.end(
      'EHLO a\r\nMAIL FROM:<a@b.test>\r\nRCPT TO:<c@d.test>\r\nBDAT 9\r\nMAIL x\r\n.BDAT 3 LAST\r\nQUIQUIT\r\n',
    )
    await new Promise(resolve => socket.once('close', resolve))
    await server.close()
    assert.match(heard, /221 bye\r\n$/)
    const [near] = tap.conversations as [Conversation]
    assert.deepEqual(commands(near), ['EHLO', 'MAIL', 'RCPT', 'BDAT', 'BDAT', 'QUIT'])
    assert.deepEqual(
      near.events.filter(({ kind }) => kind === 'content').map(({ text }) => text),
      ['message of 12 bytes'],
    )
  })

  it('removes STARTTLS from the reply to EHLO', async () => {
    const { handover, near, far } = await through(
      { faults: { stripsStarttls: true } },
      { tls: 'does not use' },
    )
    assert.equal(handover.accepted, true)
    assert.ok(!replies(near).some(text => /STARTTLS/.test(text)))
    assert.ok(replies(far).some(text => /^250[ -]STARTTLS$/.test(text)))
  })

  it('does not pass STARTTLS on if it removes it, but passes on all else', async () => {
    const { handover, near, far } = await through({ faults: { stripsStarttls: true } })
    assert.deepEqual([handover.stage, handover.reply?.code], ['STARTTLS', 500])
    assert.deepEqual(
      [commands(near), commands(far)],
      [
        ['EHLO', 'STARTTLS', 'QUIT'],
        ['EHLO', 'XXXXXXXX', 'QUIT'],
      ],
    )
    assert.equal(far.handshake, undefined)
  })

  it('overwrites the go-ahead', async () => {
    const { handover, near, far } = await through({ faults: { corruptsGoAhead: true } })
    assert.deepEqual([handover.stage, handover.reply?.code], ['STARTTLS', 502])
    assert.ok(replies(near).includes('502 5.5.1 Command not implemented'))
    assert.ok(replies(far).some(text => text.startsWith('220 2.0.0')))
  })

  for (const cutsAfter of ['ClientHello', 'ServerHello'] as const)
    it(`resets both connections at the ${cutsAfter}, as many times as it was told`, async () => {
      const { handover, behind, near, far } = await through({ faults: { cutsAfter }, times: 1 })
      assert.equal(handover.stage, 'handshake')
      assert.equal(behind.conversations[0]!.handshake?.offered !== undefined, cutsAfter === 'ServerHello')
      // On each leg it was the one whom the tap stands for.
      assert.deepEqual([closer(near), closer(far)], ['receiver', 'sender'])
    })

  it('misbehaves on as many connections as it was told, and then no more', async () => {
    const { tap, behind } = await through({ faults: { cutsAfter: 'ClientHello' }, times: 1 })
    const again = await handOver(compose({ from: 'a@sender.test', to: [`inbox@${tap.domain}`] }), {
      endpoint: { host: tap.hosts[0]!.address, port: lab.port },
      hostname: tap.hosts[0]!.hostname,
      behaviour: { tls: 'uses' },
      pki: lab.pki,
    })
    assert.equal(again.accepted, true)
    assert.equal(behind.messages.length, 1)
  })

  it('shows a certificate of its own, and reads what is inside TLS', async () => {
    const { handover, behind, near, far } = await through({
      faults: { swapsTls: true },
      tls: { presents: ['self-signed'] },
    })
    assert.equal(handover.accepted, true)
    assert.equal(behind.messages[0]?.secured, true)
    const [shown, real] = [handover.conversations[0]!, behind.conversations[0]!].map(
      ({ handshake }) => handshake!.serverCertificate!.fingerprint,
    )
    assert.notEqual(shown, real)
    for (const leg of [near, far]) {
      assert.equal(leg.overheard, undefined)
      const inside = leg.events.filter(({ kind, secured }) => kind === 'command' && secured)
      assert.deepEqual(
        inside.map(({ text }) => text.split(/[ :]/)[0]),
        ['EHLO', 'MAIL', 'RCPT', 'DATA', 'QUIT'],
      )
      assert.ok(leg.events.some(({ kind, secured }) => kind === 'content' && secured))
    }
  })

  const SWAPS: [what: string, tls: NonNullable<Interference['tls']>][] = [
    ['a version', { maxVersion: 'TLSv1.1' }],
    ['suites', { maxVersion: 'TLSv1.2', suites: [...STATIC_RSA], followsSender: true }],
  ]
  for (const [what, tls] of SWAPS)
    it(`has ${what} of its own with the gateway alone, which may refuse it`, async () => {
      const faults: TapChanges = { swapsTls: true }
      const { handover, near, far } = await through({ faults, tls }, { maxVersion: 'TLSv1.2' })
      if (tls.suites) {
        assert.equal(handover.accepted, true)
        const { suite, ephemeral } = near.handshake!
        assert.deepEqual([STATIC_RSA.includes(suite!), ephemeral], [true, undefined])
        assert.equal(far.handshake!.ephemeral, true)
      } else {
        assert.equal(handover.stage, 'handshake')
        assert.equal(far.handshake, undefined)
      }
    })

  it('offers a gateway that receives the versions that it is told, and no other', async () => {
    const { handover, near, far } = await through(
      { faults: { swapsTls: true }, tls: { maxVersion: 'TLSv1.2' } },
      {},
      { gatewayIs: 'receiver' },
    )
    assert.equal(handover.accepted, true)
    assert.deepEqual([near.handshake?.version, far.handshake?.version], ['TLSv1.3', 'TLSv1.2'])
  })

  it('shows no client certificate in place of the server that sends', async () => {
    const faults: TapChanges = { swapsTls: true }
    const tls: PartnerTls = { maxVersion: 'TLSv1.2' }
    const { handover, behind } = await through(
      { faults, tls },
      {},
      { gatewayIs: 'receiver', tls: { clientCertificate: 'asks', maxVersion: 'TLSv1.2' } },
    )
    assert.equal(handover.accepted, true)
    assert.equal(behind.conversations[0]!.handshake?.clientCertificate, undefined)
  })

  for (const first of ['sender', 'receiver'] as const)
    it(`records on both connections that the ${first} closed`, async () => {
      const server = await Loopback.start(socket => {
        socket.write('220 mx\r\n')
        if (first === 'receiver') socket.end()
      })
      const { tap } = await lab.tap({
        ...{ domain: 'closes.test', to: server.endpoint, from: HERE, gatewayIs: 'sender' },
      })
      const socket = connect({ host: tap.hosts[0]!.address, port: lab.port })
      socket.once('data', () => socket.end())
      await once(socket, 'close')
      await until(() => tap.conversations.every(({ closed }) => closed), [tap], 5_000)
      assert.deepEqual(tap.conversations.map(closer), [first, first])
      await server.close()
    })

  async function withNobodyBehind(gatewayIs: Party) {
    const behind = await Loopback.start(() => {})
    await behind.close()
    const { tap } = await lab.tap({ domain: 'gone.test', to: behind.endpoint, from: HERE, gatewayIs })
    const handover = await handOver(compose({ from: 'a@sender.test', to: ['inbox@gone.test'] }), {
      endpoint: { host: tap.hosts[0]!.address, port: lab.port },
      hostname: 'mx.gone.test',
      behaviour: { tls: 'uses' },
      pki: lab.pki,
    })
    assert.equal(handover.accepted, false)
    return tap.conversations as [Conversation, Conversation]
  }

  it('records a fault of the lab if no server is behind it', async () => {
    const [near] = await withNobodyBehind('sender')
    assert.match(near.labError!, /the second server cannot be reached/)
  })

  it('records no fault of the lab if the gateway under test should be behind it', async () => {
    const [near, far] = await withNobodyBehind('receiver')
    assert.deepEqual([near.labError, far.labError], [undefined, undefined])
    const [error, close] = far.events
    assert.match(error!.text, /ECONNREFUSED/)
    assert.equal(close!.text, 'no connection')
  })

  for (const [from, who, [inInbox, seen]] of [
    ['127.0.0.9', 'from others than the server that sends to the mailbox, and does not record it', [1, 0]],
    [HERE, 'from the server that sends to no mailbox', [0, 2]],
  ] as const)
    it(`forwards mail ${who}`, async () => {
      const inbox = await lab.partner({ domain: `${from}.own.test`, hostnames: ['mailbox.own.test'] })
      const to = { host: inbox.hosts[0]!.address, port: lab.port }
      const relay = { to: { host: HERE, port: 1 }, gatewayIs: 'sender', others: { from, to } } as const
      const tap = await lab.partner({ domain: `${from}.tap.test`, hosts: [{ relay }] })
      const handover = await handOver(compose({ from: 'a@sender.test', to: [`inbox@${from}.own.test`] }), {
        endpoint: { host: tap.hosts[0]!.address, port: lab.port },
        hostname: 'mailbox.own.test',
        behaviour: { tls: 'does not use' },
        pki: lab.pki,
      })
      assert.equal(handover.accepted, inInbox > 0)
      assert.deepEqual([inbox.messages.length, tap.conversations.length], [inInbox, seen])
    })
})
