import assert from 'node:assert/strict'
import { bodyOf, headersOf, isEightBit, textOf } from '../evidence/mail.ts'
import { compose, MESSAGE_MANNERS, type MessageManner } from './message.ts'

const addresses = { from: 'a@sender.test', to: ['b@one.test', 'c@other.test'] }
const times = (text: string, part: string) => text.split(part).length - 1

describe('a message', () => {
  it('has its token in subject, id and text, and no other message has it', () => {
    const { token, content } = compose(addresses)
    const headers = new Map(headersOf(content).map(({ name, value }) => [name, value]))
    assert.equal(headers.get('subject'), token)
    assert.equal(headers.get('message-id'), `<${token}@probe.test>`)
    assert.equal(times(bodyOf(content), token), 1)
    assert.equal(times(content, token), 3)
    assert.notEqual(compose(addresses).token, token)
  })

  it('names its addresses as RFC 5322 writes them', () => {
    const headers = headersOf(compose(addresses).content)
    const value = (wanted: string) => headers.find(({ name }) => name === wanted)?.value
    assert.equal(value('from'), '<a@sender.test>')
    assert.equal(value('to'), '<b@one.test>, <c@other.test>')
    assert.match(value('date')!, /^\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d \+0000$/)
  })

  it('has an author even without return path', () => {
    const { from, content } = compose({ ...addresses, from: '' })
    assert.equal(from, '')
    assert.match(content, /^From: <[^<>@]+@gateway\.test>\r\n/m)
  })

  it('has CRLF line ends alone, the last line included, and none over 998 bytes (RFC 5322 s2.1.1)', () => {
    const { content } = compose({ ...addresses, size: 5_000 })
    assert.doesNotMatch(content, /(?<!\r)\n|\r(?!\n)/)
    assert.ok(content.endsWith('\r\n'))
    for (const line of content.split('\r\n')) assert.ok(Buffer.byteLength(line) <= 998, line)
  })

  it('has lines that relays like to change', () => {
    const lines = bodyOf(compose(addresses).content).split('\r\n')
    for (const awkward of [/^\.[^.]/, /^\.\.$/, / {2}$/, /\t/, /^.{900}$/])
      assert.ok(
        lines.some(line => awkward.test(line)),
        String(awkward),
      )
  })

  it('has as much text as was asked for', () => {
    const size = 40_000
    assert.ok(bodyOf(compose({ ...addresses, size }).content).length >= size)
    assert.ok(bodyOf(compose(addresses).content).length < 2_000)
  })

  it('has the headers in front that it was given', () => {
    const { content } = compose({ ...addresses, headers: ['Received: from\r\n\tnowhere'] })
    assert.ok(content.startsWith('Received: from\r\n\tnowhere\r\nFrom: '))
  })

  it('has the text that it was given, and its token nowhere but there', () => {
    const body = { headers: ['X-Kind: given'], text: 'given', token: 'token-given' }
    const message = compose({ ...addresses, body })
    assert.equal(message.token, 'token-given')
    assert.equal(bodyOf(message.content), 'given\r\n')
    assert.ok(headersOf(message.content).some(({ name, value }) => name === 'x-kind' && value === 'given'))
    assert.equal(times(message.content, 'token-given'), 0)
  })
})

describe('a message in another manner', () => {
  const plain = bodyOf(compose(addresses).content).split('\r\n').length
  const TEXTS: Record<NonNullable<MessageManner['text']>, RegExp> = {
    '8-bit': /^Gr\xc3\xbc\xc3\x9fe aus .*\xe6\x9d\xb1/,
    'lines that begin with dots': /^\.QUIT$/,
    'lines of 998 characters': /^.{998}$/,
    'a line that says STARTTLS': /^STARTTLS$/,
    'a dot alone in a line': /^\.$/,
    empty: /^$/,
  }
  for (const text of MESSAGE_MANNERS.text)
    for (const size of text === 'empty' ? [undefined] : [undefined, 100_000])
      it(`has ${text}${size ? ` and ${size} bytes` : ''}`, () => {
        const { content, token } = compose({ ...addresses, text, ...(size ? { size } : {}) })
        assert.ok(headersOf(content).some(({ name, value }) => name === 'subject' && value === token))
        const lines = bodyOf(content).split('\r\n')
        assert.ok(lines.some(line => TEXTS[text].test(line)))
        assert.equal(lines.length > plain, text !== 'empty')
        assert.ok(content.length >= (size ?? 0))
        assert.ok(lines.every(line => line.length <= 998))
        assert.doesNotMatch(content, /(?<!\r)\n|\r(?!\n)/)
        assert.ok(content.endsWith('\r\n'))
        assert.equal(isEightBit(content), text === '8-bit')
        assert.equal(/^Content-Transfer-Encoding: 8bit\r$/m.test(content), text === '8-bit')
      })

  it('has no text at all where it is empty', () => {
    assert.equal(bodyOf(compose({ ...addresses, text: 'empty' }).content), '')
    assert.doesNotMatch(bodyOf(compose({ ...addresses, text: 'empty', size: 1 }).content), /The word/)
  })

  it('has the same headers where they are folded', () => {
    const { content, token } = compose({ ...addresses, headerForm: 'folded' })
    assert.ok(content.includes(`\r\nSubject:\r\n ${token}\r\n`))
    const values = new Map(headersOf(content).map(({ name, value }) => [name, value]))
    assert.equal(values.get('subject'), token)
    assert.equal(values.get('message-id'), `<${token}@probe.test>`)
    assert.equal(values.get('to'), '<b@one.test>, <c@other.test>')
  })
})

describe('what arrived', () => {
  it('gives its headers unfolded, in their order and in small letters', () => {
    assert.deepEqual(
      headersOf('Received: from a\r\n\tby b\r\n  with c\r\nSUBJECT:none\r\n\r\nTo: body\r\n'),
      [
        { name: 'received', value: 'from a by b with c' },
        { name: 'subject', value: 'none' },
      ],
    )
  })

  it('gives no header for a line that is none', () => {
    assert.deepEqual(headersOf('no header\r\nA b: none\r\nX: y\r\n\r\n'), [{ name: 'x', value: 'y' }])
    assert.deepEqual(headersOf(''), [])
  })

  it('gives its text to the last byte, blank lines included', () => {
    assert.equal(bodyOf('A: b\r\n\r\none\r\n\r\ntwo\r\n'), 'one\r\n\r\ntwo\r\n')
    assert.equal(bodyOf('A: b\n\none\n'), 'one\n')
    assert.equal(bodyOf('A: b\r\n'), '')
  })

  const ENCODED: [string, string, string][] = [
    ['quoted-printable', 'Gr=C3=BC=C3=9Fe =\r\nund=20\r\n=3D\r\n', 'Gr\xc3\xbc\xc3\x9fe und \r\n=\r\n'],
    ['Base64', 'R3LDvMOf\r\nZQ0K\r\n', 'Gr\xc3\xbc\xc3\x9fe\r\n'],
    ['8bit', 'Gr\xc3\xbc=20\r\n', 'Gr\xc3\xbc=20\r\n'],
  ]
  for (const [encoding, body, text] of ENCODED)
    it(`gives its text out of ${encoding}`, () =>
      assert.equal(textOf(`A: b\r\nContent-Transfer-Encoding: ${encoding}\r\n\r\n${body}`), text))
})
