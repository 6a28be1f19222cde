import assert from 'node:assert/strict'
import { accepts } from '../judgements/inbound.ts'
import { onlyGreetingInClear } from '../judgements/wire.ts'
import { LoopbackLab } from '../lab/loopback-lab.ts'
import { type Mailbox, partnerMailbox } from '../lab/mailbox/mailbox.ts'
import { standardFlow } from '../mailflow/standard-flow.ts'
import { Pki } from '../pki/pki.ts'
import { CLIENT_MANNERS, type ClientManner, fits } from '../traffic/client-manner.ts'
import { handOver, type SenderBehaviour } from '../traffic/deliver-message.ts'
import { compose, MESSAGE_MANNERS, type MessageManner } from '../traffic/message.ts'
import type { Conversation } from '../wire/conversation.ts'
import { ReferenceGateway, reference } from './gateway.ts'

/** Extensions that the reference gateway does not offer. */
const NOT_OFFERED = { SMTPUTF8: 'SMTPUTF8', 'RET and ENVID': 'DSN' } as Record<string, string>

const MANNERS = Object.entries(CLIENT_MANNERS).flatMap(([key, values]) =>
  values.map(value => ({
    ...(key === 'earlierHistory' ? { history: 'a delivery of the same client' } : {}),
    [key]: value,
  })),
) as ClientManner[]

describe('the reference gateway as a receiver', function () {
  this.timeout(20_000)
  const pki = new Pki()
  const lab = new LoopbackLab(pki)
  let gateway: ReferenceGateway
  let mailbox: Mailbox

  before(async () => {
    await lab.start()
    const network = { resolver: `127.0.0.1:${lab.dnsPort}`, partnerPort: lab.port }
    const flow = await standardFlow(reference(), { pki, network })
    gateway = await ReferenceGateway.start(flow)
    mailbox = partnerMailbox(
      await lab.partner({
        domain: flow.domain,
        hostnames: [`mailbox.${flow.domain}`],
        maxConnections: Number.MAX_SAFE_INTEGER,
      }),
    )
  })
  after(async () => {
    await gateway.stop()
    await lab.stop()
  })

  async function deliver(
    domain: string,
    behaviour: SenderBehaviour,
    manner: ClientManner,
    message: MessageManner = {},
  ) {
    const { flow, inbound: endpoint } = gateway
    const composed = compose({ from: `sender@${domain}`, to: [flow.recipient], ...message })
    return handOver(composed, { endpoint, hostname: flow.hostname, behaviour, manner, pki })
  }

  /** Bytes that the mailbox got, with what the gateway added in front of them. */
  async function arrived(token: string, content: string): Promise<number> {
    const mails = await mailbox.await(token, 5_000)
    for (const mail of mails) assert.ok(mail.content.endsWith(content), 'the message has been changed')
    return mails.length
  }

  const CERTIFIED: SenderBehaviour = { tls: 'uses', certificate: { names: ['mail.certified.test'] } }
  for (const manner of MANNERS)
    it(`takes a message with ${JSON.stringify(manner)}`, async () => {
      const tls = manner.greeting === 'HELO in place of EHLO' ? 'does not use' : 'uses'
      const result = await deliver('a.stranger.test', { tls }, manner)
      const { accepted, declined, leftOut, copies, message, conversations, stage, reply } = result
      const keyword = NOT_OFFERED[manner.parameters ?? '']
      if (keyword) {
        assert.match(declined!, new RegExp(`does not list ${keyword}$`))
        return
      }
      assert.deepEqual(
        [accepted, declined, leftOut],
        [true, undefined, undefined],
        `${stage}: ${reply?.text}`,
      )
      assert.equal(accepts(result, { tls: tls === 'uses' }).kind, 'kept')
      const beginsInClear = manner.extraCommands === 'MAIL and RSET before STARTTLS'
      if (tls === 'uses' && !beginsInClear)
        assert.equal(onlyGreetingInClear(conversations, message.token).kind, 'kept')
      // For recipients of one domain the gateway sends one copy.
      assert.equal(copies ?? 1, manner.recipients ? 2 : 1)
      assert.equal(await arrived(message.token, message.content), 1)
      const { handshake } = conversations.at(-1)!
      if (manner.session === 'resumed by id') assert.equal(handshake?.resumed, true)
    })

  const MESSAGES: MessageManner[] = [
    ...MESSAGE_MANNERS.text.map(text => ({ text })),
    { headerForm: 'folded' },
    { size: 100_000 },
    { size: 1_900_000 },
    { size: 100_000, text: '8-bit', headerForm: 'folded' },
  ]
  for (const message of MESSAGES)
    for (const manner of [
      {},
      { transfer: 'BDAT in several chunks' },
      { messageWrites: 'pieces of 1 KiB' },
      { messageWrites: 'the final dot apart', parameters: 'SIZE and BODY' },
    ] as ClientManner[])
      it(`takes ${JSON.stringify(message)} with ${JSON.stringify(manner)}`, async () => {
        const { accepted, message: sent } = await deliver('a.stranger.test', { tls: 'uses' }, manner, message)
        assert.ok(accepted)
        assert.equal(await arrived(sent.token, sent.content), 1)
      })

  for (const manner of MANNERS.filter(one => one.sender !== 'null'))
    it(`tells clients by their certificates with ${JSON.stringify(manner)}`, async () => {
      if (!fits(manner, CERTIFIED)) return
      const good = await deliver('a.certified.test', CERTIFIED, manner)
      if (good.declined) return
      assert.equal(good.accepted, true, good.reply?.text)
      const bad = await deliver('b.certified.test', { tls: 'uses' }, manner)
      assert.deepEqual([bad.accepted, bad.declined, bad.reply?.enhanced], [false, undefined, '5.7.1'])
    })

  for (const manner of MANNERS.filter(one => one.sender !== 'null'))
    it(`requires TLS with ${JSON.stringify(manner)}`, async () => {
      const behaviour: SenderBehaviour = { tls: 'does not use' }
      if (!fits(manner, behaviour) || NOT_OFFERED[manner.parameters ?? '']) return
      const { accepted, declined, stage, reply } = await deliver('a.required.test', behaviour, manner)
      assert.deepEqual([accepted, declined, stage, reply?.code], [false, undefined, 'MAIL', 530])
    })

  it('resumes no session that began with another certificate', async () => {
    const { flow } = gateway
    const resumed = async () => {
      const { conversations } = await deliver(
        'a.stranger.test',
        { tls: 'uses' },
        { session: 'resumed by id' },
      )
      return (conversations.at(-1) as Conversation).handshake?.resumed
    }
    assert.equal(await resumed(), true)
    const identity = await pki.issue({ names: [flow.hostname, 'other.gateway.test'], usage: 'server' })
    await gateway.change({ ...flow, identity })
    assert.equal(await resumed(), true)
    await gateway.change(flow)
  })
})
