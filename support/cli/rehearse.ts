import { writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { createInterface } from 'node:readline/promises'
import pc from 'picocolors'
import { loadCatalogue } from '../catalogue/catalogue.ts'
import { isExternal } from '../gateway/external.ts'
import { isServerAddress } from '../gateway/server-address.ts'
import type { GatewaySource } from '../gateway/source.ts'
import { GatewayFailure } from '../gateway-failure.ts'
import { InputError } from '../input-error.ts'
import { jsonText } from '../json-text.ts'
import { sweep, sweepAtExit } from '../leftovers.ts'
import { CHANGES } from '../mailflow/changes.ts'
import { counted } from '../quantities.ts'
import { rehearsalPage } from '../report/rehearsal.ts'
import { writableFolder } from '../report/write.ts'
import {
  exitOf,
  PHASES,
  type Phase,
  type Rehearsal,
  type RehearsalOptions,
  type RehearsedMail,
  rehearse,
} from '../run/rehearsal.ts'
import { Run } from '../run/run.ts'
import { COLUMNS, wrapped } from './columns.ts'
import { complain } from './complain.ts'
import { sourceOf } from './order.ts'
import { never, onInterrupt } from './process-end.ts'
import { mustBeReachable } from './reachable.ts'
import { safe } from './server-certificate-text.ts'
import type { Look, Paint } from './terminal.ts'

export interface RehearseOptions {
  report?: string
  json?: boolean
}

/**
 * Walks a gateway through the phases of a change of authority and tells what becomes of its mail. Gives 0 if all went as
 * planned, 1 if not, 2 if nothing can be said. Throws InputError.
 */
export async function rehearseCommand(target: string, options: RehearseOptions & Look): Promise<0 | 1 | 2> {
  if (isServerAddress(target))
    throw new InputError(
      `${target}: an address says too little for a rehearsal; mail-tls init writes a gateway file`,
    )
  const source = sourceOf(target, loadCatalogue(), {})
  const dir = options.report ?? join('reports', `${source.name}-rehearsal`)
  const byHand = whyByHand(source)
  if (source.untested?.('sender') && source.untested?.('receiver'))
    throw new InputError(`${target}: has neither inbound nor outbound, so there is nothing to rehearse`)
  await writableFolder(dir)
  sweep()
  sweepAtExit()
  let starting: Promise<Run> | undefined
  const stop = async () => (await starting?.catch(() => undefined))?.stop()
  const interrupt = onInterrupt(
    async () => {
      await stop()
      return 2
    },
    () => 'the rehearsal is not complete, and nothing of it was written',
  )
  const notPutBack = (left: Error) => complain(`not everything could be put back: ${left.message}`)
  const say = (text: string) => process.stderr.write(`${text}\n`)
  try {
    if (isExternal(source) && !source.file.lab) await mustBeReachable(source.file)
    starting = Run.start({ source, signal: interrupt.signal })
    const run = await starting
    await run.mustWork()
    const rehearsal = await rehearse(run, {
      began: ({ name, what }, number) => say(`${number} of ${PHASES.length}, ${name}: ${what}`),
      ...(byHand === undefined ? {} : { install: installing(run, dir, byHand, say) }),
    })
    await stop().catch(notPutBack)
    if (byHand !== undefined) say('Let the gateway trust again what it trusted before, and nothing else.')
    const document = rehearsalDocument(source.name, rehearsal)
    writeFileSync(join(dir, 'rehearsal.json'), jsonText(document))
    writeFileSync(join(dir, 'rehearsal.html'), rehearsalPage(source.name, rehearsal))
    process.stdout.write(
      options.json ? jsonText(document) : rehearsalText(source.name, rehearsal, dir, options),
    )
    return exitOf(rehearsal)
  } catch (error) {
    if (interrupt.signal.aborted) return never
    await stop().catch(notPutBack)
    if (!(error instanceof GatewayFailure)) throw error
    complain(error.message)
    return 2
  } finally {
    interrupt.undo()
  }
}

/** Why somebody has to install the roots by hand, in a sentence; nothing where the gateway is told so. */
function whyByHand(source: GatewaySource): string | undefined {
  if (source.untested?.('sender') !== undefined) return undefined
  const why = source.refuses?.(CHANGES['trusts both roots'])
  if (why === undefined || !isExternal(source)) return why
  return `${basename(source.file.path)} has no key commands.trust that installs roots`
}

/** Says which roots to install and waits for Enter. */
function installing(
  run: Run,
  dir: string,
  why: string,
  say: (text: string) => void,
): NonNullable<RehearsalOptions['install']> {
  say(`${why}. So install the roots by hand, whenever the suite asks for it, and let the gateway read them.`)
  let last = ''
  return async (phase: Phase) => {
    const key = phase.roots.join(' and ')
    if (key === last) return
    last = key
    const file = join(dir, `roots-${phase.name}.pem`)
    writeFileSync(file, (await Promise.all(phase.roots.map(name => run.pki.root(name)))).join(''))
    const which = phase.roots.length === 1 ? 'the root in' : 'both roots in'
    const asked = `Let the gateway trust ${which} ${file} and nothing else, then press Enter: `
    const terminal = createInterface({ input: process.stdin, output: process.stderr })
    try {
      const ended = new Promise<never>((_, reject) => {
        terminal.once('close', () =>
          reject(new InputError('nobody pressed Enter: the rehearsal needs a terminal or commands.trust')),
        )
      })
      await Promise.race([terminal.question(asked), ended])
    } finally {
      terminal.removeAllListeners('close')
      terminal.close()
    }
  }
}

const MARKS = { yes: '✓', no: '✗', unknown: '?' }

/** Whether something went as planned. */
const planned = (asPlanned: boolean | undefined): keyof typeof MARKS =>
  asPlanned === undefined ? 'unknown' : asPlanned ? 'yes' : 'no'

/** Lines of at most 80 columns that end in a newline. */
function rehearsalText(name: string, rehearsal: Rehearsal, dir: string, { colour }: Look): string {
  const paint = pc.createColors(colour)
  const { mails, notSent, ownCertificate } = rehearsal
  const lines = [paint.bold(`${safe(name)}: the other side changes its authority`)]
  if (notSent !== undefined) lines.push(wrapped(`Nothing was sent: ${safe(notSent)}.`, COLUMNS))
  else
    for (const [i, { name, what }] of PHASES.entries()) {
      lines.push('', wrapped(`${i + 1} ${paint.bold(name)}: ${what}`, COLUMNS, 2))
      for (const mail of mails.filter(({ phase }) => phase === name)) lines.push(mailLine(mail, paint))
    }
  lines.push('', paint.bold(`${safe(name)}: its own certificate is changed while mail comes in`))
  if ('notTried' in ownCertificate)
    lines.push(wrapped(`Not tried: ${safe(ownCertificate.notTried)}.`, COLUMNS))
  else lines.push(marked(ownCertificate.asPlanned, safe(ownCertificate.detail), paint))
  lines.push('', ...conclusion(rehearsal, paint), `Page         ${join(dir, 'rehearsal.html')}`)
  return `${lines.join('\n')}\n`
}

function marked(asPlanned: boolean | undefined, text: string, paint: Paint): string {
  const [outcome, colour] = [planned(asPlanned), { yes: paint.green, no: paint.red, unknown: paint.yellow }]
  return `  ${colour[outcome](MARKS[outcome])} ${wrapped(text, COLUMNS, 4)}`
}

function mailLine(
  { connector, level, certificate, waited, fate, detail, asPlanned }: RehearsedMail,
  paint: Paint,
): string {
  const which = waited ? ', the message that waited' : `, ${certificate} certificate`
  return marked(
    asPlanned,
    `${safe(connector)} (${level}${which}): ${fate === 'over TLS' ? fate : safe(detail)}`,
    paint,
  )
}

function conclusion(rehearsal: Rehearsal, paint: Paint): string[] {
  const waiting = rehearsal.mails.filter(({ phase, fate }) => phase === 'unprepared' && fate === 'waits')
  const names = [...new Set(waiting.map(({ connector }) => connector))].map(safe).join(', ')
  const waits = names ? [wrapped(`Without the new root, mail for ${names} waits.`, COLUMNS)] : []
  const wrong = rehearsal.mails.filter(({ asPlanned }) => asPlanned === false).length
  const own = rehearsal.ownCertificate
  const count = wrong + ('asPlanned' in own && own.asPlanned === false ? 1 : 0)
  const last =
    exitOf(rehearsal) === 2
      ? paint.yellow('Nothing can be said.')
      : count > 0
        ? paint.red(`${counted(count, 'thing')} did not go as planned.`)
        : paint.green('All went as planned.')
  return [...waits, last]
}

/** As rehearsal.schema.json says. */
const rehearsalDocument = (gateway: string, rehearsal: Rehearsal): object => ({
  schema: 1,
  gateway,
  exit: exitOf(rehearsal),
  phases: PHASES.map(({ name, what, validated }) => ({ name, what, validated })),
  ...rehearsal,
})
