import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import { Loopback } from '../test-bed/fixtures/loopback.ts'
import { type Check, type Diagnosis, diagnose, doctorJson, doctorText, type Machine } from './doctor.ts'

/** For an engine that answers, in ms. */
const AMPLE = 20_000
/** For one that never does. */
const SHORT = 100

const answer = (body: string, status = '200 OK'): string =>
  `HTTP/1.1 ${status}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
const DOCKER = answer('{"Platform":{"Name":"Docker Engine"},"Version":"28.2.2","ApiVersion":"1.50"}')

function named({ checks }: Diagnosis, name: string): Check {
  const check = checks.find(check => check.name === name)
  assert.ok(check, `there is a check of ${name}`)
  return check
}

describe('doctor', () => {
  let folder: string
  let socket: string
  let here: Machine
  const servers: { server: Server; sockets: Set<Socket> }[] = []

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'mail-tls-test-'))
    socket = join(folder, 'engine.sock')
    here = { env: {}, socket, folder, temporary: folder, limit: AMPLE }
  })

  afterEach(async () => {
    for (const { server, sockets } of servers.splice(0)) {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    }
    await rm(folder, { recursive: true })
  })

  /** An engine that acts on each request, and tells what was asked. */
  async function engine(act: (socket: Socket) => void): Promise<string[]> {
    const asked: string[] = []
    const sockets = new Set<Socket>()
    const server = createServer(socket => {
      sockets.add(socket)
      socket.on('error', () => {})
      socket.once('data', chunk => {
        asked.push(chunk.toString().split('\r\n')[0]!)
        act(socket)
      })
    })
    server.listen(socket)
    await once(server, 'listening')
    servers.push({ server, sockets })
    return asked
  }

  const engineCheck = async (more: Machine = {}) =>
    named(await diagnose({ ...here, ...more }), 'container engine')

  it('finds all that the embedded gateway needs, without a container engine', async () => {
    const diagnosis = await diagnose(here)
    assert.equal(diagnosis.usable, true)
    assert.deepEqual(
      diagnosis.checks.map(({ name, state }) => `${name}: ${state}`),
      [
        'Node.js: good',
        'loopback range: good',
        'temporary folder: good',
        'open files: good',
        'report folder: good',
        'container engine: missing',
      ],
    )
    const { found } = named(diagnosis, 'Node.js')
    assert.equal(found, `${process.versions.node} with OpenSSL ${process.versions.openssl}`)
    assert.deepEqual(await readdir(folder), [])
  })

  it('gives advice exactly where something is not good', async () => {
    const { checks } = await diagnose({ ...here, openFiles: 10, folder: join(folder, 'none') })
    assert.deepEqual(
      checks.filter(({ advice }) => advice).map(({ name }) => name),
      ['open files', 'report folder', 'container engine'],
    )
  })

  const needed: [string, Machine, RegExp][] = [
    ['Node.js', { versions: { node: '22.20.0', openssl: '3.0.17' } }, /^22\.20\.0 with OpenSSL 3\.0\.17$/],
    // TEST-NET-2 (RFC 5737): no machine has an address of it.
    ['loopback range', { loopback: '198.51.100.1' }, /EADDRNOTAVAIL/],
    ['temporary folder', { temporary: '/nowhere/at-all' }, /ENOENT/],
    ['open files', { openFiles: 64 }, /^at most 64$/],
  ]
  for (const [name, lacking, found] of needed)
    it(`is not content with a bad ${name}`, async () => {
      const diagnosis = await diagnose({ ...here, ...lacking })
      assert.equal(diagnosis.usable, false)
      const check = named(diagnosis, name)
      assert.equal(check.state, 'bad')
      assert.match(check.found, found)
    })

  it('needs no report folder, because another can be given', async () => {
    const file = join(folder, 'file')
    await writeFile(file, '')
    const diagnosis = await diagnose({ ...here, folder: file })
    assert.equal(named(diagnosis, 'report folder').state, 'bad')
    assert.match(named(diagnosis, 'report folder').found, /ENOTDIR/)
    assert.equal(diagnosis.usable, true)
    assert.ok(
      doctorText(diagnosis, { colour: false }).endsWith(
        '\nReady, but not in this folder: give --report DIR.\n',
      ),
    )
  })

  it('names the engine that answers', async () => {
    const asked = await engine(socket => socket.end(DOCKER))
    const { state, found } = await engineCheck()
    assert.equal(found, `Docker Engine 28.2.2 (API 1.50) at unix://${socket}`)
    assert.equal(state, 'good')
    assert.deepEqual(asked, ['GET /version HTTP/1.1'])
  })

  it('names Podman, which has no platform', async () => {
    await engine(socket =>
      socket.end(answer('{"Components":[{"Name":"Podman Engine"}],"Version":"5.4.2","ApiVersion":"1.41"}')),
    )
    const { found } = await engineCheck()
    assert.equal(found, `Podman Engine 5.4.2 (API 1.41) at unix://${socket}`)
  })

  it('goes where DOCKER_HOST says', async () => {
    await engine(socket => socket.end(DOCKER))
    const none = join(folder, 'none.sock')
    const byEnvironment = { env: { DOCKER_HOST: `unix://${socket}` }, socket: none }
    assert.equal((await engineCheck(byEnvironment)).state, 'good')
    assert.equal((await engineCheck({ env: { DOCKER_HOST: `unix://${none}` } })).state, 'missing')
    assert.equal((await engineCheck({ env: { DOCKER_HOST: '' } })).state, 'good')
  })

  it('goes to an engine over TCP', async () => {
    const tcp = await Loopback.start(socket => socket.once('data', () => socket.end(DOCKER)))
    const DOCKER_HOST = `tcp://127.0.0.1:${tcp.endpoint.port}`
    const { state, found } = await engineCheck({ env: { DOCKER_HOST } })
    await tcp.close()
    assert.equal(found, `Docker Engine 28.2.2 (API 1.50) at ${DOCKER_HOST}`)
    assert.equal(state, 'good')
    assert.equal((await engineCheck({ env: { DOCKER_HOST } })).state, 'missing')
  })

  for (const host of ['ssh://me:secret@build.test', 'nonsense', 'tcp://'])
    it(`does not ask ${host}`, async () => {
      const { state, found, advice } = await engineCheck({ env: { DOCKER_HOST: host } })
      assert.equal(state, 'missing')
      assert.equal(found, `not asked: DOCKER_HOST is ${host.replace('me:secret@', '')}`)
      assert.match(advice!, /unix:\/\/PATH/)
    })

  it('does not ask without TLS where TLS is wanted', async () => {
    const env = { DOCKER_HOST: 'tcp://127.0.0.1:2376', DOCKER_TLS_VERIFY: '1' }
    assert.match((await engineCheck({ env })).found, /^not asked/)
  })

  it('says that there is none', async () => {
    const { state, found, advice } = await engineCheck()
    assert.equal(state, 'missing')
    assert.equal(found, `nothing listens at unix://${socket}`)
    assert.match(advice!, /^install Docker/)
  })

  const silent: [string, (socket: Socket) => void][] = [
    ['says nothing', () => {}],
    ['stops in its answer', socket => socket.write(DOCKER.slice(0, -5))],
  ]
  for (const [name, act] of silent)
    it(`gives up on one that ${name}`, async () => {
      await engine(act)
      const { state, found, advice } = await engineCheck({ limit: SHORT })
      assert.equal(state, 'bad')
      assert.equal(found, `unix://${socket} gives no answer within ${SHORT / 1000} s`)
      assert.match(advice!, /restart/)
    })

  const garbage: [string, string, RegExp][] = [
    ['no HTTP', '220 mx.test ESMTP\x1b[31m\r\n', /\(HPE_/],
    ['no JSON', answer('<html>\x1b[2J'), /\(no JSON\)/],
    ['another JSON', answer('{"Version":3}'), /\(it names no version\)/],
    ['null', answer('null'), /\(it names no version\)/],
    ['an error', answer('{}', '503 Busy'), /\(HTTP status 503\)/],
    ['no end', `HTTP/1.1 200 OK\r\n\r\n${'x'.repeat(200_000)}`, /\(its answer is too long\)/],
    ['nothing', '', /\(ECONNRESET\)/],
  ]
  for (const [name, said, found] of garbage)
    it(`takes ${name} for no engine`, async () => {
      await engine(socket => socket.end(said))
      const check = await engineCheck()
      assert.equal(check.state, 'bad')
      assert.match(check.found, found)
    })

  it('shows what an engine calls itself, but does not obey it', async () => {
    const Version = `1\x1b[2J\n${'x'.repeat(500)}`
    await engine(socket => socket.end(answer(JSON.stringify({ Version, ApiVersion: '1' }))))
    const diagnosis = await diagnose(here)
    assert.match(
      named(diagnosis, 'container engine').found,
      /^engine 1\\x1b\[2J\\nx+… \(\d+ more characters\)/,
    )
    for (const line of doctorText(diagnosis, { colour: false }).split('\n'))
      assert.match(line, /^\P{C}{0,80}$/u)
  })
})

