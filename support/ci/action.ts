/**
 * The script of the action for GitHub Actions (action.yml): judges a gateway with `mail-tls check`, which prints the
 * annotations, adds summary.md to the summary of the job, and sets the outputs. Ends with the exit status of the run.
 */
import { spawnSync } from 'node:child_process'
import { appendFileSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { VerdictsDocument } from '../report/run-record.ts'

const COMMAND = join(import.meta.dirname, '../cli/mail-tls.js')

const { env } = process
const input = (name: string): string => (env[`MAIL_TLS_${name}`] ?? '').trim()

/** Ends the job with a reason that GitHub shows. */
function fail(why: string): never {
  console.log(`::error title=Mail TLS conformance::${why.replace(/[\r\n%]/g, ' ')}`)
  process.exit(2)
}

const [target, file, report] = [input('TARGET'), input('GATEWAY_FILE'), input('REPORT') || 'mail-tls-report']
if ((target === '') === (file === '')) fail('Name either the input target or the input gateway-file.')
if (!['', 'true', 'false'].includes(input('STRICT'))) fail('The input strict must be true or false.')
if (/\p{Cc}/u.test(report)) fail('The input report must be one line.')

const option = (name: string, value: string): string[] => (value === '' ? [] : [name, value])
const began = Date.now()
const { status, error } = spawnSync(
  process.execPath,
  [
    COMMAND,
    'check',
    // A name without a slash would be taken for a bundled gateway.
    target || resolve(file),
    ...['--report', report],
    ...option('--deviations', input('DEVIATIONS')),
    ...option('--shard', input('SHARD')),
    ...option('--since', input('SINCE')),
    ...input('PROFILES')
      .split(/[\s,]+/)
      .flatMap(name => option('--profile', name)),
    ...(input('STRICT') === 'true' ? ['--strict'] : []),
  ],
  { stdio: 'inherit' },
)
if (error) fail(error.message)

/** What the run has written; nothing where the folder has an older report alone. */
function written(): VerdictsDocument | undefined {
  try {
    const document: VerdictsDocument = JSON.parse(readFileSync(join(report, 'verdicts.json'), 'utf8'))
    return Date.parse(document.startedAt) >= began ? document : undefined
  } catch {
    return undefined
  }
}

const document = written()
const exit = status ?? 2
const outputs = { exit, report: document ? resolve(report) : '', ...document?.totals }
if (document && env['GITHUB_STEP_SUMMARY'])
  appendFileSync(env['GITHUB_STEP_SUMMARY'], readFileSync(join(report, 'summary.md')))
if (env['GITHUB_OUTPUT'])
  appendFileSync(
    env['GITHUB_OUTPUT'],
    Object.entries(outputs)
      .map(([name, value]) => `${name}=${value}\n`)
      .join(''),
  )
process.exitCode = exit
