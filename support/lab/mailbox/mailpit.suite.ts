import assert from 'node:assert/strict'
import { join } from 'node:path'
import { folderFiles, type RunNetwork } from '../../engine/engine.ts'
import { Pki } from '../../pki/pki.ts'
import { engineOrSkip } from '../../test-bed/fixtures/test-engine.ts'
import { handOver } from '../../traffic/deliver-message.ts'
import { compose } from '../../traffic/message.ts'
import { usersMailbox } from './users-mailbox.ts'

const FOLDER = join(import.meta.dirname, '../../test-bed/mailpit')
const [SMTP, HTTP] = [25, 8025]

/** Not among the unit tests, because building Mailpit takes many minutes. */
describe('a mailbox in a real Mailpit', function () {
  this.timeout(1_800_000)
  let network: RunNetwork
  let server: Awaited<ReturnType<RunNetwork['start']>>
  before(async function () {
    const engine = await engineOrSkip(this)
    const image = await engine.image({ name: 'test-mailpit', files: folderFiles(FOLDER, ['Dockerfile']) })
    network = await engine.network()
    server = await network.start({
      ...{ name: 'mailpit', image, ports: [SMTP, HTTP] },
      ready: /accessible via|starting on/,
    })
  })
  after(() => network?.stop())

  const mailbox = () => {
    const { host, port } = server.endpoint(HTTP)
    return usersMailbox({ url: `http://${host}:${port}` })
  }
  const deliver = async (from: string) => {
    const message = compose({ from, to: ['inbox@gateway.test'] })
    const { accepted, reply } = await handOver(message, {
      endpoint: server.endpoint(SMTP),
      hostname: 'mx.gateway.test',
      pki: new Pki(),
      behaviour: { tls: 'does not use' },
    })
    assert.ok(accepted, reply?.text)
    return message
  }

  it('has a message as it was delivered, with its return path and its recipient, and no other', async () => {
    const other = await deliver('b@stranger.test')
    const message = await deliver('a@stranger.test')
    const found = await mailbox().await(message.token)
    assert.equal(found.length, 1)
    const [{ content, from, to }] = found as [(typeof found)[0]]
    assert.ok(content.endsWith(message.content), content)
    assert.deepEqual([from, to], ['a@stranger.test', ['inbox@gateway.test']])
    assert.equal((await mailbox().find(other.token)).length, 1)
  })

  it('takes mail with a null return path', async () => {
    const message = await deliver('')
    const found = await mailbox().await(message.token)
    assert.deepEqual(
      found.map(({ from }) => from),
      [''],
    )
  })
})
