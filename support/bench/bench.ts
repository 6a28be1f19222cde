import { availableParallelism, cpus } from 'node:os'
import { bundledGateway } from '../../containers/index.ts'
import { send } from '../gateway/sending.ts'
import { compose } from '../lab/message.ts'
import { runExamples } from '../run/cucumber.ts'
import { Run, useRun } from '../run/run.ts'
import { type FeatureRule, loadFeatures, select } from '../verdicts/features.ts'
import { emptyScenario } from './empty-scenarios.ts'
import { type Spread, spread } from './statistics.ts'

/** Everything is compared within this one run; absolute times mean nothing on another machine. */
const FLOWS = 100
const PARALLEL = 3 * availableParallelism()

const source = bundledGateway(process.argv[2] ?? 'haraka')
const empty = await emptyScenario()

const loaded = performance.now()
const run = await Run.start({ source })
useRun(run)
const started = performance.now()
try {
  const flow = await pooledFlow()
  const all = select(loadFeatures(run.catalogue), run.catalogue, {})
  const plain = withOneMessage(all)
  // Once for gateways, certificates and code that later examples find ready.
  await timed(plain, PARALLEL)
  const serial = await timed(plain, 1)
  const whole = await timed(all, PARALLEL)

  print(
    'machine',
    `${availableParallelism()} cores, ${cpus()[0]?.model ?? 'unknown'}, Node ${process.versions.node}`,
  )
  print('gateway', source.name)
  print('start-up to the first example', ms(started))
  print('  of that modules', ms(loaded))
  print('empty Cucumber scenario', `${empty.toFixed(2)} ms`)
  print('pooled submission to arrival', told(flow))
  print('example, trigger to verdict', told(serial.examples))
  print(
    '  against the pooled flow (aim: 3)',
    `${ratio(serial.examples.median, flow.median)} (median), ${ratio(serial.examples.p95, flow.p95)} (p95)`,
  )
  const overhead = serial.examples.median - flow.median
  print('  overhead over flow and empty scenario', `${(overhead - empty).toFixed(2)} ms`)
  print(
    'all examples side by side',
    `${ms(whole.wall)} for ${whole.count} (${ms(whole.wall / whole.count)} each)`,
  )
} finally {
  useRun(undefined)
  await run.stop()
}

/** The gateway's own time for one message: handed over on a connection that is open, until the partner has it. */
async function pooledFlow(): Promise<Spread> {
  const gateway = await run.gateways.with('as it is')
  const submission = run.submission(gateway)
  const times: number[] = []
  for (let n = 0; n < FLOWS; n++) {
    const [partner] = await run.lab.partners([{ domain: run.lab.freshDomain('*.opportunistic.test') }])
    const message = compose({ from: 'probe@gateway.test', to: [`inbox@${partner!.domain}`] })
    const began = performance.now()
    const [sent] = await send({ gateway, submission, message, partners: [partner!] })
    times.push((sent!.arrivals[0]?.at ?? Number.NaN) - began)
  }
  return spread(times.filter(time => !Number.isNaN(time)))
}

/** Examples in which the gateway sends one message once, and no answer is withheld on purpose. */
function withOneMessage(rules: readonly FeatureRule[]): FeatureRule[] {
  return rules.filter(({ requirement }) =>
    ['EXO-OPP-01', 'EXO-OPP-05', 'EXO-FRC-01', 'EXO-VER-04', 'EXO-OPP-03'].includes(requirement),
  )
}

async function timed(rules: readonly FeatureRule[], parallel: number) {
  const before = run.verdicts.length
  const began = performance.now()
  await runExamples(rules, parallel)
  const wall = performance.now() - began
  const examples = run.verdicts.slice(before).filter(({ verdict }) => verdict !== 'inapplicable')
  return { wall, count: examples.length, examples: spread(examples.map(({ durationMs }) => durationMs)) }
}

function print(name: string, value: string): void {
  process.stdout.write(`${name.padEnd(42)} ${value}\n`)
}

function ms(value: number): string {
  return `${value < 100 ? value.toFixed(1) : Math.round(value)} ms`
}

function told({ median, p95, count }: Spread): string {
  return `${ms(median)} median, ${ms(p95)} p95, ${count} times`
}

function ratio(one: number, other: number): string {
  return `${(one / other).toFixed(2)} times`
}
