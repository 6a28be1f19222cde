import { readFileSync } from 'node:fs'
import { Argument, Command, CommanderError, InvalidArgumentError, Option } from 'commander'
import { bundledNames, DEFAULT_GATEWAY, readerNames } from '../../containers/index.ts'
import { loadCatalogue } from '../catalogue/catalogue.ts'
import { loadGaps } from '../catalogue/coverage.ts'
import { loadFeatures } from '../catalogue/features.ts'
import { loadDimensions } from '../circumstances/dimensions.ts'
import { READY_MADE } from '../gateway/commands/ready-made.ts'
import { InputError } from '../input-error.ts'
import type { CertificateOptions } from './certificate.ts'
import { completionScript, SHELLS, type Shell } from './completion.ts'
import type { InitOptions } from './init.ts'
import type { MatrixOptions } from './matrix.ts'
import type { MergeOptions } from './merge.ts'
import type { CheckOptions } from './order.ts'
import type { ProbeOptions } from './probe.ts'
import { endsWith, obeyParent } from './process-end.ts'
import type { RehearseOptions } from './rehearse.ts'
import type { Knowledge } from './requirements.ts'
import type { RevocationOptions } from './revocation.ts'
import type { RootsOptions } from './roots.ts'
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

/** Options that several commands have. */
const JSON_DOCUMENT = ['--json', 'print one JSON document'] as const
const STORE = [
  '--store <path>',
  'trusted roots, a file or a folder (default: those of this machine)',
] as const

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
  .argument(
    '[target]',
    `a bundled gateway (${bundledNames().join(', ')}), a gateway file, or the address of a server, such as smtp://mx.gateway.test or smtp://127.0.0.1:2525`,
    DEFAULT_GATEWAY,
  )
  .option('--profile <name>', 'judge the requirements of this profile; may be repeated', collected)
  .option('--requirement <id>', 'judge this requirement, whatever the profile; may be repeated', collectedIds)
  .option(
    '--as <profile>',
    'set a bundled gateway up as the mail service that one of these texts describes, and judge it by the text: exchange-online-2018, exchange-online-2021 or exchange-online-current',
  )
  .option(
    '--partner-as <profile>',
    'let the partners and clients that the suite plays have the certificate, suites and versions of the mail service in one of these texts',
  )
  .option('--recipient <address>', 'for the address of a server: somebody for whom it accepts mail')
  .option('--tags <expression>', 'judge only examples with these tags, such as "@sender and not @retry"')
  .option('--parallel <n>', 'run so many examples side by side', wholeNumber)
  .option(
    '--circumstances <which>',
    'judge examples again under combinations of circumstances under all of which a gateway must behave the same: none, pairwise (every pair of circumstances occurs in a combination), three-way or a number of combinations (default: for a gateway file, 24 for what the gateway receives and 10 for what it sends; otherwise none)',
  )
  .option('--seed <text>', 'choose other combinations of circumstances')
  .option('--shard <i/n>', 'judge only this part of the run, such as 2/3')
  .option('--report <dir>', 'folder of the report (default: reports/<target>)')
  .option('--deviations <file>', 'use these recorded deviations instead of those that belong to the gateway')
  .option('--write-deviations <file>', 'write a deviations file with which the next run passes')
  .option('--since <report>', 'say also what changed since this report, a folder or a verdicts.json')
  .option('--dry-run', 'list what would be judged and what not, and connect to nothing')
  .option('--strict', 'fail also for verdicts declined and inconclusive')
  .option('--quiet', 'print nothing: the exit status and the report tell')
  .option('--json', 'print verdicts.json and nothing else')
  .addOption(
    new Option('--format <name>', 'print the findings in this format and nothing else').choices(['sarif']),
  )
  .addHelpText('after', EXIT + PATIENCE)
  .action(async (target: string, options: CheckOptions) => {
    const { check } = await import('./check.ts')
    await endsWith(check(target, options, version))
  })

program
  .command('probe')
  .description('say what TLS a server accepts, and what each profile says of it')
  .argument('[hosts...]', 'HOST or HOST:PORT, port 25 if absent; an IPv6 address in brackets')
  .option('--mx <domain>', 'probe every address of every mail exchanger of this domain', collected)
  .option('--profile <name>', 'decide by this profile; may be repeated (default: those of check)', collected)
  .option(
    '--service <name>',
    'what is spoken before TLS: smtp, lmtp, or tls for nothing (default: by the port)',
  )
  .option('--name <name>', 'the name that the certificate should have (default: HOST)')
  .option('--helo <name>', 'the name with which the probe greets (default: the name of this machine)')
  .option('--trust <file>', 'trust the roots in this PEM file and no others (default: those of Node.js)')
  .option(...JSON_DOCUMENT)
  .addHelpText(
    'after',
    `
Exit status:
  0  the profiles forbid nothing of what the servers accept
  1  a server accepts something that a profile forbids
  2  a server could not be asked everything: nothing can be said about the rest${PATIENCE}`,
  )
  .action(async (hosts: string[], options: ProbeOptions) => {
    const { probe } = await import('./probe.ts')
    await endsWith(probe(hosts, options))
  })

