import { availableParallelism, cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { bundledGateway } from '../../containers/index.ts'
import { selftest, selftestTotals } from '../reference/selftest.ts'
import { type Costs, costs } from './costs.ts'
import { stability } from './stability.ts'
import { type Spread, spread } from './statistics.ts'

/**
 * Everything is compared within this one run; absolute times mean nothing on another machine.
 * `npm run bench -- --gateway haraka --runs 100 --only costs`
 */
const { values } = parseArgs({
  options: {
    gateway: { type: 'string', default: 'haraka' },
    runs: { type: 'string', default: '100' },
    only: { type: 'string', multiple: true, default: ['costs', 'selftest', 'stability'] },
  },
})
const parallel = 3 * availableParallelism()

row(
  'machine',
  `${availableParallelism()} cores, ${cpus()[0]?.model ?? 'unknown'}, Node ${process.versions.node}`,
)
if (values.only.includes('costs')) tellCosts(await costs(bundledGateway(values.gateway), parallel))
if (values.only.includes('selftest')) await tellSelftest()
if (values.only.includes('stability')) await tellStability(Number(values.runs))
process.exit()

function tellCosts({ gateway, modules, start, empty, flow, examples, whole }: Costs): void {
  row('gateway', gateway)
  row('start-up to the first example', ms(start))
  row('  of that loading modules', ms(modules))
  row('empty Cucumber scenario', `${empty.toFixed(2)} ms`)
  row('pooled submission to arrival', told(flow))
  row('example, trigger to verdict', told(examples))
  row(
    '  in times of the pooled flow (aim: 3)',
    `${ratio(examples.median, flow.median)} median, ${ratio(examples.p95, flow.p95)} p95`,
  )
  row('  beyond flow and empty scenario', `${(examples.median - flow.median - empty).toFixed(2)} ms median`)
  row(
    'all examples side by side',
    `${ms(whole.wall)} for ${whole.count}, ${ms(whole.wall / whole.count)} each`,
  )
}

async function tellSelftest(): Promise<void> {
  const result = await selftest()
  const { found, of, alarms } = selftestTotals(result)
  row('selftest', `${found} of ${of} mutants found, ${alarms} false alarms, ${ms(result.durationMs)} in all`)
  row('  per mutant, several side by side', told(spread(result.mutants.map(({ durationMs }) => durationMs))))
}

async function tellStability(runs: number): Promise<void> {
  const began = performance.now()
  const { verdicts, differing } = await stability(runs, parallel, run => {
    if (process.stderr.isTTY) process.stderr.write(`\r${run} of ${runs} runs`)
  })
  if (process.stderr.isTTY) process.stderr.write('\r')
  row(`${runs} runs against the reference`, `${differing.length} of ${verdicts} verdicts differ`)
  row('  per run', ms((performance.now() - began) / runs))
  for (const line of differing) row('  differs', line)
}

function row(name: string, value: string): void {
  process.stdout.write(`${name.padEnd(38)} ${value}\n`)
}

function ms(value: number): string {
  return value < 100
    ? `${value.toFixed(1)} ms`
    : value < 10_000
      ? `${Math.round(value)} ms`
      : `${(value / 1000).toFixed(1)} s`
}

function told({ median, p95, count }: Spread): string {
  return `${ms(median)} median, ${ms(p95)} p95, ${count} times`
}

function ratio(one: number, other: number): string {
  return `${(one / other).toFixed(2)} times`
}