describe('what the doctor says', () => {
  const diagnosis: Diagnosis = {
    usable: false,
    checks: [
      { name: 'Node.js', state: 'good', found: '24.0.0', enables: 'the suite itself' },
      {
        name: 'loopback',
        state: 'bad',
        found: 'it cannot be listened on, for a reason that takes more than a line',
        enables: 'partners',
        advice: 'get another machine',
      },
    ],
  }

  it('is a text with a line for each thing', () => {
    assert.equal(
      doctorText(diagnosis, { colour: false }),
      `✓ good     Node.js   24.0.0
                     for the suite itself
✗ bad      loopback  it cannot be listened on, for a reason that takes more than
                     a line
                     for partners
                     → get another machine

Not ready. mail-tls check cannot run here yet; see what is bad above.
`,
    )
    const ready = doctorText({ ...diagnosis, usable: true }, { colour: false })
    assert.ok(
      ready.endsWith('\nReady. mail-tls check judges the embedded gateway; it needs no container engine.\n'),
    )
  })

  it('is the same in colour', () => {
    const coloured = doctorText(diagnosis, { colour: true })
    assert.match(coloured, /\x1b\[31m✗ bad/)
    assert.equal(stripVTControlCharacters(coloured), doctorText(diagnosis, { colour: false }))
  })

  it('is one JSON document', () => {
    assert.deepEqual(JSON.parse(doctorJson(diagnosis)), diagnosis)
  })
})
