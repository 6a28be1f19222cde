import { readFileSync } from 'node:fs'
import { Command, CommanderError, InvalidArgumentError } from 'commander'
import { bundledNames, DEFAULT_GATEWAY } from '../../containers/index.ts'
import { loadCatalogue } from '../catalogue/catalogue.ts'
import { loadGaps } from '../catalogue/coverage.ts'
import { loadFeatures } from '../catalogue/features.ts'
import { loadDimensions } from '../circumstances/dimensions.ts'
import { InputError } from '../input-error.ts'
import type { CheckOptions } from './order.ts'
import { endsWith, obeyParent } from './process-end.ts'
import type { Knowledge } from './requirements.ts'
import type { SelftestOptions } from './selftest.ts'
import { lookOf } from './terminal.ts'

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string
}

const EXIT = `
Exit status:
  0  nothing failed the run: the gateway keeps every requirement of level must
     that applies, or its deviation is recorded
  1  the gateway breaks such a requirement and this is not recorded, or a
     recorded deviation no longer shows; with --strict also: a verdict is
     declined or inconclusive
  2  nothing can be said about the gateway: wrong usage, something is missing on
     this machine, the lab failed, the run was interrupted, or no example could
     be judged`

const PATIENCE = `

The environment variable MAIL_TLS_PATIENCE says how long the suite waits for one
answer of another server, in ms, from 100 to 60000 (default 10000). All other
waits for servers are multiples of it.`

const collected = (value: string, before: string[] = []): string[] => [...before, value]
const collectedIds = (value: string, before?: string[]): string[] => collected(value.toUpperCase(), before)

function wholeNumber(text: string): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1 || value > 64)
    throw new InvalidArgumentError('It must be a whole number from 1 to 64.')
  return value
}

const program = new Command('mail-tls')
  .description('Tells whether a mail gateway handles TLS as it should, as receiver and as sender.')
  .version(version)
  .exitOverride()
  .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, 'mail-tls: ')) })
  .showSuggestionAfterError()

program
  .command('check')
  .description('judge one gateway and write a report')
  .argument('[target]', `a bundled gateway (${bundledNames().join(', ')}) or a gateway file`, DEFAULT_GATEWAY)
  .option('--profile <name>', 'judge the requirements of this profile; may be repeated', collected)
  .option('--requirement <id>', 'judge this requirement, whatever the profile; may be repeated', collectedIds)
  .option('--tags <expression>', 'judge only examples with these tags, such as "@sender and not @retry"')
  .option('--parallel <n>', 'run so many examples side by side', wholeNumber)
  .option(
    '--circumstances <which>',
    'judge examples again under combinations of circumstances under all of which a gateway must behave the same: none, pairwise (every pair of circumstances occurs in a combination), three-way or a number of combinations (default: for a gateway file, 24 for what the gateway receives and 8 for what it sends; otherwise none)',
  )
  .option('--seed <text>', 'choose other combinations of circumstances')
  .option('--shard <i/n>', 'judge only this part of the run, such as 2/3')
  .option('--report <dir>', 'folder of the report (default: reports/<target>)')
  .option('--deviations <file>', 'use these recorded deviations instead of those that belong to the gateway')
  .option('--write-deviations <file>', 'write a deviations file with which the next run passes')
  .option('--dry-run', 'list what would be judged and what not, and connect to nothing')
  .option('--strict', 'fail also for verdicts declined and inconclusive')
  .addHelpText('after', EXIT + PATIENCE)
  .action(async (target: string, options: CheckOptions) => {
    const { check } = await import('./check.ts')
    await endsWith(check(target, options, version))
  })

program
  .command('matrix')
  .description('judge several gateways and write their verdicts side by side on one page')
  .argument('[targets...]', 'as for check (default: every bundled gateway)')
  .option('--report <dir>', 'folder of the matrix and of the reports (default: reports/matrix)')
  .addHelpText('after', EXIT)
  .action(async (targets: string[], options: { report?: string }) => {
    const { matrix } = await import('./matrix.ts')
    await endsWith(matrix(targets, options, version))
  })

