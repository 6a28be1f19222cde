import assert from 'node:assert/strict'
import { lastAnswer, notableConversations } from '../evidence/mail-stream.ts'
import { LoopbackLab } from '../lab/loopback-lab.ts'
import type { Behaviour } from '../lab/partner/behaviour.ts'
import { Pki } from '../pki/pki.ts'
import { until } from '../wire/until.ts'
import { Stream } from './message-stream.ts'

describe('mail that flows in', () => {
  const pki = new Pki()
  const lab = new LoopbackLab(pki)
  before(() => lab.start())
  after(() => lab.stop())

  async function flowing(behaviour: Behaviour = {}) {
    const partner = await lab.partner({ domain: lab.freshDomain('*.test'), hosts: [behaviour] })
    const [host] = partner.hosts
    const stream = new Stream(
      {
        endpoint: { host: host!.address, port: lab.port },
        hostname: host!.hostname,
        behaviour: { tls: 'uses' },
        pki,
      },
      { domain: 'sender.test', to: [`b@${partner.domain}`] },
    )
    return { partner, stream }
  }
  const some = (stream: Stream) => until(() => stream.accepted.length >= 3, [stream], 10_000)

  it('is one message after another, each once and each with a token of its own', async () => {
    const { partner, stream } = await flowing()
    assert.ok(await some(stream))
    await stream.end()
    const sent = stream.accepted.map(({ content }) => content)
    assert.deepEqual(
      partner.messages.map(({ content }) => content),
      sent,
    )
    assert.equal(new Set(sent).size, sent.length)
    for (const { token, content } of stream.accepted) assert.ok(content.includes(token))
    assert.deepEqual(stream.seen().neverAccepted, [])
  })

  it('is tried again where it is refused for a moment, and then accepted once', async () => {
    const reply = '451 4.3.0 Not now'
    const { partner, stream } = await flowing({ times: 2, transaction: { refuses: { at: 'RCPT', reply } } })
    assert.ok(await some(stream))
    await stream.end()
    assert.equal(partner.messages.length, stream.accepted.length)
    assert.deepEqual(
      stream
        .seen()
        .sessions.slice(0, 3)
        .map(({ handover: { accepted, message } }) => [accepted, message.token]),
      [false, false, true].map(accepted => [accepted, stream.accepted[0]!.token]),
    )
  })

  it('follows a gateway that is somewhere else after a change', async () => {
    const [one, other] = await Promise.all([flowing(), flowing()])
    await Promise.all([one.stream.end(), other.stream.end()])
    const endpoints = [one, other].map(({ partner: { hosts } }) => ({
      host: hosts[0]!.address,
      port: lab.port,
    }))
    const changing = {
      get endpoint() {
        return endpoints[0]!
      },
      hostname: 'mx.sender.test',
      behaviour: { tls: 'uses' as const },
      pki,
    }
    const stream = new Stream(changing, { domain: 'sender.test', to: [`b@${other.partner.domain}`] })
    endpoints.shift()
    assert.ok(await until(() => other.partner.messages.length > 2, [stream], 10_000))
    await stream.end()
    assert.deepEqual(stream.seen().neverAccepted, [])
  })

  it('remembers the sessions that got as far as a handshake alone', async () => {
    const { stream } = await flowing({ times: 1, starttls: { refuses: 454 } })
    assert.ok(await some(stream))
    await stream.end()
    assert.equal(stream.seen().sessions.length, stream.accepted.length)
    for (const { handover } of stream.seen().sessions)
      assert.equal(handover.conversations[0]?.handshake?.version, 'TLSv1.3')
  })

  it('has some sessions as evidence: at its ends, around the change, and of messages that are asked for', async () => {
    const { stream } = await flowing()
    assert.ok(await until(() => stream.accepted.length >= 20, [stream], 10_000))
    await stream.end()
    stream.changedAt = stream.seen().sessions[10]!.at
    const asked = stream.accepted[5]!
    const conversations = notableConversations(stream.seen(), [asked])
    const places = [0, 1, 5, 8, 9, 10, 11, -2, -1]
    const sessions = places.map(place => stream.seen().sessions.at(place)!)
    assert.deepEqual(
      conversations,
      sessions.flatMap(({ handover }) => handover.conversations),
    )
    assert.match(lastAnswer(stream.seen(), asked)!, /^250 /)
    assert.equal(notableConversations(stream.seen(), stream.accepted).length <= 12, true)
  })

  it('ends with the message that is under way', async () => {
    const { partner, stream } = await flowing()
    await stream.end()
    const { length } = partner.conversations
    assert.equal(stream.accepted.length, 1)
    assert.ok(await until(() => partner.conversations.every(({ closed }) => closed), [partner], 10_000))
    assert.equal(partner.conversations.length, length)
  })
})
