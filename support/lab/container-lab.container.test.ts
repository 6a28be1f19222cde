import assert from 'node:assert/strict'
import type { Container, Engine } from '../engine/engine.ts'
import { LABELS } from '../engine/labels.ts'
import { Pki } from '../pki/pki.ts'
import { engineOrSkip } from '../test-bed/fixtures/test-engine.ts'
import { until } from '../wire/until.ts'
import { bounded } from '../wire/wire-error.ts'
import { ContainerLab } from './container-lab.ts'
import { labImage } from './remote/lab-images.ts'

/**
 * A mail server in short: looks up the exchangers of a domain, connects to port 25 of the best and delivers. Plain
 * JavaScript for `node -e`; prints what it saw as JSON.
 */
const SENDER = `
  const dns = require('node:dns').promises, net = require('node:net'), tls = require('node:tls')
  const [domain, text, mode] = process.argv.slice(1)
  const main = async () => {
    const [{ exchange }] = (await dns.resolveMx(domain)).sort((a, b) => a.priority - b.priority)
    const [address] = await dns.resolve4(exchange)
    let socket = net.connect(25, address)
    const replies = []
    const reply = () => new Promise((resolve, reject) => {
      let seen = ''
      const look = chunk => {
        seen += chunk
        const last = /^(\\d{3}) .*\\r\\n$/m.exec(seen)
        if (!last) return
        socket.off('data', look)
        replies.push(last[1])
        resolve(seen)
      }
      socket.on('data', look)
      socket.once('error', reject)
      socket.once('close', () => reject(new Error('closed')))
    })
    const say = line => (socket.write(line + '\\r\\n'), reply())
    await reply()
    if (mode === 'waits') return new Promise(() => {})
    const offered = await say('EHLO sender.test')
    if (offered.includes('STARTTLS')) {
      await say('STARTTLS')
      socket = tls.connect({ socket, servername: exchange, ca: process.env.ROOT })
      await new Promise((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject))
      await say('EHLO sender.test')
    }
    for (const line of ['MAIL FROM:<a@sender.test>', 'RCPT TO:<inbox@' + domain + '>', 'DATA', 'Subject: x\\r\\n\\r\\n' + text + '\\r\\n.', 'QUIT'])
      await say(line)
    return { exchange, address, replies: replies.join(' '), authorized: socket.authorized }
  }
  main().then(seen => console.log(JSON.stringify(seen)), error => console.log(JSON.stringify({ error: String(error) })))`

/** Fetches a URL and prints what came, the code of the error, or that nothing came for longer than ARP waits (3 s). */
const FETCHER = `
  const { hostname, pathname } = new URL(process.argv[1])
  const done = word => { console.log(word); process.exit() }
  require('node:dns').promises.resolve4(hostname).then(([host]) =>
    require('node:http')
      .get({ host, path: pathname, headers: { host: hostname }, timeout: 5000 }, answer => answer.on('data', body => done(String(body))))
      .on('timeout', () => done('no answer'))
      .on('error', ({ code }) => done(code)), ({ code }) => done(code))`

