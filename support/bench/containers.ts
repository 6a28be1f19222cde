import { type FeatureRule, loadFeatures } from '../catalogue/features.ts'
import type { Engine, RunNetwork } from '../engine/engine.ts'
import { ContainerFailure } from '../engine/failure.ts'
import { LABELS } from '../engine/labels.ts'
import type { GatewaySource } from '../gateway/source.ts'
import { ContainerLab } from '../lab/container-lab.ts'
import { namesImage } from '../lab/remote/lab-images.ts'
import { gatewayIdentity } from '../mailflow/changes.ts'
import { standardFlow } from '../mailflow/standard-flow.ts'
import { Pki } from '../pki/pki.ts'
import { runExamples, vocabulary } from '../run/cucumber.ts'
import { withRun } from '../run/current.ts'
import { judgeAll } from '../run/judge-all.ts'
import { Run } from '../run/run.ts'
import { type Spread, spread } from './statistics.ts'

/** What gateways in containers cost. All times are in ms and measured in one run. */
export interface ContainerCosts {
  /**
   * The unit of the other times: to create, start, await and remove a container that runs `true` on the host's
   * network.
   */
  yardstick: Spread
  gateways: GatewayCosts[]
  together: Together
}

export interface GatewayCosts {
  name: string
  /** From its start until its first 220. */
  start: Spread
  /** From a change of its certificate until it greets again. */
  change: Spread
  /** A whole check, with start and end of the lab: the mean of two, one before and one after the other measurements. */
  check: { wall: number; count: number }
  /** The same few examples, one after another: each with its own container, and all with one container. */
  naive: Spread
  shared: Spread
}

export interface Together {
  count: number
  wall: number
  /** The sum of the medians that each gateway takes when it starts alone. */
  sum: number
}

/** What many partners in one lab cost. */
export interface Crowd {
  partners: number
  /** Time for each partner, in ms. */
  each: number
  /** Memory of the lab's container in bytes, before and with the partners. */
  memory: [before: number, after: number]
}

const STARTS = 5
const CHANGES = 5
const SAMPLE = 10
/**
 * Repeated before and after each part, so that other work of the machine slows down both the unit and what it
 * measures.
 */
const YARDSTICKS = 5
const TOGETHER = 6

export async function containerCosts(
  sources: readonly GatewaySource[],
  parallel: number,
): Promise<ContainerCosts> {
  const pki = new Pki()
  const lab = await ContainerLab.start(pki)
  try {
    const { containers: network } = lab
    const starts: number[] = []
    const measure = async () => starts.push(...(await yardsticks(network)))
    await measure()
    const gateways: GatewayCosts[] = []
    await vocabulary()
    for (const source of sources) {
      // After this start the engine has the image.
      await (await source.start(await standardFlow(source, lab), network)).stop()
      gateways.push(await gatewayCosts(source, pki, parallel))
      await measure()
    }
    const together = await startTogether(sources, gateways, lab)
    await measure()
    return { yardstick: spread(starts), gateways, together }
  } finally {
    await lab.stop()
  }
}

async function yardsticks({ engine, labels }: RunNetwork): Promise<number[]> {
  const Image = await engine.image(namesImage())
  const times: number[] = []
  for (let n = 0; n < YARDSTICKS; n++) {
    const began = performance.now()
    const container = await engine.docker.createContainer({
      ...{ Image, Cmd: ['true'], Labels: labels, HostConfig: { NetworkMode: 'host' } },
    })
    await container.start()
    await container.wait()
    await container.remove()
    times.push(performance.now() - began)
  }
  return times
}

async function gatewayCosts(source: GatewaySource, pki: Pki, parallel: number): Promise<GatewayCosts> {
  const before = await checked(source, pki, parallel)
  const run = await Run.start({ source, pki })
  let few: Awaited<ReturnType<typeof fewAtATime>>
  try {
    few = await withRun(run, () => fewAtATime(run, sampled(before.verdicts, SAMPLE)))
  } finally {
    await run.stop()
  }
  // Once more, because other work of the machine changes meanwhile.
  const after = await checked(source, pki, parallel)
  const check = { wall: (before.wall + after.wall) / 2, count: before.verdicts.length }
  return { name: source.name, check, ...few }
}

/** Judges all examples that apply to the gateway, with start and end of the lab. */
async function checked(source: GatewaySource, pki: Pki, parallel: number) {
  const began = performance.now()
  const run = await Run.start({ source, pki })
  try {
    await withRun(run, () => judgeAll(run, loadFeatures(run.catalogue), parallel))
  } finally {
    await run.stop()
  }
  const verdicts = run.verdicts.filter(({ verdict }) => verdict !== 'inapplicable')
  return { verdicts, wall: performance.now() - began }
}

