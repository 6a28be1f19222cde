import { availableParallelism, cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { bundledGateway } from '../../containers/index.ts'
import { selftest, selftestTotals } from '../reference/selftest.ts'
import { type ContainerCosts, type Crowd, containerCosts, crowd } from './containers.ts'
import { type Costs, costs } from './costs.ts'
import { stability } from './stability.ts'
import { type Spread, spread } from './statistics.ts'

/**
 * Measures what the suite costs. Compare only values of the same run: absolute times depend on the machine.
 * `npm run bench -- --gateway haraka --runs 100 --only costs`, or with `--only containers`, which needs a container
 * engine and takes as many `--gateway` as wanted.
 */
const { values } = parseArgs({
  options: {
    gateway: { type: 'string', multiple: true, default: [] },
    runs: { type: 'string', default: '100' },
    only: { type: 'string', multiple: true, default: ['costs', 'selftest', 'stability'] },
  },
})
const parallel = 3 * availableParallelism()

row(
  'machine',
  `${availableParallelism()} cores, ${cpus()[0]?.model ?? 'unknown'}, Node ${process.versions.node}`,
)
if (values.only.includes('costs'))
  tellCosts(await costs(bundledGateway(values.gateway[0] ?? 'haraka'), parallel))
if (values.only.includes('selftest')) await tellSelftest()
if (values.only.includes('stability')) await tellStability(Number(values.runs))
if (values.only.includes('containers')) {
  const names = values.gateway.length > 0 ? values.gateway : ['postfix', 'exim']
  tellContainers(await containerCosts(names.map(bundledGateway), parallel))
  tellCrowd(await crowd())
}
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

/** Prints times in units of one container start. */
function tellContainers({ yardstick, gateways, together }: ContainerCosts): void {
  const starts = (time: number) => `${(time / yardstick.median).toFixed(1)} starts`
  row('one container that runs true: 1 start', told(yardstick))
  for (const { name, start, change, check, naive, shared } of gateways) {
    const each = check.wall / check.count
    row('gateway', name)
    row('  to its first 220 (aim: 3)', `${starts(start.median)} median, ${start.count} times`)
    row('  change of certificate', `${starts(change.median)} median, ${change.count} times`)
    row('  whole check', `${starts(check.wall)}, ${ms(check.wall)} for ${check.count} examples`)
    row('  each example in its own container', `${starts(naive.median)} median, ${naive.count} examples`)
    row(
      '    the same with one for all',
      `${ms(shared.median)} median, ${ratio(naive.median, shared.median)} faster`,
    )
    row('    whole check, per example (aim: 5)', `${ms(each)}, ${ratio(naive.median, each)} faster`)
  }
  row(
    `${together.count} gateways at once`,
    `${starts(together.wall)}, ${ratio(together.wall, together.sum)} the sum`,
  )
}

function tellCrowd({ partners, each, memory: [before, after] }: Crowd): void {
  row(`${partners} partners in one lab`, `${ms(each)} each`)
  row('  memory of the lab', `${mb(before)} before, ${mb(after)} with them`)
  row('    for each partner', `${((after - before) / partners / 1024).toFixed(1)} KB`)
}

function mb(bytes: number): string {
  return `${Math.round(bytes / 2 ** 20)} MB`
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
