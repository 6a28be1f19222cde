import { randomInt } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import { exim } from '../../../containers/exim/adapter.ts'
import { harakaInContainer } from '../../../containers/haraka/adapter.ts'
import { opensmtpd } from '../../../containers/opensmtpd/adapter.ts'
import { postfix } from '../../../containers/postfix/adapter.ts'
import { sendmail } from '../../../containers/sendmail/adapter.ts'
import { archive } from '../../engine/archive.ts'
import { type Engine, folderFiles, type RunNetwork } from '../../engine/engine.ts'
import type { ContainerProduct } from '../../gateway/adapter.ts'
import { lacking } from '../../gateway/adapter.ts'
import { commandsOf } from '../../gateway/commands/ready-made.ts'
import { mailboxImage } from '../../lab/remote/lab-images.ts'
import { standardFlow } from '../../mailflow/standard-flow.ts'
import { readAuthorities, writeAuthorities } from '../../pki/authority-files.ts'
import { Pki } from '../../pki/pki.ts'

/** Haraka as its users start it: in its usual folder, with nothing in its log that only the plugin of the suite says. */
const HARAKA = '/etc/haraka'
const START_HARAKA = `ln -sf /opt/haraka/node_modules/Haraka/bin/haraka /usr/local/bin/
export NODE_EXTRA_CA_CERTS=${HARAKA}/config/ca.pem
exec haraka -c ${HARAKA} > >(exec grep -a --line-buffered -v '^mail-tls event ') 2>&1`

const PRODUCTS: Record<string, ContainerProduct> = {
  ...{ postfix, exim, sendmail, opensmtpd },
  haraka: {
    ...harakaInContainer,
    command: ['bash', '-c', START_HARAKA],
    render(flow, place) {
      const { files } = harakaInContainer.render(flow, place)
      return { files: files.map(file => ({ ...file, path: file.path.replace('/haraka', HARAKA) })) }
    },
  },
}

/** A bundled product in a container of the user's, with MailHog, in a network of the user's. */
export interface ProductOfUser {
  /** Of the container of the product. */
  name: string
  network: string
  /** The text of the gateway file, as an object. */
  file: Record<string, unknown>
}

/**
 * Starts a product with the standard mail flow, as a gateway that the suite did not start, and writes `gateway.yaml` and
 * `pki/` into the folder, with the commands that `mail-tls init --product` writes. What it starts has the labels of `own`.
 * The log is on standard output, as usual in containers.
 */
export async function productOfUser(
  product: string,
  { engine, own, folder }: { engine: Engine; own: RunNetwork; folder: string },
): Promise<ProductOfUser> {
  const adapter = PRODUCTS[product]!
  const project = `mail-test-${randomInt(1e9)}`
  const network = `${project}_default`
  const net = `10.${randomInt(100, 250)}`
  const resolver = `${net}.0.53`
  writeAuthorities(join(folder, 'pki'))
  const pki = new Pki(readAuthorities(join(folder, 'pki')))
  const flow = await standardFlow(
    { lacks: lacking(adapter) },
    // Haraka asks this one, all others that of their machine: both are the engine's, which knows the mailbox.
    { pki, network: { resolver: '127.0.0.11:53', partnerPort: 25 } },
  )
  await engine.docker.createNetwork({
    Name: network,
    Labels: own.labels,
    IPAM: { Config: [{ Subnet: `${net}.0.0/16`, IPRange: `${net}.64.0/18` }] },
  })
  const started = async (
    name: string,
    image: string,
    aliases: string[],
    more: object,
    files?: AsyncIterable<Buffer>,
  ) => {
    const container = await engine.docker.createContainer({
      ...{ name: `${project}-${name}`, Image: image, Labels: own.labels, ...more },
      HostConfig: { NetworkMode: network, Dns: [resolver] },
      NetworkingConfig: { EndpointsConfig: { [network]: { Aliases: [name, ...aliases] } } },
    })
    if (files) await container.putArchive(Buffer.concat(await Array.fromAsync(files)), { path: '/' })
    await container.start()
  }
  // The engine's DNS leads the gateway's own domain to it.
  await started('mailbox', await engine.image(mailboxImage()), [flow.domain], {
    Cmd: ['MailHog', '-smtp-bind-addr', '0.0.0.0:25'],
  })
  const { folder: context, files } = adapter.context
  const release = adapter.releases[0]!
  const image = await engine.image({
    name: `${adapter.name}-${release.name}`,
    files: folderFiles(context, files),
    args: { BASE: release.base, ...release.args },
  })
  const rendered = adapter.render(flow, {
    address: '0.0.0.0',
    inbound: 25,
    submission: 587,
    submissions: 465,
  }).files
  await started(
    'mx',
    image,
    [],
    { Cmd: [...adapter.command] },
    archive(
      rendered.map(({ path, content, mode = '0644' }) => ({ path, content, mode: Number.parseInt(mode, 8) })),
    ),
  )
  const name = `${project}-mx`
  const { commands } = parse(commandsOf(product, `docker exec ${name}`)) as { commands: object }
  const file = {
    name: `own ${product}`,
    inbound: {
      ...{ address: 'mx:25', hostname: flow.hostname, recipient: flow.recipient, connectors: flow.inbound },
      ...{ trust: 'pki/root.pem', mailbox: 'http://mailbox:8025' },
    },
    // A gateway file has no key for what a connector pins.
    outbound: { submit: 'mx:587', sender: flow.sender, connectors: flow.outbound.filter(({ pin }) => !pin) },
    lab: { network, resolver },
    commands: { ...commands, log: ['docker', 'logs', '-f', '--tail', '0', name] },
  }
  writeFileSync(join(folder, 'gateway.yaml'), JSON.stringify(file, undefined, 2))
  return { name, network, file }
}
