/**
 * What programs import from the package: `check` judges a gateway, `requirements` reads the catalogue. Both give what the
 * command `mail-tls` gives as JSON.
 *
 * @example
 * const { exit, verdicts } = await check('gateway.yaml', { profiles: ['starttls-base'] })
 * for (const { requirement, detail } of verdicts.filter(one => one.verdict === 'non-conformant'))
 *   console.log(requirement, detail)
 *
 * @packageDocumentation
 */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { loadCatalogue, type Requirement } from '../catalogue/catalogue.ts'
import type { VerdictsDocument } from '../report/run-record.ts'

export type { Requirement } from '../catalogue/catalogue.ts'
export type { VerdictsDocument } from '../report/run-record.ts'
export type { Deviation, Verdict, VerdictName } from '../verdicts/verdict.ts'

const COMMAND = join(import.meta.dirname, '../cli/mail-tls.js')

/** In bytes. A run of all examples has less than one percent of it. */
const LONGEST_OUTPUT = 256 * 1024 * 1024

/** The options of `mail-tls check` that a program needs; see `mail-tls check --help`. */
export interface CheckOptions {
  profiles?: readonly string[]
  requirements?: readonly string[]
  /** For the address of a server: somebody for whom it accepts mail. */
  recipient?: string
  /** `none`, `pairwise`, `three-way` or a number of combinations. */
  circumstances?: string | number
  /** Path of a file with recorded deviations. */
  deviations?: string
  /** Folder of an earlier report, or its verdicts.json; `since` of the result has what changed. */
  since?: string
  /** Declined and inconclusive verdicts fail the run. */
  strict?: boolean
  /** Folder of the report. Default: `reports/TARGET` in the working directory. */
  report?: string
  /** The working directory of the run, from which paths count. Default: that of this process. */
  cwd?: string
  /** Ends the run. What was judged until then is in the report. */
  signal?: AbortSignal
}

/** Nothing was judged; the message is what `mail-tls` printed. */
export class NothingJudged extends Error {
  override readonly name = 'NothingJudged'
}

/**
 * Judges a gateway, in a process of its own. `target`: a gateway file, `smtp://HOST[:PORT]`, or the name of a bundled
 * gateway. The property `exit` of the result is the exit status of the command. Throws NothingJudged where the command
 * printed no verdicts, and an AbortError where `signal` ended it.
 */
export async function check(target: string, options: CheckOptions = {}): Promise<VerdictsDocument> {
  const { cwd, signal, ...others } = options
  const { out, err } = await run(['check', target, '--json', ...words(others)], {
    ...(cwd === undefined ? {} : { cwd }),
    ...(signal ? { signal } : {}),
  })
  if (out === '') throw new NothingJudged(err.trim())
  return JSON.parse(out) as VerdictsDocument
}

/** The requirements of the catalogue, or of one profile. Throws InputError for an unknown profile. */
export function requirements({ profile }: { profile?: string } = {}): readonly Requirement[] {
  const catalogue = loadCatalogue()
  return profile === undefined ? catalogue.requirements : catalogue.inProfile(profile)
}

function words(options: Omit<CheckOptions, 'cwd' | 'signal'>): string[] {
  const { profiles = [], requirements = [], strict, ...named } = options
  return [
    ...profiles.flatMap(name => ['--profile', name]),
    ...requirements.flatMap(id => ['--requirement', id]),
    ...(strict ? ['--strict'] : []),
    ...Object.entries(named).flatMap(([key, value]) =>
      value === undefined ? [] : [`--${key}`, String(value)],
    ),
  ]
}

function run(
  args: readonly string[],
  options: { cwd?: string; signal?: AbortSignal },
): Promise<{ out: string; err: string }> {
  return new Promise((done, failed) =>
    execFile(
      process.execPath,
      [COMMAND, ...args],
      { ...options, maxBuffer: LONGEST_OUTPUT },
      (error, out, err) => {
        // An exit status that is not 0 is a result, too.
        if (error && typeof error.code !== 'number') failed(error)
        else done({ out, err })
      },
    ),
  )
}
