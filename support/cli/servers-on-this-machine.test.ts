import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import stringWidth from 'string-width'
import { loadGatewayFile } from '../gateway/gateway-file.ts'
import { startCommand } from '../test-bed/fixtures/command.ts'
import { init } from './init.ts'
import { lookAround, type Places, surroundingsText } from './servers-on-this-machine.ts'

describe('what mail-tls init finds', () => {
  const servers: Server[] = []
  let folder: string
  let heard: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'surroundings-'))
    heard = ''
  })
  afterEach(async () => {
    rmSync(folder, { recursive: true })
    for (const server of servers.splice(0)) {
      server.close()
      await once(server, 'close')
    }
  })

  /** The port of a server that says this and closes when the client does. */
  const saying = async (text: string): Promise<number> => {
    const server = createServer(socket => {
      socket.on('data', data => {
        heard += data
      })
      socket.on('error', () => {})
      socket.write(text)
    }).listen(0, '127.0.0.1')
    servers.push(server)
    await once(server, 'listening')
    return (server.address() as AddressInfo).port
  }
  const NO_ENGINE = () => Promise.reject(new Error('none'))
  const around = (here: Places = {}) =>
    lookAround({
      ...{ receivers: [], submissions: [], addresses: [], engine: NO_ENGINE, limit: 200, hostname: 'here' },
      ...here,
    })

  it('is a server that greets, with the name in its greeting, which is told that the client leaves', async () => {
    const port = await saying('220-MX.example.org ESMTP\r\n220 ready\r\n')
    const { receiver } = await around({ receivers: [port] })
    assert.deepEqual(receiver, { address: { host: '127.0.0.1', port }, hostname: 'mx.example.org' })
    const [server] = servers
    while ((await connectionsOf(server!)) > 0) await new Promise(setImmediate)
    assert.equal(heard, 'QUIT\r\n')
  })

  it('is the first of several servers, and the submission server apart', async () => {
    const [one, two] = [await saying('220 one.test\r\n'), await saying('220 two.test\r\n')]
    const { receiver, submission } = await around({ receivers: [one, two], submissions: [two] })
    assert.deepEqual([receiver?.address.port, submission?.address.port], [one, two])
  })

  it('is no server that talks without end, which is not waited for', async function () {
    this.timeout(5_000)
    const port = await saying('220 '.padEnd(5_000, 'x'))
    assert.equal((await around({ receivers: [port], limit: 30_000 })).receiver, undefined)
  })

  it('is no server that is silent, busy, gone or no mail server', async () => {
    const texts = ['', '421 busy\r\n', 'SSH-2.0-OpenSSH\r\n', '220 a.test\r\n']
    const ports = await Promise.all(texts.map(saying))
    for (const port of ports.slice(0, 3))
      assert.equal((await around({ receivers: [port] })).receiver, undefined)
    const closed = servers.pop()!
    closed.close()
    assert.equal((await around({ receivers: [ports[3]!] })).receiver, undefined)
  })

  for (const [what, greeting, hostname, expected] of [
    ['the name of this machine', '220 ESMTP\r\n', 'mx.here.test', 'mx.here.test'],
    ['none', '220 ESMTP\r\n', 'localhost', undefined],
    ['no address', '220 [127.0.0.1] hi\r\n', 'here', undefined],
    ['no number', '220 127.0.0.1 hi\r\n', 'here', undefined],
    ['nothing that would change the file', '220 a.test"\x1b[31m\r\n', 'here', undefined],
  ] as const)
    it(`takes ${what} where the greeting is ${JSON.stringify(greeting)}`, async () => {
      const { receiver } = await around({ receivers: [await saying(greeting)], hostname })
      assert.equal(receiver?.hostname, expected)
    })

  it('is the usual address for partners if it is free, and another one if not', async () => {
    const taken = await saying('')
    const { partner } = await around({ partner: taken })
    assert.notEqual(partner.port, taken)
    const again = await around({ partner: partner.port })
    assert.deepEqual(again.partner, { host: '127.0.0.1', port: partner.port })
  })

  it('stands in the file, which can be used as it is', async () => {
    const port = await saying('220 mx.example.org\r\n')
    const found = await around({ receivers: [port], submissions: [port], partner: port })
    const file = join(folder, 'gateway.yaml')
    const told = init(file, {}, found)
    const { inbound, outbound } = loadGatewayFile(file)
    assert.deepEqual(inbound?.address, { host: '127.0.0.1', port })
    assert.deepEqual([inbound?.hostname, inbound?.recipient], ['mx.example.org', 'postmaster@mx.example.org'])
    assert.deepEqual(outbound?.submit, { host: '127.0.0.1', port })
    assert.match(told, new RegExp(`\n- a mail server that greets at 127.0.0.1:${port}, as mx.example.org;`))
    assert.ok(told.includes(`can listen, 127.0.0.1:${found.partner.port}\n`), told)
  })

  it('is told in lines for a terminal of 80 columns, with the engine and the addresses', async () => {
    const addresses = [
      '192.0.2.7',
      '2001:db8:1111:2222:3333:4444:5555:6666',
      '10.0.0.1',
      '10.0.0.2',
      '10.0.0.3',
    ]
    const found = await around({
      ...{ addresses, receivers: [await saying('220 mx.example.org\r\n')] },
      engine: () => Promise.resolve({ description: `Docker\x1b[2J ${'9'.repeat(300)}` }),
    })
    const lines = surroundingsText(found).join('\n').split('\n')
    assert.deepEqual(
      lines.filter(line => stringWidth(line) > 80 && !/9{60}/.test(line)),
      [],
    )
    assert.match(lines.join(' '), /its addresses 192\.0\.2\.7, .*10\.0\.0\.2, …;/)
    assert.match(lines.join(' '), /- a container engine, Docker\\x1b\[2J/)
    const nothing = surroundingsText(await around()).join(' ')
    assert.match(nothing, /- no mail server [\s\S]* - no container engine;/)
    assert.doesNotMatch(nothing, /its addresses/)
  })

  it('is not said of a file that is there already, nor of a receiver elsewhere', async () => {
    const found = await around()
    const file = join(folder, 'gateway.yaml')
    assert.doesNotMatch(init(file, { receiver: 'mx.example.org' }, found), /Found/)
    rmSync(join(folder, 'pki'), { recursive: true })
    assert.doesNotMatch(init(file, {}, found), /Found/)
  })

  it('asks a person nothing', async () => {
    const { child, ended } = startCommand(['init'], {
      cwd: folder,
      input: true,
      env: { DOCKER_HOST: `unix://${folder}/none` },
    })
    const { status, out, err } = await ended
    assert.deepEqual([status, err], [0, ''])
    assert.match(out, /\nFound on this machine:\n- .*[\s\S]*- no container engine;/)
    child.stdin?.destroy()
  })
})

const connectionsOf = (server: Server): Promise<number> =>
  new Promise((resolve, reject) =>
    server.getConnections((error, count) => (error ? reject(error) : resolve(count))),
  )