async function fewAtATime(run: Run, sample: readonly string[]) {
  const one = async (place: string): Promise<number> => {
    const [rule] = only(loadFeatures(run.catalogue), place)
    await runExamples(rule ? [rule] : [], 1)
    return run.verdicts.at(-1)!.durationMs
  }
  const shared: number[] = []
  for (const place of sample) shared.push(await one(place))
  const changes = await certificateChanges(run)
  const starts: number[] = []
  for (let n = 0; n < STARTS; n++) {
    await run.gateways.renew()
    const began = performance.now()
    // The pool returns the gateway when it greets. The version was asked at the first start.
    await run.gateways.with()
    starts.push(performance.now() - began)
  }
  const naive: number[] = []
  for (const place of sample) {
    await run.gateways.renew()
    const withStart = await one(place)
    const began = performance.now()
    await run.gateways.renew()
    naive.push(withStart + performance.now() - began)
  }
  return {
    start: spread(starts),
    change: spread(changes),
    shared: spread(shared),
    naive: spread(naive),
  }
}

async function certificateChanges(run: Run): Promise<number[]> {
  const gateway = await run.gateways.with()
  const identities = await Promise.all(
    (['former', 'new'] as const).map(authority => gatewayIdentity(gateway.flow, run.pki, authority)),
  )
  const times: number[] = []
  for (let n = 0; n < CHANGES; n++) {
    const flow = { ...gateway.flow, identity: identities[n % 2]! }
    const began = performance.now()
    await gateway.change(flow)
    times.push(performance.now() - began)
  }
  return times
}

async function startTogether(
  sources: readonly GatewaySource[],
  alone: readonly GatewayCosts[],
  { pki, network, containers }: ContainerLab,
): Promise<Together> {
  const turns = cycled(sources, TOGETHER)
  const flows = await Promise.all(turns.map(source => standardFlow(source, { pki, network })))
  const began = performance.now()
  const gateways = await Promise.all(turns.map((source, n) => source.start(flows[n]!, containers)))
  const wall = performance.now() - began
  await Promise.all(gateways.map(gateway => gateway.stop()))
  const sum = cycled(alone, TOGETHER).reduce((all, { start }) => all + start.median, 0)
  return { count: TOGETHER, wall, sum }
}

/** How many partners are made side by side. */
const BATCH = 250

/** Makes `wanted` partners, or fewer if the other networks of the engine leave no room for so many. */
export async function crowd(wanted = 10_000): Promise<Crowd> {
  const { lab, room } = await roomy(wanted)
  try {
    const { engine, labels } = lab.containers
    const before = await memoryOf(engine, labels[LABELS.run]!)
    const count = Math.min(wanted, room)
    const began = performance.now()
    for (let made = 0; made < count; made += BATCH)
      await lab.partners(
        Array.from({ length: Math.min(BATCH, count - made) }, () => ({
          domain: lab.freshDomain('*.crowd.test'),
        })),
      )
    const each = (performance.now() - began) / count
    return { partners: count, each, memory: [before, await memoryOf(engine, labels[LABELS.run]!)] }
  } finally {
    await lab.stop()
  }
}

/** A lab with 16 382 addresses for partners, or with the usual number if no such subnet is free. */
async function roomy(wanted: number): Promise<{ lab: ContainerLab; room: number }> {
  const pki = new Pki()
  try {
    return { lab: await ContainerLab.start(pki, undefined, { prefix: 17 }), room: wanted }
  } catch (error) {
    if (!(error instanceof ContainerFailure) || !/no network is free/.test(error.message)) throw error
    return { lab: await ContainerLab.start(pki), room: 4_000 }
  }
}

/** The memory of the lab's container in bytes, without files that the kernel can drop. */
async function memoryOf({ docker }: Pick<Engine, 'docker'>, run: string): Promise<number> {
  const filters = { label: [`${LABELS.run}=${run}`, `${LABELS.name}=lab`] }
  const [lab] = await docker.listContainers({ filters })
  const { memory_stats } = await docker.getContainer(lab!.Id).stats({ stream: false })
  const { usage, stats } = memory_stats as { usage: number; stats: Record<string, number> }
  return usage - (stats['inactive_file'] ?? stats['total_inactive_file'] ?? 0)
}

/** The places of `count` examples, spread over the suite. All of them share their gateway with other examples. */
export function sampled(
  verdicts: readonly { scenario: string; seen: { steps: readonly string[] } }[],
  count: number,
): string[] {
  const sharing = verdicts.filter(
    ({ seen }) => !seen.steps.some(step => /\ba gateway (that|with)\b/.test(step)),
  )
  const step = Math.max(1, sharing.length / count)
  return Array.from(
    { length: Math.min(count, sharing.length) },
    (_, n) => sharing[Math.floor(n * step)]!.scenario,
  )
}

/** The Rule of one example, with this example alone. `place` is `features/….feature:LINE`. */
export function only(rules: readonly FeatureRule[], place: string): FeatureRule[] {
  return rules.flatMap(rule => {
    const examples = rule.examples.filter(({ line }) => `${rule.uri}:${line}` === place)
    return examples.length > 0 ? [{ ...rule, examples }] : []
  })
}

/** The first `count` elements of a list that is repeated again and again. */
export function cycled<T>(list: readonly T[], count: number): T[] {
  return Array.from({ length: count }, (_, n) => list[n % list.length]!)
}
