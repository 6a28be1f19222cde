import assert from 'node:assert/strict'
import { replyFields } from './line-fields.ts'
import { PeerLimit } from './lines.ts'
import { NotSmtp, ReplyReader } from './reply.ts'

describe('the lines of a reply', () => {
  const read = (...lines: string[]) => {
    const reader = new ReplyReader()
    return lines.map(line => reader.read(replyFields(line), false))
  }

  it('are a reply with the last of them', () => {
    assert.deepEqual(read('250-mx.test', '250-SIZE', '250 STARTTLS'), [
      undefined,
      undefined,
      {
        code: 250,
        lines: ['mx.test', 'SIZE', 'STARTTLS'],
        text: '250 mx.test / SIZE / STARTTLS',
        secured: false,
      },
    ])
  })

  it('are replies one after another', () => {
    assert.deepEqual(
      read('354', '250 ok').map(reply => [reply?.code, reply?.lines]),
      [
        [354, ['']],
        [250, ['ok']],
      ],
    )
  })

  it('have an enhanced status code in the first of them, where they have one', () => {
    assert.equal(read('550 5.7.10 No')[0]?.enhanced, '5.7.10')
    assert.equal(read('550-No', '550 5.7.10 really')[1]?.enhanced, undefined)
    assert.equal(read('250 3.7.1 is none')[0]?.enhanced, undefined)
  })

  it('know how they came', () => {
    assert.equal(new ReplyReader().read(replyFields('220 mx'), true)?.secured, true)
  })

  for (const line of ['', '25', '2500', '150 early', '650 late', '250_no', 'HTTP/1.1 400', ' 250 ok'])
    it(`are not "${line}"`, () => assert.throws(() => read(line), NotSmtp))

  it('are two hundred at most', () => {
    const reader = new ReplyReader()
    for (let n = 0; n < 199; n++) reader.read(replyFields('250-more'), false)
    assert.equal(reader.read(replyFields('250 last'), false)?.lines.length, 200)
    for (let n = 0; n < 200; n++) reader.read(replyFields('250-more'), false)
    assert.throws(() => reader.read(replyFields('250 one too many'), false), PeerLimit)
  })
})