program
  .command('merge')
  .description('merge the reports of shards or machines into one')
  .argument('<dirs...>', 'report folders')
  .requiredOption('--report <dir>', 'folder of the merged report')
  .addHelpText('after', EXIT)
  .action(async (dirs: string[], options: { report: string }) => {
    const { merge } = await import('./merge.ts')
    await endsWith(merge(dirs, options, version))
  })

program
  .command('requirements')
  .description('list the catalogue, or explain one requirement')
  .argument('[id]', 'for example EXO-FRC-01')
  .option('--profile <name>', 'only requirements of this profile')
  .option('--json', 'print one JSON document')
  .action(async (given: string | undefined, options: { profile?: string; json?: boolean }) => {
    const id = given?.toUpperCase()
    const { requirementPage, requirementsJson, requirementsList } = await import('./requirements.ts')
    const knowledge = knowledgeOf()
    const { colour } = lookOf(process.stdout)
    if (options.json) process.stdout.write(requirementsJson(knowledge, { id, ...options }))
    else if (id) process.stdout.write(requirementPage(knowledge, id, { colour }))
    else process.stdout.write(requirementsList(knowledge, { ...options, colour }))
  })

program
  .command('selftest')
  .description('show that the suite finds every defect that is planted into the reference gateway')
  .option('--generated <n>', 'plant so many defects that act in some circumstances only, drawn at random')
  .option('--seed <text>', 'draw the same defects again (default: the version of the suite)')
  .option('--json', 'print one JSON document')
  .addHelpText(
    'after',
    `
With --generated, each defect acts in one or two circumstances of
features/circumstances.yaml, as far as a gateway can see them. It counts as
found under its requirement alone, with these circumstances alone. A defect
that cannot act in any example is not planted.

Exit status: 0 the suite found all defects and gave no false alarm; 1
otherwise; 2 the suite failed.`,
  )
  .action(async (options: SelftestOptions) => {
    const { selftestCommand } = await import('./selftest.ts')
    await endsWith(selftestCommand(options, version))
  })

program
  .command('init')
  .description('write a gateway file with comments, and the certificate authorities of the suite')
  .argument('[file]', 'the gateway file', 'gateway.yaml')
  .action(async (file: string) => {
    const { init } = await import('./init.ts')
    process.stdout.write(init(file))
  })

program
  .command('doctor')
  .description('say what this machine can run, and how to get the rest')
  .option('--json', 'print one JSON document')
  .action(async (options: { json?: boolean }) => {
    const { diagnose, doctorJson, doctorText } = await import('./doctor.ts')
    const diagnosis = await diagnose()
    const { colour } = lookOf(process.stdout)
    process.stdout.write(options.json ? doctorJson(diagnosis) : doctorText(diagnosis, { colour }))
    // An engine that never answers would keep the process.
    await endsWith(Promise.resolve(diagnosis.usable ? 0 : 2))
  })

program
  .command('clean')
  .description('remove what killed runs have left: containers, networks, processes, temporary folders')
  .addHelpText(
    'after',
    `
Leaves alone what belongs to a run that goes on, and whatever no run has made.
mail-tls doctor names what it would remove.

Exit status: 0 nothing of killed runs is left;
2 something could not be removed or looked for.`,
  )
  .action(async () => {
    const { clean } = await import('./clean.ts')
    await endsWith(clean())
  })

function knowledgeOf(): Knowledge {
  const catalogue = loadCatalogue()
  return {
    catalogue,
    rules: loadFeatures(catalogue),
    dimensions: loadDimensions(undefined, catalogue),
    gaps: loadGaps(),
  }
}

obeyParent()
try {
  await program.parseAsync()
} catch (error) {
  // Commander has printed what is wrong already, and --help and --version are no errors.
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 2
  else if (error instanceof InputError) {
    console.error(error.message.replace(/^/gm, 'mail-tls: '))
    process.exitCode = 2
  } else {
    // A bug of the suite says nothing about the gateway.
    console.error('mail-tls: this is a bug of the suite, please report it')
    console.error(error)
    process.exitCode = 2
  }
}
