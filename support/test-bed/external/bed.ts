import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from '../../free-port.ts'
import type { InboundConnector } from '../../mailflow/mail-flow.ts'
import { writeAuthorities } from '../../pki/authority-files.ts'
import type { VerdictsDocument } from '../../report/run-record.ts'
import type { Endpoint } from '../../wire/smtp/smtp.ts'
import { type Ended, runCommand, startCommand } from '../fixtures/command.ts'
import { freshHost, textOf } from '../fixtures/ports.ts'
import type { Addresses, RoutedConnector, Served } from './serve.ts'

const SERVE = join(import.meta.dirname, 'serve.ts')

/** Of the user of each gateway, in the environment variable GATEWAY_PASSWORD. */
export const PASSWORD = 'right horse 17'

export const INBOUND: InboundConnector[] = [
  { from: '*.required.test', tls: 'required' },
  { from: '*.partner.test', tls: 'required', clientCertificate: 'gateway.partner.test' },
]
export const OUTBOUND: RoutedConnector[] = [
  { to: '*.opportunistic.test', tls: 'opportunistic' },
  { to: '*.encrypted.test', tls: 'encryption-only' },
  { to: '*.trusted.test', tls: 'certificate-validation' },
  { to: '*.verified.test', tls: 'domain-validation' },
]

export interface CommandResult extends Ended {
  ms: number
  verdicts: VerdictsDocument['verdicts']
  circumstances?: VerdictsDocument['circumstances']
  /** The text of all files of the report. */
  report: string
}

export interface Setup extends Partial<Omit<Served, 'partner'>> {
  partners?: Endpoint[]
  sides?: 'both' | 'inbound' | 'outbound'
  mailbox?: boolean
  trust?: string
  /** The partner address that the gateway delivers to. Default: the first of `partners`. */
  deliversTo?: Endpoint
  /** The gateway asks the suite for names, and the suite has these addresses for partners. */
  names?: { listen: Endpoint; partners: string[]; port: number }
  /** Addresses in the gateway file that replace those of the gateway. */
  addresses?: Partial<Addresses>
  /** In the gateway file, in place of the one for which the gateway takes mail. */
  recipient?: string
  settle?: string
  /** More keys of `outbound`. */
  submits?: { login?: object; submitTls?: string }
  /** The outbound connectors in the gateway file. Default: those of the gateway. */
  described?: RoutedConnector[]
  /** The inbound ones. */
  describedInbound?: InboundConnector[]
  /** `commands` of the gateway file. */
  commands?: (addresses: Addresses) => object | undefined
}