program
  .command('matrix')
  .description('judge several gateways and write their verdicts side by side on one page')
  .argument('[targets...]', 'as for check (default: haraka, and the newest release of each product)')
  .option('--report <dir>', 'folder of the matrix and of the reports (default: reports/matrix)')
  .option('--profile <name>', 'judge the requirements of this profile; may be repeated', collected)
  .option('--deviations <file>', 'use these recorded deviations instead of those that belong to the gateways')
  .option('--since <dir>', 'say also what changed since the matrix in this folder')
  .option('--strict', 'fail also for verdicts declined and inconclusive')
  .addHelpText('after', EXIT)
  .action(async (targets: string[], options: MatrixOptions) => {
    const { matrix } = await import('./matrix.ts')
    await endsWith(matrix(targets, options, version))
  })

program
  .command('merge')
  .description('merge the reports of shards or machines into one')
  .argument('<dirs...>', 'report folders')
  .requiredOption('--report <dir>', 'folder of the merged report')
  .option('--profile <name>', 'keep the requirements of this profile alone; may be repeated', collected)
  .option('--deviations <file>', 'judge with these recorded deviations instead of those of the reports')
  .option('--strict', 'fail also for verdicts declined and inconclusive (default: if a report has --strict)')
  .addHelpText(
    'after',
    `
If a shard is missing, the others are merged; the report is partial.
${EXIT}`,
  )
  .action(async (dirs: string[], options: MergeOptions) => {
    const { merge } = await import('./merge.ts')
    await endsWith(merge(dirs, options, version))
  })

program
  .command('diff')
  .description('say what changed from one report to a later one')
  .argument('<old>', 'folder of the earlier report, or its verdicts.json')
  .argument('<new>', 'folder of the later report, or its verdicts.json')
  .option(...JSON_DOCUMENT)
  .addHelpText(
    'after',
    `
Exit status: 0 nothing got worse; 1 an example has a worse verdict than before,
or is broken and was not judged; 2 one of the runs says nothing about its gateway.`,
  )
  .action(async (before: string, after: string, options: { json?: boolean }) => {
    const { diff } = await import('./diff.ts')
    await endsWith(Promise.resolve(diff(before, after, options)))
  })

program
  .command('requirements')
  .description('list the catalogue, or explain one requirement')
  .argument('[id]', 'for example EXO-FRC-01')
  .option('--profile <name>', 'only requirements of this profile')
  .option(...JSON_DOCUMENT)
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
  .command('certificate')
  .description("show the attributes of a mail server's certificate, and compare them with what is expected")
  .argument('<host>', 'HOST[:PORT]; port 25 by default, and TLS from the first byte on port 465')
  .option(
    '--expect <file>',
    `what to compare with: exchange-online-former, -2018 or -later, or a YAML file with some of
the keys roots, name, organisation, unit and key`,
  )
  .option(
    '--installed <file>',
    'the file from which the server reads its certificate: is it the one that the server shows?',
  )
  .option(...STORE)
  .option(...JSON_DOCUMENT)
  .addHelpText(
    'after',
    `
The attributes are those that Microsoft publishes for the certificate of its
mail service: root, name, organisation, unit and key. The root is compared by
its fingerprint.

Exit status: 0 the certificate is valid today, has all that is expected and is
the installed one; 1 it is not so; 2 the server shows no certificate.${PATIENCE}`,
  )
  .action(async (target: string, options: CertificateOptions) => {
    const { certificateCommand } = await import('./certificate.ts')
    await endsWith(certificateCommand(target, { ...options, ...lookOf(process.stdout) }))
  })

program
  .command('roots')
  .description('say whether a root certificate is among the trusted roots')
  .argument('<file>', 'the root certificate, in PEM or DER')
  .option(...STORE)
  .option(...JSON_DOCUMENT)
  .addHelpText(
    'after',
    `
Stands for the look into certmgr.msc of Microsoft's instructions. A root is
found by its fingerprint; one that bears only its name does not count, nor does
the certificate of a server or of an intermediate authority.

Exit status: 0 every certificate in the file is a trusted root and valid today;
1 one is not; 2 the file or the store cannot be read.`,
  )
  .action(async (file: string, options: RootsOptions) => {
    const { rootsCommand } = await import('./roots.ts')
    await endsWith(rootsCommand(file, { ...options, ...lookOf(process.stdout) }))
  })

