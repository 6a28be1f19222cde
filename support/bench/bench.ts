import { availableParallelism, cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { bundledGateway } from '../../containers/index.ts'
import type { GatewaySource } from '../gateway/source.ts'
import { serviceText, standIn } from '../gateway/stand-in.ts'
import { selftest, selftestTotals } from '../reference/selftest.ts'
import { type ContainerCosts, type Crowd, containerCosts, crowd } from './containers.ts'
import { type Costs, costs } from './costs.ts'
import { type LiveChange, liveChange } from './live-change.ts'
import { type ManyHosts, manyHosts } from './many-hosts.ts'
import { type ProbeCosts, probeCosts } from './probe.ts'
import { stability } from './stability.ts'
import { type Spread, spread } from './statistics.ts'
import { oddSettings, TOOLS, type Truth, tripleDes, truth } from './truth.ts'

/**
 * Measures what the suite costs. Compare only values of the same run: absolute times depend on the machine.
 * `npm run bench -- --gateway haraka --runs 100 --only costs`, or with `--only containers`, which needs a container
 * engine and takes as many `--gateway` as wanted, or with `--only probe --server HOST:PORT`, which compares the prober with
 * sslscan at a server with STARTTLS. `--only truth --gateway NAME` compares what the prober and four other tools find out of
 * a gateway, with `--as exchange-online-2018` of one that still has TLS 1.0; `--only settings` what the prober, sslscan and sslyze find out of the reference gateway with odd settings, `--only 3des` what
 * all tools find out of an Exim with 3DES, and
 * `--only hosts` shows what a thousand hosts in one command cost. `--only live-change --messages 10000` lets so many messages
 * flow through `--gateway` while its certificate changes.
 */
const { values } = parseArgs({
  options: {
    gateway: { type: 'string', multiple: true, default: [] },
    server: { type: 'string', multiple: true, default: [] },
    runs: { type: 'string', default: '100' },
    as: { type: 'string' },
    messages: { type: 'string', default: '10000' },
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
if (values.only.includes('probe'))
  for (const server of values.server) tellProbe(server, await probeCosts(server))
if (values.only.includes('hosts')) tellHosts(await manyHosts([100, 300, 1000]))
if (values.only.includes('live-change'))
  for (const name of values.gateway.length > 0 ? values.gateway : ['postfix', 'exim'])
    tellLiveChange(
      await liveChange(bundledGateway(name), Number(values.messages), done => {
        if (process.stderr.isTTY && done % 50 === 0) process.stderr.write(`\r${done} messages`)
      }),
    )
if (values.only.includes('truth'))
  for (const name of values.gateway) tellTruth(await truth(asText(bundledGateway(name))))
if (values.only.includes('settings')) for await (const one of oddSettings()) tellTruth(one)
if (values.only.includes('3des')) for await (const one of tripleDes()) tellTruth(one)
if (values.only.includes('containers')) {
  const names = values.gateway.length > 0 ? values.gateway : ['postfix', 'exim']
  tellContainers(await containerCosts(names.map(bundledGateway), parallel))
  tellCrowd(await crowd())
}
process.exit()

/** The gateway as it stands in for the service of `--as`. Throws InputError for a text that is not known. */
function asText(source: GatewaySource): GatewaySource {
  return values.as === undefined ? source : standIn(source, serviceText(values.as))
}

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

function tellProbe(
  server: string,
  { pairs, connections, newProcess, warm, sslscan, differences }: ProbeCosts,
): void {
  row('server', server)
  row(
    '  accepted pairs, connections',
    `${pairs}, ${connections}: ${connections - pairs} more than pairs (aim: 35)`,
  )
  row('  probe as a new process', told(newProcess))
  row('  probe in this process', told(warm))
  row('  sslscan', sslscan ? told(sslscan) : 'not installed')
  if (sslscan) {
    row('    slower than a new process (aim: 3.5)', ratio(sslscan.median, newProcess.median))
    row('    slower than this process (aim: 5)', ratio(sslscan.median, warm.median))
  }
  for (const line of differences) row('  differs', line)
}

function tellHosts(all: readonly ManyHosts[]): void {
  for (const { hosts, each, memory } of all)
    row(
      `${hosts} hosts in one command`,
      `${ms(each)} each, ${memory === undefined ? 'memory not known' : `${mb(memory)} at most`}`,
    )
}

function tellLiveChange({
  gateway,
  messages,
  changes,
  sessions,
  again,
  inClear,
  lost,
  doubled,
  wall,
}: LiveChange) {
  row('gateway', gateway)
  row(
    '  messages while the certificate changes',
    `${messages} in ${ms(wall)}, ${Math.round((1000 * messages) / wall)} a second`,
  )
  row('  changes', `${changes}; ${sessions.former} sessions before or after them, ${sessions.new} between`)
  row('  attempts that were not accepted', `${again}; the client came again`)
  row('  lost, doubled, unencrypted (aim: 0)', `${lost}, ${doubled}, ${inClear}`)
}

function tellTruth({ server, took, without, pairs, differences }: Truth): void {
  row('server', server)
  for (const tool of TOOLS) if (tool in took) row(`  ${tool}`, `${pairs[tool]} pairs, ${ms(took[tool]!)}`)
  for (const [tool, why] of Object.entries(without)) row(`  ${tool}`, `not asked: ${why}`)
  if (differences.length === 0) row('  differences', 'none')
  for (const { pair, by, notBy, why } of differences)
    row('  differs', `${pair}: ${by.join(', ')}, and not ${notBy.join(', ')}${why ? ` (${why})` : ''}`)
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
