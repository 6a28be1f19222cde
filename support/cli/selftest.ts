import { createLogUpdate } from 'log-update'
import { GatewayFailure } from '../gateway-failure.ts'
import { InputError } from '../input-error.ts'
import { generatedSelftest } from '../reference/generated.ts'
import { generatedJson, generatedText, generatedTotals } from '../reference/generated-text.ts'
import { selftest, selftestJson, selftestText, selftestTotals } from '../reference/selftest.ts'
import { fitted } from './columns.ts'
import { canRedraw, lookOf } from './terminal.ts'

export interface SelftestOptions {
  json?: boolean
  /** How many conditional defects are drawn, in place of the defects that everybody can read. */
  generated?: string
  /** For `generated`. Default: the version, so that it changes with each release. */
  seed?: string
}

/** Runs every mutant, or generated ones, and prints the scoreboard, or one JSON document. Returns the exit status. */
export async function selftestCommand(options: SelftestOptions, version: string): Promise<0 | 1 | 2> {
  const { json, generated, seed = version } = options
  if (generated === undefined && options.seed !== undefined)
    throw new InputError('--seed: this is for --generated alone')
  const count = generated === undefined ? 0 : countOf(generated)
  const live = canRedraw(process.stderr) ? createLogUpdate(process.stderr) : undefined
  const progressed = (done: number, total: number, name: string) =>
    live?.(
      fitted(`${done} of ${total}  a gateway with this defect: ${name}`, (process.stderr.columns ?? 80) - 1),
    )
  const look = lookOf(process.stdout)
  try {
    if (count === 0) {
      const result = await selftest({ progressed })
      live?.clear()
      process.stdout.write(json ? selftestJson(result) : selftestText(result, look))
      const { found, of, alarms } = selftestTotals(result)
      return found === of && alarms === 0 ? 0 : 1
    }
    const result = await generatedSelftest({ count, seed }, progressed)
    live?.clear()
    process.stdout.write(json ? generatedJson(result) : generatedText(result, look))
    const { found, planted, alarms } = generatedTotals(result)
    return found === planted && alarms === 0 ? 0 : 1
  } catch (error) {
    if (!(error instanceof GatewayFailure)) throw error
    console.error(`mail-tls: ${error.message}`)
    return 2
  } finally {
    live?.done()
  }
}

function countOf(text: string): number {
  const count = Number(text)
  if (Number.isInteger(count) && count >= 1 && count <= 9999) return count
  throw new InputError(`--generated ${text}: it must be a whole number from 1 to 9999`)
}
