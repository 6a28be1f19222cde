import {
  After,
  AfterAll,
  Before,
  BeforeAll,
  BeforeStep,
  setDefaultTimeout,
  setDefinitionFunctionWrapper,
  setWorldConstructor,
} from '@cucumber/cucumber'
import type { GherkinDocument, Pickle } from '@cucumber/messages'
import { bundledGateway } from '../containers/index.ts'
import { lineIn } from '../support/catalogue/features.ts'
import { currentRun, useRun } from '../support/run/current.ts'
import { Run } from '../support/run/run.ts'
import { WireError } from '../support/wire/smtp/smtp.ts'
import { DryRun, Inapplicable, NonConformant, NotBegun } from './outcome.ts'
import { MailWorld } from './world.ts'

setWorldConstructor(MailWorld)
// Every wait has a bound of its own that says what was awaited; this one is for faults of ours. It is long because many
// examples may wait for the one partner address of a slow gateway.
setDefaultTimeout(60 * 60_000)

// Where an error becomes a verdict: what the gateway cannot be asked, what it broke, and everything else, which is ours.
setDefinitionFunctionWrapper((step: (...args: unknown[]) => unknown) => {
  return async function (this: unknown, ...args: unknown[]) {
    if (!(this instanceof MailWorld)) return step.apply(this, args)
    if (this.ends) {
      this.ends = false
      return 'skipped'
    }
    try {
      return await step.apply(this, args)
    } catch (error) {
      if (error instanceof NonConformant) throw error
      if (error instanceof DryRun) return 'skipped'
      if (error instanceof NotBegun) {
        this.begins = false
        return 'skipped'
      }
      if (error instanceof Inapplicable) {
        this.verdict = { verdict: 'inapplicable', detail: error.message }
        this.log(`inapplicable: ${error.message}`)
        return 'skipped'
      }
      // A session that could not be had at all shows nothing.
      if (error instanceof WireError) {
        this.verdict = { verdict: 'inconclusive', detail: error.message }
        this.log(`inconclusive: ${error.message}`)
        return 'skipped'
      }
      this.verdict = { verdict: 'lab-error', detail: `${(error as Error).name}: ${(error as Error).message}` }
      throw error
    }
  }
})

let own: Run | undefined

// Only where Cucumber itself was called; `mail-tls check` has made the run already.
BeforeAll(async function (this: { parameters: { gateway?: string } }) {
  if (currentRun()) return
  own = await Run.start({ source: bundledGateway(this.parameters.gateway ?? 'haraka') })
  useRun(own)
})

AfterAll(async () => {
  await own?.stop()
  if (own) useRun(undefined)
})

Before(function (this: MailWorld, { pickle, gherkinDocument }) {
  if (this.run.isOver()) {
    this.begins = false
    return 'skipped'
  }
  this.example = this.run.example(placeOf(pickle, gherkinDocument))
  this.key = pickle.id
  this.began = performance.now()
  this.run.listener?.began({
    key: this.key,
    requirement: this.example.rule.requirement,
    title: this.example.title,
  })
  for (const { name } of pickle.tags) {
    const role = name === '@sender' ? 'sender' : name === '@receiver' ? 'receiver' : undefined
    if (!role) continue
    this.role = role
    this.needsRole(role)
  }
  return undefined
})

// A dry run ends where the gateway would be needed: what the gateway cannot be asked is known by then. Cucumber runs a step
// whatever this hook returns, so the wrapper above skips the steps after that.
BeforeStep(function (this: MailWorld, { pickleStep: { type, text } }) {
  if (type === 'Context') this.intent.sentence = text
  this.ends = this.run.plan !== undefined && type === 'Outcome'
})

After(async function (this: MailWorld, { pickle, gherkinDocument }) {
  const { example, run, begins } = this
  if (!begins) {
    this.servers.release()
    await this.servers.giveBack()
    return
  }
  if (run.plan) {
    const { verdict } = this
    if (verdict?.verdict === 'lab-error') throw new Error(verdict.detail)
    run.plan.push({ ...example, ...(verdict ? { inapplicable: verdict.detail } : {}) })
    return
  }
  for (const client of this.happened.clientSessions) client.close()
  const servers = await this.servers.up()
  const { held } = this
  let failure: unknown
  let conclusion: ReturnType<MailWorld['conclusion']>
  try {
    this.servers.release()
    const fault = this.evidence().find(({ labError }) => labError)?.labError
    if (fault) throw new Error(fault)
    conclusion = this.conclusion()
  } catch (error) {
    failure = error
    conclusion = { verdict: 'lab-error', detail: (error as Error).message }
  }
  const late = conclusion.verdict !== 'conformant' ? undefined : this.late()
  if (!late?.giveBack)
    await this.servers.giveBack().catch(error => {
      failure ??= error
      conclusion = { verdict: 'lab-error', detail: (error as Error).message }
    })
  run.finish(
    this.key,
    {
      example: example,
      scenario: placeOf(pickle, gherkinDocument),
      judged: conclusion,
      ...(this.connector === undefined ? {} : { connector: this.connector }),
      durationMs: Math.round((performance.now() - this.began) * 10) / 10,
      seen: {
        conversations: this.evidence(),
        notes: this.happened.notes,
        steps: stepsOf(pickle, gherkinDocument),
        ...(held ? { held } : {}),
      },
    },
    servers,
    late,
  )
  if (failure) throw failure
  return conclusion.verdict === 'inconclusive' ? 'skipped' : undefined
})

/** `features/….feature:LINE` */
function placeOf(pickle: Pickle, { feature }: GherkinDocument): string {
  for (const { rule } of feature?.children ?? []) {
    const line = rule && lineIn(rule, pickle)
    if (line !== undefined) return `${pickle.uri}:${line}`
  }
  throw new Error('this example is not in its document')
}

/** With their keywords, and the values of the row filled in. */
function stepsOf({ steps }: Pickle, { feature }: GherkinDocument): string[] {
  const all = (feature?.children ?? [])
    .flatMap(({ rule }) => rule?.children ?? [])
    .flatMap(({ scenario, background }) => (scenario ?? background)?.steps ?? [])
  const keywords = new Map(all.map(({ id, keyword }) => [id, keyword]))
  return steps.map(({ astNodeIds, text }) => `${keywords.get(astNodeIds[0]!) ?? ''}${text}`)
}
