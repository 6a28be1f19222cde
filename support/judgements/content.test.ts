import { arrival, conversation, held, inClear, OVER_TLS, sent, table } from '../test-bed/fixtures/evidence.ts'
import { readable, staysSecret } from './content.ts'

const unencrypted = { arrivals: [arrival({ secured: false })], conversations: [inClear()] }

describe('judging whether the text of a message can be read on the wire', () => {
  table([
    ['the text crossed in the clear', readable(sent(unencrypted)), 'kept'],
    [
      'the message arrived, and its text did not cross in the clear',
      readable(sent({ ...unencrypted, conversations: [conversation(OVER_TLS)] })),
      'broken',
      /not on the wire/,
    ],
    ['the message did not arrive', readable(held()), 'unclear', /did not arrive/],
  ])
})

describe('judging whether an encrypted message stays secret', () => {
  const TEXT = 'the secret'
  const secret = (about: Parameters<typeof sent>[0], decrypted: string | undefined = TEXT) => {
    const { arrivals, conversations } = sent(about)
    return staysSecret(arrivals[0]?.content, conversations, { text: TEXT, decrypted })
  }
  const clear = { fromSender: `DATA\\r\\n${TEXT}`, fromReceiver: '' }
  table([
    ['the recipient alone can decrypt it', secret({}), 'kept'],
    ['decrypted, it has more around the text', secret({}, `Content-Type: text/plain\r\n\r\n${TEXT}`), 'kept'],
    [
      'the secret crossed in the clear',
      secret({ conversations: [conversation(OVER_TLS, { clear })] }),
      'broken',
      /can be read without the key/,
    ],
    [
      'the copy that arrived has the secret in the clear',
      secret({ arrivals: [arrival({ content: TEXT })] }),
      'broken',
      /can be read without the key/,
    ],
    [
      'the recipient cannot decrypt it',
      staysSecret('', [], { text: TEXT, decrypted: undefined }),
      'broken',
      /cannot decrypt/,
    ],
    ['the recipient decrypts something else', secret({}, 'another text'), 'broken', /cannot decrypt/],
    ['the message did not arrive', secret({ arrivals: [] }), 'unclear', /did not arrive/],
  ])
})
