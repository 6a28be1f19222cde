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

/** Milliseconds, all measured in one run. */
export interface ContainerCosts {
  /** One container-start equivalent: `true` on the host's network, created, started, awaited and removed. */
  yardstick: Spread
  gateways: GatewayCosts[]
  together: Together
}

export interface GatewayCosts {
  name: string
  /** Until its first 220. */
  start: Spread
  /** A change of its certificate, until it greets again. */
  change: Spread
  /** From nothing to nothing, lab included; the mean of two, before and after the others. */
  check: { wall: number; count: number }
  /** The same few examples, one after another: each with a container of its own, and all with one. */
  naive: Spread
  shared: Spread
}

export interface Together {
  count: number
  wall: number
  /** Of the medians of each when started alone. */
  sum: number
}

/** A container lab with many partners. */
export interface Crowd {
  partners: number
  /** For one of them, in ms. */
  each: number
  /** Of the lab's container, in bytes: before them and with them. */
  memory: [before: number, after: number]
}

const STARTS = 5
const CHANGES = 5
const SAMPLE = 10
/** For each part of the measurement, so that what else the machine does falls on both sides. */
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
      // Its image is there from then on.
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
  // Once more: what else the machine does changes meanwhile.
  const after = await checked(source, pki, parallel)
  const check = { wall: (before.wall + after.wall) / 2, count: before.verdicts.length }
  return { name: source.name, check, ...few }
}

/** Everything that applies to it, judged, from nothing to nothing. */
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
    // It greets when it is handed out: which version it is was asked at its first start.
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

/** So many partners are made side by side. */
const BATCH = 250

/** With fewer than `wanted` where the engine's other networks leave no room for so many. */
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

/** 16 382 partner addresses, or those of any run. */
async function roomy(wanted: number): Promise<{ lab: ContainerLab; room: number }> {
  const pki = new Pki()
  try {
    return { lab: await ContainerLab.start(pki, undefined, { prefix: 17 }), room: wanted }
  } catch (error) {
    if (!(error instanceof ContainerFailure) || !/no network is free/.test(error.message)) throw error
    return { lab: await ContainerLab.start(pki), room: 4_000 }
  }
}

/** What the lab's container has, without the files that the kernel may drop. */
async function memoryOf({ docker }: Pick<Engine, 'docker'>, run: string): Promise<number> {
  const filters = { label: [`${LABELS.run}=${run}`, `${LABELS.name}=lab`] }
  const [lab] = await docker.listContainers({ filters })
  const { memory_stats } = await docker.getContainer(lab!.Id).stats({ stream: false })
  const { usage, stats } = memory_stats as { usage: number; stats: Record<string, number> }
  return usage - (stats['inactive_file'] ?? stats['total_inactive_file'] ?? 0)
}

/** Places of so many examples, spread over all; of those alone that share their gateway with others. */
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

/** The Rule of one example, with that alone. `place` is `features/….feature:LINE`. */
export function only(rules: readonly FeatureRule[], place: string): FeatureRule[] {
  return rules.flatMap(rule => {
    const examples = rule.examples.filter(({ line }) => `${rule.uri}:${line}` === place)
    return examples.length > 0 ? [{ ...rule, examples }] : []
  })
}

/** So many of a list, from its beginning again and again. */
export function cycled<T>(list: readonly T[], count: number): T[] {
  return Array.from({ length: count }, (_, n) => list[n % list.length]!)
}
