import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { folderFiles, type RunNetwork } from '../../engine/engine.ts'
import { engineOrSkip } from '../../test-bed/fixtures/test-engine.ts'
import { compose } from '../../traffic/message.ts'
import { MailboxFailure } from './http.ts'
import { imapMailbox } from './imap.ts'

const FOLDER = join(import.meta.dirname, '../../test-bed/dovecot')
const PORT = 143
const LMTP = 24

describe('a mailbox on a real IMAP server', function () {
  this.timeout(180_000)
  let network: RunNetwork
  let server: Awaited<ReturnType<RunNetwork['start']>>
  before(async function () {
    const engine = await engineOrSkip(this)
    const image = await engine.image({
      name: 'test-dovecot',
      files: folderFiles(FOLDER, ['Dockerfile', 'dovecot.conf']),
    })
    network = await engine.network()
    server = await network.start({
      name: 'dovecot',
      image,
      ports: [PORT, LMTP],
      ready: /Dovecot .* starting up/,
    })
  })
  after(() => network?.stop())

  const mailbox = (password = 'secret', folder = 'INBOX') => {
    const { host, port } = server.endpoint(PORT)
    return imapMailbox({ url: `imap://${host}:${port}/${folder}`, user: 'inbox', password }, { wait: 5_000 })
  }
  /** As a mail server delivers it: over LMTP (RFC 2033), whose server writes the Return-Path line. */
  const deliver = async (content: string) => {
    const socket = connect(server.endpoint(LMTP))
    const said = ['LHLO mx', 'MAIL FROM:<a@stranger.test>', 'RCPT TO:<inbox>', 'DATA'].join('\r\n')
    socket.write(`${said}\r\n${content.replace(/^\./gm, '..')}.\r\nQUIT\r\n`, 'latin1')
    assert.match(await text(socket), /\n250 2\.0\.0 .*Saved/)
  }
  const message = () => compose({ from: 'a@stranger.test', to: ['inbox@gateway.test'], text: '8-bit' })

  it('has each copy of a message as it was delivered, with its return path, and no other message', async () => {
    const [one, other] = [message(), message()]
    await deliver(other.content)
    await deliver(one.content)
    await deliver(one.content)
    const found = await mailbox().find(one.token)
    assert.equal(found.length, 2)
    for (const { content, from } of found) {
      assert.ok(content.endsWith(one.content), content)
      assert.equal(from, 'a@stranger.test')
    }
  })

  it('waits for a message', async () => {
    const late = message()
    const found = mailbox().await(late.token)
    await deliver(late.content)
    assert.equal((await found).length, 1)
    assert.deepEqual(await mailbox().await(message().token, 200), [])
  })

  it('finds many at once on one connection', async () => {
    const all = [message(), message(), message()]
    for (const { content } of all) await deliver(content)
    const box = mailbox()
    const found = await Promise.all(all.map(({ token }) => box.await(token)))
    assert.deepEqual(
      found.map(({ length }) => length),
      [1, 1, 1],
    )
  })

  it('says so where nobody has written the return path', async () => {
    const { token } = message()
    const lda = `echo 'Subject: ${token}' | /usr/lib/dovecot/dovecot-lda -d inbox`
    assert.equal((await server.exec(['sh', '-c', lda])).exitCode, 0)
    await assert.rejects(mailbox().find(token), /a message has no Return-Path line/)
  })

  const failing: Record<string, [box: () => ReturnType<typeof mailbox>, says: RegExp]> = {
    'a wrong password': [() => mailbox('wrong'), /\/INBOX cannot be asked: .*[Aa]uthentication failed/],
    'a folder that is not there': [() => mailbox('secret', 'None'), /\/None cannot be asked: /],
  }
  for (const [what, [box, says]] of Object.entries(failing))
    it(`says what is wrong with ${what}, and not the password`, () =>
      assert.rejects(box().find('x'), error => {
        assert.ok(error instanceof MailboxFailure)
        assert.match(error.message, says)
        assert.doesNotMatch(error.message, /secret|wrong/)
        return true
      }))
})
