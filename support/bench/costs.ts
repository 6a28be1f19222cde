import { type FeatureRule, loadFeatures } from '../catalogue/features.ts'
import type { GatewaySource } from '../gateway/source.ts'
import { runExamples } from '../run/cucumber.ts'
import { withRun } from '../run/current.ts'
import { Run } from '../run/run.ts'
import { compose } from '../traffic/message.ts'
import { send } from '../traffic/sending.ts'
import { emptyScenario } from './empty-scenarios.ts'
import { type Spread, spread } from './statistics.ts'

/** What one example costs. All times are in ms and measured in one run. */
export interface Costs {
  gateway: string
  /** From the start of the process until the modules of a run were loaded. */
  modules: number
  /** From the start of the process until the first example could begin: modules, lab, certificates, the gateway. */
  start: number
  /** One Cucumber scenario of three steps that do nothing. */
  empty: number
  /**
   * The gateway's time for one message: from the submission on an open connection until the partner has the message.
   */
  flow: Spread
  /** From the beginning of an example with one message until its verdict; the examples run one after another. */
  examples: Spread
  whole: { wall: number; count: number }
}

const FLOWS = 100
/** Requirements in whose examples the gateway sends one message and no partner waits on purpose. */
const ONE_MESSAGE = ['EXO-OPP-01', 'EXO-OPP-05', 'EXO-FRC-01', 'EXO-VER-04', 'EXO-OPP-03']

export async function costs(source: GatewaySource, parallel: number): Promise<Costs> {
  const modules = performance.now()
  const run = await Run.start({ source })
  const start = performance.now()
  try {
    return await withRun(run, async () => {
      const flow = await pooledFlow(run)
      const all = loadFeatures(run.catalogue)
      const plain = all.filter(({ requirement }) => ONE_MESSAGE.includes(requirement))
      // The first time, examples wait for gateways, certificates and compiled code.
      await timed(run, plain, parallel)
      const { examples } = await timed(run, plain, 1)
      const whole = await timed(run, all, parallel)
      return { gateway: source.name, modules, start, empty: await emptyScenario(), flow, examples, whole }
    })
  } finally {
    await run.stop()
  }
}

async function pooledFlow(run: Run): Promise<Spread> {
  const gateway = await run.gateways.with()
  const submission = run.submission(gateway)
  const times: number[] = []
  for (let n = 0; n < FLOWS; n++) {
    const partners = await run.lab.partners([{ domain: run.lab.freshDomain('*.opportunistic.test') }])
    const message = compose({ from: run.flow.sender, to: [`inbox@${partners[0]!.domain}`] })
    const began = performance.now()
    const [sent] = await send({ gateway, submission, message, partners })
    const arrival = sent?.arrivals[0]
    if (arrival) times.push(arrival.at - began)
  }
  return spread(times)
}

async function timed(run: Run, rules: readonly FeatureRule[], parallel: number) {
  const before = run.verdicts.length
  const began = performance.now()
  await runExamples(rules, parallel)
  const wall = performance.now() - began
  const judged = run.verdicts.slice(before).filter(({ verdict }) => verdict !== 'inapplicable')
  return { wall, count: judged.length, examples: spread(judged.map(({ durationMs }) => durationMs)) }
}