program
  .command('rehearse')
  .description(
    'walk a gateway through a change of the certificate authority, and tell what becomes of its mail',
  )
  .argument('<target>', 'a gateway file, or a bundled gateway')
  .option('--report <dir>', 'folder of the page (default: reports/<target>-rehearsal)')
  .option(...JSON_DOCUMENT)
  .addHelpText(
    'after',
    `
The suite is the other side. In six phases it shows its former certificate, the
new one, and both, while the gateway trusts the former root, both roots, and the
new one. In each phase it sends a message for each kind of outbound connector.
Then the gateway's own certificate is changed while mail comes in.

With commands.trust and commands.certificate of the gateway file the gateway is
told so, and gets back what it had. Without commands.trust the command says
which roots to install, and waits for Enter.

Exit status: 0 all went as planned; 1 mail went unencrypted, came back, waited
where it need not, or went to somebody who is not trusted; 2 nothing can be
said.${PATIENCE}`,
  )
  .action(async (target: string, options: RehearseOptions) => {
    const { rehearseCommand } = await import('./rehearse.ts')
    await endsWith(rehearseCommand(target, { ...options, ...lookOf(process.stdout) }))
  })

program
  .command('revocation')
  .description('ask every address in the certificates of a server or a file whether they are revoked')
  .argument('<target>', 'HOST[:PORT] of a mail server, or a file with a certificate and its issuers')
  .option(...STORE)
  .option(...JSON_DOCUMENT)
  .addHelpText(
    'after',
    `
Stands for certutil -URL of Microsoft's instructions, and does more: it fetches
every revocation list, OCSP answer and issuer's certificate that the
certificates name, from this machine, and verifies each. If something cannot be
had, it says why: name resolution, refused, filtered, TLS, HTTP status, wrong
content, wrong signature, expired and more. It asks only over http and https.

Exit status: 0 everything can be had and nothing is revoked; 1 not so; 2 there
is no certificate to ask about.${PATIENCE}`,
  )
  .action(async (target: string, options: RevocationOptions) => {
    const { revocationCommand } = await import('./revocation.ts')
    await endsWith(revocationCommand(target, { ...options, ...lookOf(process.stdout) }))
  })

program
  .command('selftest')
  .description('show that the suite finds every defect that is planted into the reference gateway')
  .option('--generated <n>', 'plant so many defects that act in some circumstances only, drawn at random')
  .option('--seed <text>', 'draw the same defects again (default: the version of the suite)')
  .option(...JSON_DOCUMENT)
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
  .option(
    '--receiver <host>',
    'write a few lines for a server, HOST[:PORT], that is judged as a receiver alone',
  )
  .option(
    '--product <name>',
    `write the commands with which the suite can ask a gateway of this product: ${READY_MADE.join(', ')}`,
  )
  .option(
    '--via <command>',
    'what stands before each of these commands, such as "docker exec mx" or "ssh mx"',
  )
  .action(async (file: string, options: InitOptions) => {
    const { init } = await import('./init.ts')
    const { lookAround } = await import('./servers-on-this-machine.ts')
    const found = options.receiver === undefined ? await lookAround() : undefined
    process.stdout.write(init(file, options, found))
  })

program
  .command('doctor')
  .description('say what this machine can run, and how to get the rest')
  .option(...JSON_DOCUMENT)
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

program
  .command('completion')
  .description('print what completes this command in a shell')
  .addArgument(new Argument('<shell>').choices(SHELLS))
  .addHelpText(
    'after',
    `
For bash:  mail-tls completion bash > ~/.local/share/bash-completion/completions/mail-tls
For zsh:   source <(mail-tls completion zsh), in ~/.zshrc
For fish:  mail-tls completion fish > ~/.config/fish/completions/mail-tls.fish`,
  )
  .action((shell: Shell) => {
    const catalogue = loadCatalogue()
    const tested = new Set(loadFeatures(catalogue).map(({ requirement }) => requirement))
    // The shells break words at the @ of a release.
    const gateways = bundledNames().filter(name => !name.includes('@'))
    process.stdout.write(
      completionScript(program, shell, {
        options: {
          '--profile': catalogue.profiles,
          '--requirement': [...tested],
          '--product': readerNames(),
        },
        arguments: {
          target: gateways,
          targets: gateways,
          id: catalogue.requirements.map(({ id }) => id),
        },
      }),
    )
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
// Whoever reads a part of the output alone, as `head` does, has seen enough. A run goes on and writes its report.
for (const stream of [process.stdout, process.stderr])
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
  })
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