describe('a lab in containers', function () {
  this.timeout(20 * 60_000)
  let engine: Engine
  let lab: ContainerLab
  let sender: Container
  before(async function () {
    engine = await engineOrSkip(this)
    const pki = new Pki()
    lab = await ContainerLab.start(pki)
    sender = await lab.containers.start({
      name: 'sender',
      image: await engine.image(labImage(engine.architecture)),
      command: ['sleep', '600'],
      environment: { ROOT: await pki.root() },
    })
  })
  after(() => lab?.stop())

  const deliver = async (domain: string, text: string) => {
    const { stdout } = await sender.exec(['node', '-e', SENDER, domain, text])
    return JSON.parse(stdout) as Record<string, unknown>
  }

  it('leads a mail server to a partner by DNS, and reports what crosses the connection', async () => {
    const partner = await lab.partner({ domain: lab.freshDomain('*.forced.test'), hosts: [{}, {}] })
    const seen = await deliver(partner.domain, 'the word is flour')
    assert.deepEqual(seen, {
      exchange: partner.hosts[0]!.hostname,
      address: partner.hosts[0]!.address,
      replies: '220 250 220 250 250 250 354 250 221',
      authorized: true,
    })
    assert(await until(() => partner.conversations[0]?.closed === true, [partner], 5_000))
    const [conversation] = partner.conversations
    assert.equal(conversation!.labError, undefined)
    assert.equal(conversation!.handshake?.version, 'TLSv1.3')
    assert.deepEqual(conversation!.handshake?.serverCertificate?.names, [
      partner.domain,
      partner.hosts[0]!.hostname,
    ])
    assert.match(conversation!.clear.fromSender, /^EHLO sender\.test.*STARTTLS/)
    assert.doesNotMatch(conversation!.clear.fromSender, /MAIL|flour/)
    assert.equal(conversation!.events[0]?.text, `from ${sender.address}`)
    const [message] = partner.messages
    assert.equal(message!.secured, true)
    assert.equal(message!.host, partner.hosts[0]!.hostname)
    assert.equal(message!.content, 'Subject: x\r\n\r\nthe word is flour\r\n')
    assert(Math.abs(message!.at - performance.now()) < 60_000, 'in time of this process')
  })

  it('has web hosts to which the way is open, refused, dropped or without a name', async () => {
    const url = await lab.web.at('crl.ways.test', '/ways/list.crl')
    await lab.web.serve(new Map([[url, { body: Buffer.from('here') }]]))
    const seen: string[] = []
    for (const way of ['open', 'refused', 'dropped', 'without a name', 'open'] as const) {
      await lab.web.way(url, way)
      const { stdout } = await sender.exec(['node', '-e', FETCHER, url])
      seen.push(stdout.trim())
    }
    assert.deepEqual(seen, ['here', 'ECONNREFUSED', 'no answer', 'ENOTFOUND', 'here'])
  })

  it('plays partners that behave as asked, each at its own address', async () => {
    const [plain, refusing] = await lab.partners([
      { domain: lab.freshDomain('*.forced.test'), hosts: [{ starttls: { hides: true } }] },
      {
        domain: lab.freshDomain('*.forced.test'),
        hosts: [{ transaction: { refuses: { at: 'RCPT', reply: '550 5.1.1 No' } } }],
      },
    ])
    assert.equal((await deliver(plain!.domain, 'x'))['replies'], '220 250 250 250 354 250 221')
    assert.match(String((await deliver(refusing!.domain, 'x'))['replies']), /^220 250 220 250 250 550/)
    await until(() => plain!.messages.length === 1, [plain!], 5_000)
    assert.equal(plain!.messages[0]?.secured, false)
    assert.equal(refusing!.messages.length, 0)
  })

  it('plays partners in their manner, changes them, and leads more domains to them', async () => {
    const [domain, also] = [lab.freshDomain('*.forced.test'), lab.freshDomain('*.forced.test')]
    const manner = {
      recipientReply: 251,
      certificateKey: 'Ed25519',
      certificateChoice: 'by server name',
    } as const
    const partner = await lab.partner({ domain, hosts: [{ manner }], alsoFor: [also] })
    for (const name of [domain, also])
      assert.equal((await deliver(name, 'x'))['replies'], '220 250 220 250 250 251 354 250 221')
    await until(() => partner.messages.length === 2, [partner], 5_000)
    assert.equal(partner.conversations[0]?.handshake?.serverCertificate?.chainLength, 2)
    await lab.change(partner, [{ greeting: 'refuses (554)', times: 1, manner }])
    assert.match(String((await deliver(domain, 'x'))['replies']), /^554 503/)
    assert.match(String((await deliver(domain, 'x'))['replies']), / 251 354 250 221$/)
  })

  it('has a mail exchanger before others at which nobody listens', async () => {
    const manner = { place: 'at its second mail exchanger' } as const
    const partner = await lab.partner({ domain: lab.freshDomain('*.forced.test'), hosts: [{ manner }] })
    assert.match(String((await deliver(partner.domain, 'x'))['error']), /ECONNREFUSED/)
  })

  it('answers with signed records, and knows no other names', async () => {
    const certificate = Buffer.alloc(32, 1)
    const data = { usage: 3, selector: 1, matchingType: 1, certificate }
    await lab.zone.set([
      { name: '_25._tcp.mx.dane.test', type: 'TLSA', data },
      { name: '_mta-sts.dane.test', type: 'TXT', data: 'v=STSv1; id=1;' },
      { name: 'mta-sts.dane.test', type: 'CNAME', data: 'mx.dane.test' },
      { name: 'mx.dane.test', type: 'A', data: '198.18.0.9' },
      { name: 'mx.dane.test', type: 'AAAA', data: '2001:db8::9' },
    ])
    const look = async (what: string) => {
      const script = `require('node:dns').promises.${what}.then(JSON.stringify, e => e.code).then(console.log)`
      return (await sender.exec(['node', '-e', script])).stdout.trim()
    }
    assert.equal(await look(`resolve('mta-sts.dane.test', 'CNAME')`), '["mx.dane.test"]')
    assert.equal(await look(`resolve4('mta-sts.dane.test')`), '["198.18.0.9"]')
    assert.equal(await look(`resolve6('mx.dane.test')`), '["2001:db8::9"]')
    assert.equal(await look(`resolveTxt('_mta-sts.dane.test')`), '[["v=STSv1; id=1;"]]')
    assert.match(await look(`resolveTlsa('_25._tcp.mx.dane.test')`), /"certUsage":3/)
    await lab.zone.clear([{ name: 'mx.dane.test', type: 'A' }])
    assert.equal(await look(`resolve4('mx.dane.test')`), 'ENODATA')
    assert.equal(await look(`resolve4('example.com')`), 'ENOTFOUND')
    assert.equal(await look(`resolve4('nobody.test')`), 'ENOTFOUND')
  })

  it('has a resolver that validates the signatures', async () => {
    // A query for a TLSA record with DO; the flags of the answer are its third and fourth byte, AD is 0x20 of the latter.
    const script = `
      const socket = require('node:dgram').createSocket('udp4')
      const name = '_25._tcp.mx.dane.test'.split('.').map(label => String.fromCharCode(label.length) + label).join('')
      socket.on('message', answer => { console.log(answer[3] & 0x2f, answer.readUInt16BE(6)); socket.close() })
      socket.send(Buffer.from('\\0\\x07\\x01\\x20\\0\\x01\\0\\0\\0\\0\\0\\x01' + name + '\\0\\0\\x34\\0\\x01\\0\\0\\x29\\x10\\0\\0\\0\\x80\\0\\0\\0', 'latin1'), 53, '127.0.0.11')`
    assert.equal((await sender.exec(['node', '-e', script])).stdout.trim(), `${0x20} 2`)
  })

  it('keeps the mail of a domain in its mailbox', async () => {
    await lab.leadToMailbox('gateway.test')
    assert.match(String((await deliver('gateway.test', 'for the mailbox'))['replies']), /250 221$/)
    const [mail] = await lab.mailbox!.await('for the mailbox')
    assert.deepEqual(mail?.to, ['inbox@gateway.test'])
    assert.match(mail!.content, /for the mailbox\r\n$/)
  })

  it('gives domains of senders an address', async () => {
    await lab.admitSenders(['*.known.test', '*.known.test', 'one.test'])
    const script = `require('node:dns').promises.resolve4(process.argv[1]).then(console.log, e => console.log(e.code))`
    const known = async (name: string) => (await sender.exec(['node', '-e', script, name])).stdout
    for (const name of ['d1.known.test', 'one.test']) assert.match(await known(name), /198\.1[89]\./)
    assert.match(await known('d1.unknown.test'), /ENOTFOUND/)
  })

  it('counts connections for no partner', async () => {
    const before = lab.strays
    await lab.zone.set([
      { name: 'stray.test', type: 'MX', data: { preference: 1, exchange: 'mx.stray.test' } },
      { name: 'mx.stray.test', type: 'A', data: lab.containers.subnet.lab(4000) },
    ])
    await deliver('stray.test', 'x')
    // It is told with the next heartbeat.
    await new Promise(resolve => setTimeout(resolve, 3_000))
    assert.equal(lab.strays, before + 1)
  })

  const published = async () => {
    const list = await engine.docker.listContainers({
      filters: { label: [`${LABELS.run}=${lab.containers.id}`] },
    })
    return list.flatMap(({ Ports }) => Ports.filter(({ PublicPort }) => PublicPort !== undefined))
  }

  it('publishes its ports to this machine alone', async () => {
    const addresses = (await published()).map(({ IP }) => IP)
    assert.ok(addresses.length > 0)
    // An engine elsewhere has to publish them where this machine can reach them.
    if (engine.host === '127.0.0.1') assert.deepEqual([...new Set(addresses)], ['127.0.0.1'])
  })

  for (const [what, port, path] of [
    ['lab', 8080, 'events'],
    ['mailbox', 8025, 'api/v2/messages'],
  ] as const)
    it(`gives no answer at the ${what} without the secret`, async () => {
      const { PublicPort } = (await published()).find(({ PrivatePort }) => PrivatePort === port)!
      for (const authorization of ['', 'Bearer x', 'Basic bGFiOng='])
        for (const method of ['GET', 'DELETE']) {
          const place = `http://${engine.host}:${PublicPort}/${path}`
          assert.equal((await fetch(place, { method, headers: { authorization } })).status, 401)
        }
    })

  const kill = async ({ containers }: ContainerLab, name: string) => {
    const list = await engine.docker.listContainers({
      filters: { label: [`${LABELS.run}=${containers.id}`, `${LABELS.name}=${name}`] },
    })
    await engine.docker.getContainer(list[0]!.Id).kill()
  }

  for (const name of ['names', 'mailbox'])
    it(`is lost if its ${name} end: mail that a gateway then defers is not the gateway's fault`, async () => {
      const other = await ContainerLab.start(new Pki())
      try {
        const partner = await other.partner({ domain: other.freshDomain('*.forced.test') })
        const change = Promise.withResolvers<void>()
        partner.watch(change.resolve)
        await kill(other, name)
        await bounded(change.promise, 'no word of the loss')
        await assert.rejects(partner.upToDate(), { name: 'ContainerFailure', message: new RegExp(name) })
      } finally {
        await other.stop()
      }
    })

  it('says that it is lost, and why', async () => {
    const partner = await lab.partner({ domain: lab.freshDomain('*.forced.test') })
    const waiting = sender.exec(['node', '-e', SENDER, partner.domain, 'x', 'waits']).catch(() => {})
    assert(await until(() => partner.conversations.length === 1, [partner], 10_000))
    await kill(lab, 'lab')
    const lost = () => partner.conversations[0]?.labError !== undefined
    assert(await until(lost, [partner], 10_000))
    assert.match(partner.conversations[0]!.labError!, /lab/)
    await assert.rejects(lab.partner({ domain: 'late.test' }), { name: 'ContainerFailure', message: /lab/ })
    await sender.stop()
    await waiting
  })

  it('leaves no container and no network', async () => {
    await lab.stop()
    const filters = { label: [`${LABELS.run}=${lab.containers.id}`] }
    assert.deepEqual(await engine.docker.listContainers({ all: true, filters }), [])
    assert.deepEqual(await engine.docker.listNetworks({ filters }), [])
  })
})