/** A gateway in a process of its own, and the command that judges it, for the tests of one `describe`. */
export function externalBed() {
  let folder: string
  let gateways: ChildProcess[]
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'external-'))
    writeAuthorities(join(folder, 'pki'))
  })
  after(() => rmSync(folder, { recursive: true }))
  beforeEach(() => {
    gateways = []
  })
  afterEach(async () => {
    const exits = gateways.filter(({ exitCode }) => exitCode === null).map(child => once(child, 'exit'))
    for (const child of gateways) child.disconnect()
    await Promise.all(exits)
  })

  const writeGatewayFile = (
    addresses: Addresses,
    partners: readonly Endpoint[],
    {
      sides = 'both',
      mailbox: hasMailbox = true,
      trust,
      recipient = 'inbox@gateway.test',
      inbound: taken = INBOUND,
      describedInbound: from = taken,
      outbound: sent = OUTBOUND,
      described: to = sent,
      settle = '300ms',
      submits = {},
      commands,
      names,
    }: Setup,
  ) => {
    const { inbound, submission, mailbox } = addresses
    writeFileSync(
      join(folder, 'gateway.yaml'),
      JSON.stringify({
        name: 'edge',
        ...(sides === 'outbound'
          ? {}
          : {
              inbound: {
                address: textOf(inbound),
                hostname: 'mx.gateway.test',
                recipient,
                ...(hasMailbox ? { mailbox } : {}),
                ...(trust === undefined ? {} : { trust }),
                connectors: from,
              },
            }),
        ...(sides === 'inbound'
          ? {}
          : {
              outbound: {
                submit: textOf(submits.submitTls === 'implicit' ? addresses.implicitTls : submission),
                sender: 'probe@gateway.test',
                ...(names ? {} : { partner: partners.map(textOf) }),
                connectors: to.map(({ host, ...connector }) => ({
                  ...connector,
                  ...(host === undefined ? {} : { partner: textOf({ ...partners[0]!, host }) }),
                })),
                settle,
                ...submits,
              },
            }),
        ...(names ? { names: { ...names, listen: textOf(names.listen) } } : {}),
        ...(commands ? { commands: commands(addresses) } : {}),
      }),
    )
  }

  /** Starts the gateway and writes its gateway file. Returns the addresses of the partners. */
  const startGateway = async (setup: Setup = {}): Promise<Endpoint[]> => {
    const [host, mailboxHost] = [freshHost(), freshHost()]
    const partners = setup.partners ?? [{ host, port: await freePort(host) }]
    const { inbound = INBOUND, outbound = OUTBOUND, defect, retriesAfter, log, misses, settings } = setup
    const served: Served = {
      ...{
        pki: join(folder, 'pki'),
        password: PASSWORD,
        partner: setup.deliversTo ?? partners[0]!,
        mailboxHost,
        inbound,
        outbound,
      },
      ...(setup.names ? { resolver: setup.names.listen } : {}),
      ...(defect ? { defect } : {}),
      ...(retriesAfter === undefined ? {} : { retriesAfter }),
      ...(log === undefined ? {} : { log }),
      ...(misses ? { misses } : {}),
      ...(settings === undefined ? {} : { settings }),
    }
    const child = fork(SERVE, [JSON.stringify(served)])
    gateways.push(child)
    const [addresses] = (await once(child, 'message')) as [Addresses]
    writeGatewayFile({ ...addresses, ...setup.addresses }, partners, setup)
    return partners
  }

  const check = (...args: string[]): Promise<CommandResult> => checkTarget('gateway.yaml', ...args)
  const checkTarget = (target: string, ...args: string[]): Promise<CommandResult> =>
    checkUntil(undefined, target, ...args)
  /** `interrupt`: called with a function that sends the command the signal of Ctrl-C. */
  const checkUntil = async (
    interrupt: ((end: () => void) => void) | undefined,
    target: string,
    ...args: string[]
  ): Promise<CommandResult> => {
    const began = performance.now()
    const circumstances = args.includes('--circumstances') ? [] : ['--circumstances', 'none']
    const running = startCommand(['check', target, ...circumstances, '--report', 'report', ...args], {
      cwd: folder,
      env: { TMPDIR: folder, GATEWAY_PASSWORD: PASSWORD },
    })
    interrupt?.(() => running.child.kill('SIGINT'))
    const ended = await running.ended
    const report = reportText()
    return { ...ended, ms: performance.now() - began, report, ...judged() }
  }
  const reportText = () => {
    const path = join(folder, 'report')
    if (!existsSync(path)) return ''
    const files = readdirSync(path, { recursive: true, withFileTypes: true }).filter(one => one.isFile())
    return files.map(({ parentPath, name }) => readFileSync(join(parentPath, name), 'utf8')).join('')
  }
  const judged = (): Pick<CommandResult, 'verdicts' | 'circumstances'> => {
    const path = join(folder, 'report/verdicts.json')
    try {
      const document = JSON.parse(readFileSync(path, 'utf8')) as VerdictsDocument
      rmSync(join(folder, 'report'), { recursive: true })
      return document
    } catch {
      return { verdicts: [] }
    }
  }

  /** The path of a file in the folder of the gateway file. */
  const beside = (name: string): string => join(folder, name)
  /** As a target of `check`: where the gateway of the gateway file accepts mail. */
  const address = (): string =>
    `smtp://${JSON.parse(readFileSync(beside('gateway.yaml'), 'utf8')).inbound.address}`

  return { startGateway, writeGatewayFile, address, beside, check, checkTarget, checkUntil }
}

/** Judges by the gateway file in a folder, with the report in the same folder. */
export const checkIn = (folder: string, ...args: string[]): Promise<Ended> =>
  runCommand(['check', 'gateway.yaml', '--circumstances', 'none', '--report', 'report', ...args], {
    cwd: folder,
  })
export const verdictsIn = (folder: string): VerdictsDocument['verdicts'] =>
  (JSON.parse(readFileSync(join(folder, 'report/verdicts.json'), 'utf8')) as VerdictsDocument).verdicts

export const options = (...requirements: string[]) => requirements.flatMap(id => ['--requirement', id])
/** The errors, and the verdicts that are neither conformant nor inapplicable, as sentences. */
export const problemsIn = ({ verdicts, err }: Pick<CommandResult, 'verdicts' | 'err'>) => [
  ...(err ? [err] : []),
  ...verdicts
    .filter(({ verdict }) => verdict !== 'conformant' && verdict !== 'inapplicable')
    .map(({ requirement, title, verdict, detail }) => `${requirement} ${title}: ${verdict}: ${detail}`),
]
export const detailsOf = ({ verdicts }: CommandResult, requirement: string) =>
  verdicts.filter(one => one.requirement === requirement).map(({ detail }) => detail)
