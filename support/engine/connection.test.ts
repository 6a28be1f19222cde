import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Pki } from '../pki/pki.ts'
import { type FakeEngine, fakeEngine } from '../test-bed/fixtures/fake-engine.ts'

/** What testcontainers finds depends on the environment of its process, once and for all. */
const SCRIPT = `
  const { findEngine, placeOf } = await import(${JSON.stringify(new URL('./connection.ts', import.meta.url).href)})
  const told = await findEngine(2_000).then(
    ({ container }) => ({ place: placeOf(container.dockerode) }),
    ({ obstacle, message }) => ({ obstacle, message }),
  )
  console.log(JSON.stringify(told))
  process.exit()`
/** As on a machine without Docker's usual socket. */
const NO_USUAL_SOCKET = `
  import { createRequire } from 'node:module'
  const fs = createRequire('/')('fs')
  const { existsSync } = fs
  fs.existsSync = path => path !== '/var/run/docker.sock' && existsSync(path)`

type Told = { place: string } | { obstacle: string; message: string }

async function found(env: Record<string, string>, preload = ''): Promise<Told> {
  const { DOCKER_HOST: _, ...rest } = process.env
  const args = ['--import', `data:text/javascript,${encodeURIComponent(preload)}`]
  const child = spawn(process.execPath, [...args, '--input-type=module', '-e', SCRIPT], {
    env: { ...rest, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let text = ''
  for await (const chunk of child.stdout) text += chunk
  return JSON.parse(text) as Told
}

describe('the container engine that is found', () => {
  let folder: string
  let engine: FakeEngine | undefined
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'engine-'))
  })
  afterEach(() => {
    engine?.stop()
    engine = undefined
    rmSync(folder, { recursive: true })
  })

  it('is the one at the socket that DOCKER_HOST names', async () => {
    engine = await fakeEngine({ listen: { path: join(folder, 'other.sock') } })
    assert.deepEqual(await found({ DOCKER_HOST: engine.place }), { place: engine.place })
  })

  it('is that of a rootless Docker where there is no other', async () => {
    engine = await fakeEngine({ listen: { path: join(folder, 'docker.sock') } })
    const told = await found({ XDG_RUNTIME_DIR: folder }, NO_USUAL_SOCKET)
    assert.deepEqual(told, { place: engine.place })
  })

  it('is one behind TLS where DOCKER_TLS_VERIFY and DOCKER_CERT_PATH say so, and only then', async () => {
    const pki = new Pki()
    const ca = await pki.root()
    const server = await pki.issue({ names: ['localhost'], usage: 'server' })
    const client = await pki.issue({ names: ['client.test'], usage: 'client' })
    const certificates = join(folder, 'certificates')
    mkdirSync(certificates)
    for (const [name, content] of Object.entries({ ca, cert: client.certificate, key: client.key }))
      writeFileSync(join(certificates, `${name}.pem`), content)
    engine = await fakeEngine({
      tls: { key: server.key, cert: server.certificate, ca, requestCert: true },
      host: 'localhost',
    })
    const DOCKER_HOST = engine.place
    const tls = { DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: certificates }
    assert.deepEqual(await found({ DOCKER_HOST, ...tls }), { place: engine.place })
    assert.deepEqual(await found({ DOCKER_HOST }), {
      obstacle: 'wrong answer',
      message: `no container engine answers at ${DOCKER_HOST} (DOCKER_HOST): what listens there does not answer as an engine does, or wants TLS; mail-tls doctor tells what to do`,
    })
  })

  const none: [string, string, string, string][] = [
    [
      'nothing listens at a socket',
      'unix:///nowhere/docker.sock',
      'nothing listens',
      'nothing listens there',
    ],
    ['nothing listens at a port', 'tcp://127.0.0.1:9', 'nothing listens', 'nothing listens there'],
  ]
  for (const [name, place, obstacle, words] of none)
    it(`is none where ${name}, whatever listens at the usual socket`, async () => {
      assert.deepEqual(await found({ DOCKER_HOST: place }), {
        obstacle,
        message: `no container engine answers at ${place} (DOCKER_HOST): ${words}; mail-tls doctor tells what to do`,
      })
    })

  for (const place of ['ssh://me:secret@build.test', 'nonsense'])
    it(`is none at ${place}`, async () => {
      const shown = place.replace('me:secret@', '')
      assert.deepEqual(await found({ DOCKER_HOST: place }), {
        obstacle: 'unknown place',
        message: `the suite uses no container engine at ${shown} (DOCKER_HOST); mail-tls doctor tells what to do`,
      })
    })

  it('is none where nothing answers in time', async () => {
    const path = join(folder, 'silent.sock')
    const silent = createServer(socket => socket.resume()).listen(path)
    await once(silent, 'listening')
    try {
      const told = await found({ DOCKER_HOST: `unix://${path}` })
      assert.deepEqual(told, {
        obstacle: 'no answer',
        message: `no container engine answers at unix://${path} (DOCKER_HOST) within 2 s; mail-tls doctor tells what to do`,
      })
    } finally {
      silent.close()
    }
  })
})
