import { readFileSync } from 'node:fs'
import { Command, CommanderError, InvalidArgumentError } from 'commander'
import { bundledNames, DEFAULT_GATEWAY } from '../../containers/index.ts'
import { loadCatalogue } from '../catalogue/catalogue.ts'
import { loadGaps } from '../catalogue/coverage.ts'
import { loadFeatures } from '../catalogue/features.ts'
import { InputError } from '../input-error.ts'
import { endsWith, obeyParent } from './end.ts'
import type { CheckOptions } from './order.ts'
import type { Knowledge } from './requirements.ts'
import { lookOf } from './terminal.ts'

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string
}

const EXIT = `
Exit status: 0 every requirement that applies is kept or its deviation recorded;
1 a non-conformance that is not recorded, or a recorded one that no longer shows;
2 nothing can be said (usage, environment, lab error, nothing ran).`

const PATIENCE = `

MAIL_TLS_PATIENCE in the environment is the longest wait for one answer of a peer, in ms, from 100 to 60000
(default 10000); all other waits for peers are multiples of it.`

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
  .description('judge one gateway')
  .argument('[target]', `a bundled gateway (${bundledNames().join(', ')}) or a gateway file`, DEFAULT_GATEWAY)
  .option('--profile <name>', 'judge the requirements of this profile; may be repeated', collected)
  .option('--requirement <id>', 'judge this requirement, whatever the profile; may be repeated', collectedIds)
  .option('--tags <expression>', 'only examples with these tags, such as "@sender and not @retry"')
  .option('--parallel <n>', 'examples that run side by side', wholeNumber)
  .option('--shard <i/n>', 'only this part of the whole, such as 2/3')
  .option('--report <dir>', 'where the report goes (default: reports/<target>)')
  .option('--deviations <file>', 'known deviations of the gateway, in place of those that come with it')
  .option('--write-deviations <file>', 'propose a deviations file from what was found')
  .option('--dry-run', 'say what would be judged and what not, and connect to nothing')
  .option('--strict', 'fail for what was declined or could not be decided, too')
  .addHelpText('after', EXIT + PATIENCE)
  .action(async (target: string, options: CheckOptions) => {
    const { check } = await import('./check.ts')
    await endsWith(check(target, options, version))
  })

program
  .command('matrix')
  .description('judge several gateways and lay their verdicts side by side')
  .argument('[targets...]', 'as for check (default: every bundled gateway)')
  .option('--report <dir>', 'where the matrix and the reports go (default: reports/matrix)')
  .addHelpText('after', EXIT)
  .action(async (targets: string[], options: { report?: string }) => {
    const { matrix } = await import('./matrix.ts')
    await endsWith(matrix(targets, options, version))
  })

program
  .command('merge')
  .description('join the reports of shards or machines')
  .argument('<dirs...>', 'report folders')
  .requiredOption('--report <dir>', 'where the joined report goes')
  .addHelpText('after', EXIT)
  .action(async (dirs: string[], options: { report: string }) => {
    const { merge } = await import('./merge.ts')
    await endsWith(merge(dirs, options, version))
  })

program
  .command('requirements')
  .description('list the catalogue, or explain one requirement')
  .argument('[id]', 'for example EXO-FRC-01')
  .option('--profile <name>', 'only those of this profile')
  .option('--json', 'one JSON document')
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
  .description('show that every defect planted into a gateway of our own is found')
  .option('--json', 'one JSON document')
  .addHelpText('after', '\nExit status: 0 all found and no false alarm; 1 otherwise; 2 the suite failed.')
  .action(async (options: { json?: boolean }) => {
    const { selftestCommand } = await import('./selftest.ts')
    await endsWith(selftestCommand(options))
  })

program
  .command('init')
  .description('write a commented gateway file and the authorities of the suite')
  .argument('[file]', 'where', 'gateway.yaml')
  .action(async (file: string) => {
    const { init } = await import('./init.ts')
    process.stdout.write(init(file))
  })

program
  .command('doctor')
  .description('say what this machine can run, and how to get the rest')
  .option('--json', 'one JSON document')
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
  return { catalogue, rules: loadFeatures(catalogue), gaps: loadGaps() }
}

obeyParent()
try {
  await program.parseAsync()
} catch (error) {
  // Commander has said what is wrong already, and --help and --version are no errors.
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 2
  else if (error instanceof InputError) {
    console.error(error.message.replace(/^/gm, 'mail-tls: '))
    process.exitCode = 2
  } else {
    // A fault of ours says nothing about the gateway.
    console.error('mail-tls: a fault of the suite itself, please report it')
    console.error(error)
    process.exitCode = 2
  }
}
