import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { createInterface } from 'node:readline'
import type { TlsOptions } from 'node:tls'
import { Pki } from '../../pki/pki.ts'
import { Loopback } from '../../test-bed/fixtures/loopback.ts'
import type { Conversation, Party } from '../../wire/conversation.ts'
import { until } from '../../wire/until.ts'
import { serverOptions } from '../partner/host-tls.ts'
import { Partner } from '../partner/partner.ts'
import { hostTls } from '../partner/partner-tls-options.ts'
import { forward } from './forward.ts'
import { TapSession } from './tap.ts'
import type { TapChanges } from './tap-changes.ts'

const LIMITS = { answer: 10_000, idle: 10_000, all: 10_000 }
/** A TLS record of the largest size; what is in it nobody can tell. */
const RECORD = Buffer.concat([Buffer.from([23, 3, 3, 0x40, 0]), Buffer.alloc(0x4000)])
/** Far more than what the operating system and two buffers take for somebody who reads nothing, in bytes. */
const MUCH = 100_000_000

describe('a session through a tap', () => {
  let tls: TlsOptions
  const open: { close(): Promise<void> }[] = []
  before(async () => {
    tls = serverOptions(await hostTls(new Pki(), ['path.d1.test']))
  })
  afterEach(() => Promise.all(open.splice(0).map(one => one.close())))

  async function listening(script: (socket: Socket) => void): Promise<Loopback> {
    const server = await Loopback.start(script)
    open.push(server)
    return server
  }

  /** Greets, answers each line, and after the go-ahead does what it is told. */
  const mx = (receives: (socket: Socket) => void) => (socket: Socket) => {
    socket.write('220 mx\r\n')
    const lines = createInterface({ input: socket })
    lines.on('line', line => {
      if (line !== 'STARTTLS') return void socket.write('250 ok\r\n')
      lines.close()
      socket.removeAllListeners('data')
      socket.write('220 go\r\n')
      receives(socket)
    })
  }

  interface Around {
    gatewayIs?: Party
    faults?: TapChanges
    limits?: Partial<typeof LIMITS>
    /** However much it is. */
    keeps?: true
    receives?: (socket: Socket) => void
  }

  /** One who has said STARTTLS and heard the go-ahead, with the legs of his session. */
  async function begun({
    gatewayIs = 'sender',
    faults = {},
    limits,
    keeps,
    receives = s => s.resume(),
  }: Around) {
    const behind = await listening(mx(receives))
    const partner = new Partner('d1.test', [])
    const tap = await listening(socket => {
      const session = new TapSession(socket, {
        relay: { to: behind.endpoint, gatewayIs, ...faults },
        hostname: 'path.d1.test',
        tls: { gateway: tls, other: tls },
        keeps: (what, bytes) => keeps ?? partner.keeps(what, bytes),
        onEvent: () => partner.changed(),
        limits: { ...LIMITS, ...limits },
      })
      partner.conversations.push(...session.legs)
    })
    const socket = connect(tap.endpoint)
    socket.on('error', () => {})
    await once(socket, 'data')
    socket.write('STARTTLS\r\n')
    if (!faults.swapsTls || gatewayIs === 'sender') await once(socket, 'data')
    const [near, far] = partner.conversations as [Conversation, Conversation]
    const closed = () => until(() => near.closed && far.closed, [partner], 5_000)
    return { socket, partner, near, far, closed }
  }
  const lastWords = ({ events }: Conversation) => events.findLast(({ kind }) => kind === 'close')!.text

  for (const gatewayIs of ['sender', 'receiver'] as const)
    it(`records that a ${gatewayIs} under test is silent in the handshake, and has not refused it`, async () => {
      const { socket, near, far, closed } = await begun({
        gatewayIs,
        faults: { swapsTls: true },
        limits: { answer: 100 },
      })
      assert.ok(await closed())
      socket.destroy()
      const [its, other] = gatewayIs === 'sender' ? [near, far] : [far, near]
      assert.equal(its.handshake?.breakdown, 'no answer')
      assert.equal(other.handshake?.error, undefined)
      assert.equal(its.labError, undefined)
    })

  it('records a receiver as silent if the sender gives up waiting', async () => {
    const { socket, far, closed } = await begun({ gatewayIs: 'receiver', faults: { swapsTls: true } })
    await once(socket, 'data')
    socket.end()
    assert.ok(await closed())
    assert.equal(far.handshake?.breakdown, 'no answer')
  })

  it('reads from one side no more than it can send to the other', async () => {
    const { socket, near, closed } = await begun({
      receives: s => s.pause(),
      keeps: true,
      limits: { idle: 300 },
    })
    let given = 0
    const fill = () => {
      while (given < MUCH && socket.write(RECORD)) given += RECORD.length
    }
    socket.on('drain', fill)
    fill()
    assert.ok(await closed())
    assert.ok(given < MUCH, `${given} bytes were taken for somebody who reads nothing`)
    assert.match(lastWords(near), /no traffic for 0.3 s/)
  })

  it('reads again when the other side has read', async () => {
    let heard = 0
    const reader = Promise.withResolvers<Socket>()
    const { socket, partner } = await begun({ receives: s => reader.resolve(s), keeps: true })
    for (let n = 0; n < 600; n++) socket.write(RECORD)
    const behind = (await reader.promise).resume()
    behind.on('data', chunk => {
      heard += chunk.length
      partner.changed()
    })
    assert.ok(await until(() => heard === 600 * RECORD.length, [partner], 10_000), `${heard} bytes`)
    socket.destroy()
  })

  for (const gatewayIs of ['sender', 'receiver'] as const)
    it(`ends if more goes through than is kept, with the ${gatewayIs} under test`, async () => {
      const { socket, partner, near, far, closed } = await begun({ gatewayIs })
      for (let n = 0; n < 300; n++) socket.write(RECORD)
      assert.ok(await closed())
      assert.equal(partner.flooded, true)
      assert.deepEqual([near.truncated, far.truncated], [true, true])
      assert.match(lastWords(near), /more than is kept/)
    })

  it('ends after a time limit, also while bytes go through', async () => {
    const { socket, near, closed } = await begun({ limits: { all: 300 } })
    const trickle = setInterval(() => socket.write(RECORD.subarray(0, 5)), 20)
    assert.ok(await closed())
    clearInterval(trickle)
    assert.match(lastWords(near), /open for 0.3 s/)
  })

  for (const [what, limits] of [
    ['nothing is said', { idle: 100, all: 5_000 }],
    ['it lasts too long', { idle: 5_000, all: 100 }],
  ] as const)
    it(`ends if it is only forwarded and ${what}`, async () => {
      const behind = await listening(socket => socket.resume())
      const unseen = await listening(socket => forward(socket, behind.endpoint, limits))
      const began = performance.now()
      await once(connect(unseen.endpoint).resume(), 'close')
      assert.ok(performance.now() - began < 4_000)
    })
})
