import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { runCucumber } from '@cucumber/cucumber/api'
import type { Envelope } from '@cucumber/messages'
import { PACKAGE_ROOT } from '../support/package-root.ts'
import { vocabulary } from '../support/run/cucumber.ts'

/** A vocabulary that a reader can keep in mind; a new step replaces one or is worth raising this. */
const CEILING = 89

describe('the vocabulary of the features', () => {
  let messages: Envelope[]

  before(async () => {
    messages = []
    const environment = { cwd: PACKAGE_ROOT, stdout: new Writable({ write: (_c, _e, done) => done() }) }
    const { configuration, support } = await vocabulary()
    const { sources, runtime } = configuration
    const all = { ...sources, paths: ['features/**/*.feature'] }
    const options = { ...configuration, sources: all, runtime: { ...runtime, dryRun: true }, support }
    await runCucumber(options, environment, message => messages.push(message))
  })

  const patternOf = new Map<string, string>()
  const used = () => {
    for (const { stepDefinition } of messages)
      if (stepDefinition) patternOf.set(stepDefinition.id, stepDefinition.pattern.source)
    return new Set(
      messages.flatMap(
        ({ testCase }) => testCase?.testSteps.flatMap(step => step.stepDefinitionIds ?? []) ?? [],
      ),
    )
  }

  it('knows every step of every feature, and each by one definition', () => {
    const texts = new Map(
      messages.flatMap(({ pickle }) => pickle?.steps.map(({ id, text }) => [id, text] as const) ?? []),
    )
    const odd = messages.flatMap(
      ({ testCase }) =>
        testCase?.testSteps.flatMap(({ pickleStepId, stepDefinitionIds }) =>
          pickleStepId && stepDefinitionIds?.length !== 1 ? [texts.get(pickleStepId)] : [],
        ) ?? [],
    )
    assert.deepEqual([...new Set(odd)], [])
    assert.ok(texts.size > 500)
  })

  it('has no definition that nothing uses', () => {
    const ids = used()
    assert.deepEqual(
      [...patternOf].filter(([id]) => !ids.has(id)).map(([, pattern]) => pattern),
      [],
    )
  })

  it(`has at most ${CEILING} definitions`, () => {
    used()
    assert.ok(patternOf.size > 0 && patternOf.size <= CEILING, `${patternOf.size} definitions`)
  })

  it('is written in Cucumber expressions and names no socket, container or product', () => {
    for (const file of globSync('steps/*.steps.ts', { cwd: PACKAGE_ROOT })) {
      const text = readFileSync(join(PACKAGE_ROOT, file), 'utf8')
      assert.doesNotMatch(text, /^(Given|When|Then)\(\s*\//m, `${file}: a regular expression`)
      assert.doesNotMatch(text, /node:(net|tls)|haraka|postfix|exim|opensmtpd|docker|testcontainers/i, file)
    }
  })
})
