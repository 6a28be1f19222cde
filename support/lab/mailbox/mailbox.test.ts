import assert from 'node:assert/strict'
import type { Message } from '../../evidence/mail.ts'
import { Pki } from '../../pki/pki.ts'
import { handOver } from '../../traffic/deliver-message.ts'
import { compose } from '../../traffic/message.ts'
import { LoopbackLab } from '../loopback-lab.ts'
import type { Partner } from '../partner/partner.ts'
import { partnerMailbox } from './mailbox.ts'

describe('the mailbox of the lab without containers', () => {
  const pki = new Pki()
  const lab = new LoopbackLab(pki)
  let inbox: Partner
  before(async () => {
    await lab.start()
    inbox = await lab.partner({ domain: 'inbox.test' })
  })
  after(() => lab.stop())

  const message = () => compose({ from: 'a@sender.test', to: ['b@inbox.test'] })
  const deliver = (message: Message) =>
    handOver(message, {
      endpoint: { host: inbox.hosts[0]!.address, port: lab.port },
      hostname: inbox.hosts[0]!.hostname,
      behaviour: { tls: 'does not use' },
      pki,
    })

  it('gives every copy of a message as it arrived, and no other message', async () => {
    const [mine, other] = [message(), message()]
    for (const one of [mine, other, mine]) await deliver(one)
    const found = await partnerMailbox(inbox).find(mine.token)
    assert.deepEqual(
      found.map(({ from, to, content }) => ({ from, to, content })),
      [mine, mine].map(({ from, to, content }) => ({ from, to, content })),
    )
    assert.deepEqual(await partnerMailbox(inbox).find('token-of-nobody'), [])
  })

  it('waits for a message that is being delivered', async () => {
    const late = message()
    const waiting = partnerMailbox(inbox).await(late.token)
    await deliver(message())
    await deliver(late)
    assert.equal((await waiting)[0]?.content, late.content)
  })

  it('gives a message at once that has arrived', async () => {
    const early = message()
    await deliver(early)
    assert.equal((await partnerMailbox(inbox).await(early.token)).length, 1)
  })
})
