import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { createServer } from 'node:tls'
import { isOfThisMachine } from '../own-address.ts'
import { Pki } from '../pki/pki.ts'
import { PID_SCOPE } from '../process-id.ts'
import { engineOrSkip } from '../test-bed/fixtures/test-engine.ts'
import type { Engine } from './engine.ts'
import { LABELS } from './labels.ts'
import type { RunNetwork } from './run-network.ts'

const dockerfile = (...lines: string[]) => [
  { path: 'Dockerfile', content: `${['FROM debian:trixie-slim', ...lines].join('\n')}\n` },
]
const sleeper = (script: string) => ['bash', '-c', `${script}; exec sleep 60`]

describe('the container engine', function () {
  this.timeout(60_000)
  let engine: Engine
  let network: RunNetwork
  let image: string
  before(async function () {
    engine = await engineOrSkip(this)
    image = await engine.image({ name: 'unit-test', files: dockerfile() })
    network = await engine.network()
  })
  after(() => network?.stop())

  const left = async (run: string) => {
    const filters = { label: [`${LABELS.run}=${run}`] }
    const containers = await engine.docker.listContainers({ all: true, filters })
    const networks = await engine.docker.listNetworks({ filters })
    return [...containers.map(({ Names }) => Names[0]), ...networks.map(({ Name }) => Name)]
  }

  it('builds an image once for its content, and tells so', async () => {
    const files = dockerfile(`RUN echo ${Date.now()}`)
    const told: string[] = []
    const tag = await engine.image({ name: 'unit-test', files }, what => told.push(what))
    assert.equal(told[0], 'building the image of unit-test')
    assert.equal(told.at(-1), 'building the image of unit-test (step 3 of 3)')
    const { Engine: Another } = await import('./engine.ts')
    const again = await (await Another.connect()).image({ name: 'unit-test', files }, what => told.push(what))
    assert.equal(again, tag)
    assert.equal(told.length, 4)
    await engine.docker.getImage(tag).remove()
  })

  it('is on this machine, also while nothing is attached to its bridge', async () => {
    const { client, docker } = engine
    const { id } = await docker.createNetwork({ Name: `mail-tls-test-${randomBytes(6).toString('hex')}` })
    try {
      const { IPAM } = await docker.getNetwork(id).inspect()
      const bridge = IPAM?.Config?.[0]?.Gateway as string
      assert.equal(await isOfThisMachine(bridge), engine.host === '127.0.0.1')
      if ('socketPath' in client.container.dockerode.modem) assert.equal(engine.host, '127.0.0.1')
    } finally {
      await docker.getNetwork(id).remove()
    }
  })

  it('can be reached over TLS', async () => {
    const { socketPath } = engine.docker.modem as { socketPath?: string }
    if (!socketPath) return
    const pki = new Pki()
    const ca = await pki.root()
    const server = await pki.issue({ names: ['localhost'], usage: 'server' })
    const client = await pki.issue({ names: ['client.test'], usage: 'client' })
    const folder = mkdtempSync(join(tmpdir(), 'engine-'))
    for (const [name, content] of Object.entries({ ca, cert: client.certificate, key: client.key }))
      writeFileSync(join(folder, `${name}.pem`), content)
    const options = {
      key: server.key,
      cert: server.certificate,
      ca,
      requestCert: true,
      rejectUnauthorized: true,
    }
    const proxy = createServer(options, socket => {
      const behind = connect({ path: socketPath, allowHalfOpen: true })
      for (const end of [socket, behind]) end.on('error', () => {})
      socket.pipe(behind).pipe(socket)
    })
    await once(proxy.listen(0, '127.0.0.1'), 'listening')
    const script = `
      const { Engine } = await import(${JSON.stringify(new URL('./engine.ts', import.meta.url).href)})
      const network = await (await Engine.connect()).network()
      const container = await network.start({
        name: 'over-tls', image: ${JSON.stringify(image)}, ports: [25], command: ['bash', '-c', 'echo up; sleep 60'], ready: /^up$/,
      })
      const { stdout } = await container.exec(['echo', 'good'])
      console.log(JSON.stringify({ stdout, host: container.endpoint(25).host }))
      await network.stop()
      process.exit()`
    const { port } = proxy.address() as { port: number }
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: {
        ...process.env,
        ...{ DOCKER_HOST: `tcp://localhost:${port}`, DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: folder },
      },
    })
    let text = ''
    for await (const chunk of child.stdout) text += chunk
    proxy.close()
    rmSync(folder, { recursive: true })
    assert.deepEqual(JSON.parse(text), { stdout: 'good\n', host: '127.0.0.1' })
  })

  it('says with what words a build failed, and leaves no container of it', async () => {
    const files = dockerfile('RUN echo out of flour >&2; exit 3')
    await assert.rejects(engine.image({ name: 'unit-test', files }), {
      name: 'ContainerFailure',
      message: /^building the image of unit-test failed: .*code: 3 .*out of flour/,
    })
  })

  it('ends a build when it is told to, and leaves no container of it', async () => {
    const { Engine: Another } = await import('./engine.ts')
    const interrupt = new AbortController()
    const mark = `sleep 50 && echo ${randomBytes(6).toString('hex')}`
    const building = async () => {
      const containers = await engine.docker.listContainers({ all: true })
      return containers.filter(({ Command }) => Command.includes(mark)).length
    }
    const another = await Another.connect(undefined, interrupt.signal)
    const build = another.image({ name: 'unit-test', files: dockerfile(`RUN ${mark}`) })
    const ended = assert.rejects(build, { name: 'AbortError' })
    // Asked, here and below: the engine says nothing of these; bounded by the time-out.
    while ((await building()) === 0);
    const began = performance.now()
    interrupt.abort()
    await ended
    assert.ok(performance.now() - began < 5_000)
    while ((await building()) > 0);
    await assert.rejects(another.image({ name: 'unit-test', files: dockerfile() }), { name: 'AbortError' })
  })

  it('starts a container with files, an address, the resolver of the run and a port', async () => {
    const lines: string[] = []
    const container = await network.start({
      name: 'one',
      image,
      address: network.subnet.fixed(9),
      files: [{ path: '/etc/one/secret', content: 'x', mode: 0o600, uid: 7 }],
      command: sleeper('stat -c "%a %u %Y" /etc/one/secret; echo up'),
      ports: [25],
      ready: /^up$/,
      onLine: line => lines.push(line),
    })
    assert.deepEqual(lines, ['600 7 1', 'up'])
    assert.equal(container.address, network.subnet.fixed(9))
    assert(container.endpoint(25).port > 0)
    assert.throws(() => container.endpoint(26), /port 26 of one is not published/)
    const { HostConfig } = await engine.docker.getContainer(container.id).inspect()
    assert.deepEqual(HostConfig.Dns, [network.subnet.fixed(3)])

    const outcome = await container.exec(['sh', '-c', 'echo good; echo bad >&2; exit 4'])
    assert.deepEqual([outcome.exitCode, outcome.stdout, outcome.stderr], [4, 'good\n', 'bad\n'])
    await assert.rejects(
      container.exec(['sleep', '9'], { limit: 200 }),
      /sleep in one took longer than 0.2 s/,
    )
    await container.copy([{ path: '/etc/one/secret', content: 'another' }])
    assert.equal((await container.exec(['cat', '/etc/one/secret'])).stdout, 'another')

    await container.restart({ grace: 0 })
    assert.deepEqual(lines.slice(2), ['644 0 1', 'up'])
    await container.signal('SIGKILL')
    await assert.rejects(
      container.whileRunning(new Promise(() => {})),
      /one ended by itself \(exit status 137\): .*up/,
    )
    await container.stop()
  })

  it('puts files in place of others so that they are never away', async () => {
    const lines: string[] = []
    const [path, fresh] = ['/etc/one/table', '/etc/another/table']
    const content = 'x'.repeat(100_000)
    const container = await network.start({
      name: 'replaced',
      image,
      files: [{ path, content }],
      command: ['bash', '-c', `echo up; while :; do [ -s ${path} ] || echo away; done`],
      ready: /^up$/,
      onLine: line => lines.push(line),
    })
    for (let time = 0; time < 10; time++) await container.copy([path, fresh].map(path => ({ path, content })))
    const { stdout } = await container.exec(['sh', '-c', `wc -c <${fresh}; ls -d /.new || true`])
    await container.stop()
    assert.deepEqual([lines, stdout], [['up'], '100000\n'])
  })

  it('says why a container does not come up', async () => {
    const dies = { name: 'two', image, ports: [25], ready: /never/ }
    await assert.rejects(network.start({ ...dies, command: ['sh', '-c', 'echo no flour; exit 7'] }), {
      name: 'ContainerFailure',
      message: 'two ended by itself (exit status 7): no flour',
    })
    await assert.rejects(
      network.start({ ...dies, command: sleeper('echo still looking'), limit: 1_500 }),
      /starting two took longer than 1.5 s; its log ends with: still looking/,
    )
    await assert.rejects(network.start({ name: 'three', image, command: ['/nowhere'] }), /three.*nowhere/)
  })

  it('has everything of a run removed when it stops', async () => {
    const other = await engine.network()
    await other.start({ name: 'four', image, command: sleeper(':') })
    assert.equal((await left(other.id)).length, 2)
    assert.notEqual(other.subnet.cidr, network.subnet.cidr)
    await other.stop()
    assert.deepEqual(await left(other.id), [])
  })

  it('sweeps what a killed run left, and nothing of a living one', async () => {
    const script = `
      const { Engine } = await import(${JSON.stringify(new URL('./engine.ts', import.meta.url).href)})
      const network = await (await Engine.connect()).network()
      await network.start({ name: 'five', image: ${JSON.stringify(image)}, command: ['sleep', '60'] })
      console.log(network.id)
      setInterval(() => {}, 1000)`
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const [run] = (await once(createInterface({ input: child.stdout }), 'line')) as [string]
    assert.equal((await left(run)).length, 2)
    assert.ok(!(await engine.sweep()).includes(run))
    assert.equal((await left(run)).length, 2, 'the run is alive')
    child.kill('SIGKILL')
    await once(child, 'exit')
    // Another run on this machine may remove them first.
    await engine.sweep()
    assert.deepEqual(await left(run), [])
    assert((await left(network.id)).includes(network.name), 'this run is alive')
  })

  /** A network as of a run whose process is gone, with a container of `labels` in it. */
  const leftover = async (labels: (dead: Record<string, string>) => Record<string, string>) => {
    const run = randomBytes(6).toString('hex')
    const dead = {
      [LABELS.run]: run,
      [LABELS.pid]: `${2 ** 30}@1`,
      [LABELS.host]: PID_SCOPE,
      [LABELS.since]: '0',
    }
    const name = `mail-tls-${run}`
    const network = await engine.docker.createNetwork({ Name: name, Labels: dead })
    const container = await engine.docker.createContainer({
      Image: image,
      Cmd: ['sleep', '60'],
      Labels: labels(dead),
      HostConfig: { NetworkMode: name },
    })
    await container.start()
    return { run, network, container }
  }

  it('is not kept from a run by what somebody else left and it cannot remove', async () => {
    const { run, network: stuck, container } = await leftover(() => ({}))
    try {
      assert.ok(!(await engine.sweep()).includes(run))
      await (await engine.network()).stop()
      assert.equal((await left(run)).length, 1)
    } finally {
      await container.remove({ force: true })
      await stuck.remove()
    }
  })

  it('sweeps together with others', async () => {
    const runs = await Promise.all(Array.from({ length: 2 }, () => leftover(dead => dead)))
    await Promise.all(Array.from({ length: 4 }, () => engine.sweep()))
    for (const { run } of runs) {
      assert.deepEqual(await left(run), [])
    }
  })
})
