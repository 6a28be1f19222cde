import { createLogUpdate } from 'log-update'
import { GatewayFailure } from '../gateway-failure.ts'
import { selftest, selftestJson, selftestText, selftestTotals } from '../reference/selftest.ts'
import { fitted } from './columns.ts'
import { canRedraw, lookOf } from './terminal.ts'

/** Runs every mutant and prints the scoreboard, or one JSON document. Returns the exit status. */
export async function selftestCommand({ json }: { json?: boolean }): Promise<0 | 1 | 2> {
  const live = canRedraw(process.stderr) ? createLogUpdate(process.stderr) : undefined
  try {
    const result = await selftest({
      progressed(done, total, name) {
        live?.(
          fitted(
            `${done} of ${total}  a gateway with this defect: ${name}`,
            (process.stderr.columns ?? 80) - 1,
          ),
        )
      },
    })
    live?.clear()
    process.stdout.write(json ? selftestJson(result) : selftestText(result, lookOf(process.stdout)))
    const { found, of, alarms } = selftestTotals(result)
    return found === of && alarms === 0 ? 0 : 1
  } catch (error) {
    if (!(error instanceof GatewayFailure)) throw error
    console.error(`mail-tls: ${error.message}`)
    return 2
  } finally {
    live?.done()
  }
}
