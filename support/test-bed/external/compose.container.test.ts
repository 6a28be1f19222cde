import assert from 'node:assert/strict'
import { randomInt } from 'node:crypto'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parse } from 'yaml'
import { type Engine, folderFiles, type RunNetwork } from '../../engine/engine.ts'
import { ContainerLab } from '../../lab/container-lab.ts'
import { mailboxImage } from '../../lab/remote/lab-images.ts'
import { writeAuthorities } from '../../pki/authority-files.ts'
import { Pki } from '../../pki/pki.ts'
import { engineOrSkip } from '../fixtures/test-engine.ts'
import { checkIn, options, problemsIn, verdictsIn } from './bed.ts'

const EXAMPLE = join(import.meta.dirname, '../../../docs/examples/postfix-compose')

/** What the compose file of the example says. */
interface Compose {
  services: Record<string, { build?: string; image?: string; dns?: string; volumes?: string[] }>
  networks: { default: { ipam: { config: { subnet: string; ip_range: string }[] } } }
}

describe('a gateway in a container network of the user', function () {
  this.timeout(10 * 60_000)
  let engine: Engine
  /** Its labels are on everything here, so that a later run removes what this one leaves if it is killed. */
  let own: RunNetwork
  let folder: string
  /** Takes the place of the project's name in the example. */
  const project = `mail-test-${randomInt(1e9)}`
  const network = `${project}_default`
  /** The first two numbers of the subnet, in place of those in the example. */
  const net = `10.${randomInt(100, 250)}`
  const resolver = `${net}.0.53`

  before(async function () {
    engine = await engineOrSkip(this)
    own = await engine.network()
    folder = mkdtempSync(join(tmpdir(), 'compose-'))
    cpSync(EXAMPLE, folder, { recursive: true })
    for (const name of ['compose.yaml', 'gateway.yaml']) {
      const text = readFileSync(join(folder, name), 'utf8')
      const other = text.replaceAll('mail-test', project).replaceAll('172.29', net)
      writeFileSync(join(folder, name), other)
    }
    writeAuthorities(join(folder, 'pki'))
    const pki = new Pki()
    const { key, certificate } = await pki.issue({ names: ['mx.gateway.test'], usage: 'server' })
    writeFileSync(join(folder, 'gateway-cert.pem'), await pki.root())
    writeFileSync(join(folder, 'identity.pem'), key + certificate)
    await up(parse(readFileSync(join(folder, 'compose.yaml'), 'utf8')) as Compose)
  })
  after(async () => {
    await own?.stop()
    if (folder) rmSync(folder, { recursive: true })
  })

  /** As `docker compose up`. */
  const up = async ({ services, networks }: Compose) => {
    await engine.docker.createNetwork({
      Name: network,
      Labels: own.labels,
      IPAM: {
        Config: networks.default.ipam.config.map(({ subnet, ip_range }) => ({
          Subnet: subnet,
          IPRange: ip_range,
        })),
      },
    })
    for (const [name, { build, dns, volumes = [] }] of Object.entries(services)) {
      const files = ['Dockerfile', 'main.cf', 'inbound', 'outbound', 'transport']
      const container = await engine.docker.createContainer({
        name: `${project}-${name}-1`,
        Labels: own.labels,
        Image: await engine.image(
          build ? { name: 'compose-example', files: folderFiles(folder, files) } : mailboxImage(),
        ),
        // The suite's own image of MailHog asks for a password.
        ...(build ? {} : { Cmd: ['MailHog'] }),
        HostConfig: {
          NetworkMode: network,
          Dns: dns ? [dns] : [],
          Binds: volumes.map(one => one.replace('./', `${folder}/`)),
        },
        NetworkingConfig: { EndpointsConfig: { [network]: { Aliases: [name] } } },
      })
      await container.start()
    }
  }

  const inNetwork = () => engine.docker.listContainers({ all: true, filters: { network: [network] } })

  const check = (...args: string[]) => checkIn(folder, ...args)

  it('is judged as receiver and as sender, with several mail exchangers, and nothing is left', async () => {
    const ids = ['EXO-FRC-11', 'RFC5321-01', 'EXO-OPP-08']
    const { status, err } = await check(...options(...ids))
    const verdicts = verdictsIn(folder)
    assert.deepEqual(problemsIn({ verdicts, err }), [])
    assert.equal(status, 0)
    for (const id of ids)
      assert.ok(
        verdicts.some(({ requirement, verdict }) => requirement === id && verdict === 'conformant'),
        id,
      )
    assert.equal((await inNetwork()).length, 2)
  })

  it('has the lab beside it, of which nothing is published', async () => {
    const place = {
      network,
      resolver,
      admitted: [],
      connectors: [{ to: '*.a.test', tls: 'opportunistic' as const }],
    }
    const lab = await ContainerLab.join(new Pki(), place)
    try {
      const all = await inNetwork()
      assert.equal(all.length, 4)
      assert.deepEqual(
        all.flatMap(({ Ports }) => Ports.filter(({ PublicPort }) => PublicPort)),
        [],
      )
      assert.match(lab.author!.domain, /\.a\.test$/)
    } finally {
      await lab.stop()
    }
    assert.equal((await inNetwork()).length, 2)
  })

  it('cannot be judged if the lab cannot be in its network', async () => {
    const file = join(folder, 'gateway.yaml')
    const text = readFileSync(file, 'utf8')
    const mx = engine.docker.getContainer(`${project}-mx-1`)
    const { IPAddress } = (await mx.inspect()).NetworkSettings.Networks[network]!
    try {
      for (const [from, to, message] of [
        [
          network,
          `${project}_other`,
          /^mail-tls: gateway\.yaml:\d+:12: lab\.network: .* has no network .*_other/,
        ],
        [
          resolver,
          IPAddress,
          /^mail-tls: gateway\.yaml:\d+:13: lab\.resolver: the container .*-mx-1 has the address/,
        ],
        [resolver, `${net}.128.1`, /lab\.resolver: .* is no address in the lower half of the subnet/],
        [network, 'host', /lab\.network: host is not a bridge network/],
        ['mx:25', 'max:25', /^mail-tls: no mail server greets at max port 25: .*look at inbound\.address\n$/],
      ] as const) {
        writeFileSync(file, text.replace(from, to))
        const { status, err } = await check()
        assert.match(err, message)
        assert.equal(status, 2)
      }
    } finally {
      writeFileSync(file, text)
    }
    assert.equal((await inNetwork()).length, 2)
  })
})
