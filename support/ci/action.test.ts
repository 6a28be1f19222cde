import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { text } from 'node:stream/consumers'
import { parse } from 'yaml'
import { PACKAGE_ROOT } from '../package-root.ts'
import { keepsVerdictsSchema } from '../test-bed/fixtures/schemas.ts'
import { VERDICTS } from '../verdicts/verdict.ts'

interface Step {
  id?: string
  run: string
  env?: Record<string, string>
}

const action: {
  inputs: Record<string, { default: string }>
  outputs: Record<string, { value: string }>
  runs: { steps: Step[] }
} = parse(readFileSync(join(import.meta.dirname, 'action.yml'), 'utf8'))

/** A shell of a CI service. */
async function shell(script: string, cwd: string, env: Record<string, string | undefined>) {
  const child = spawn('bash', ['-e', '-o', 'pipefail', '-c', script], { cwd, env })
  const [out, [status]] = await Promise.all([text(child.stdout), once(child, 'close')])
  return { status, out }
}

describe('the action for GitHub Actions', function () {
  this.timeout(120_000)
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'action-'))
    for (const name of ['output', 'summary.md']) writeFileSync(join(folder, name), '')
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  /** Runs the step that judges, as a runner does: with the inputs in its environment, and with files for what it sets. */
  const judging = async (inputs: Record<string, string>) => {
    const { run, env = {} } = action.runs.steps.find(({ id }) => id === 'judge')!
    const given = Object.entries(env).map(([name, value]) => {
      const [, input] = /^\$\{\{ inputs\.([\w-]+) \}\}$/.exec(value)!
      return [name, inputs[input!] ?? action.inputs[input!]!.default]
    })
    const { status, out } = await shell(run, folder, {
      PATH: process.env['PATH'],
      ...Object.fromEntries(given),
      GITHUB_ACTIONS: 'true',
      GITHUB_ACTION_PATH: import.meta.dirname,
      GITHUB_WORKSPACE: folder,
      GITHUB_OUTPUT: join(folder, 'output'),
      GITHUB_STEP_SUMMARY: join(folder, 'summary.md'),
    })
    const lines = readFileSync(join(folder, 'output'), 'utf8').trim().split('\n')
    const outputs = Object.fromEntries(lines.map(line => line.split('=', 2)))
    return { status, out, outputs, summary: readFileSync(join(folder, 'summary.md'), 'utf8') }
  }

  it('sets each output that it declares', () => {
    const own = Object.entries(action.outputs).map(([name, { value }]) => [name, value])
    assert.deepEqual(
      own,
      ['exit', 'report', ...VERDICTS].map(name => [name, `\${{ steps.judge.outputs.${name} }}`]),
    )
  })

  it('gives annotations, a summary and counts for a gateway with a fault that is not recorded', async () => {
    writeFileSync(join(folder, 'none.yaml'), '[]')
    const inputs = { target: 'haraka', profiles: 'submission', deviations: 'none.yaml', report: 'a report' }
    const { status, out, outputs, summary } = await judging(inputs)
    assert.equal(status, 1, out)
    assert.match(out, /^::error title=haraka%3A non-conformant RFC8314-02::/m)
    assert.match(summary, /^## haraka .*\n[\s\S]*\*\*non-conformant\*\* \| RFC8314-02/)
    assert.equal(outputs['exit'], '1')
    assert.equal(outputs['report'], join(folder, 'a report'))
    assert.ok(Number(outputs['non-conformant']) > 0)
    const document = JSON.parse(readFileSync(join(outputs['report']!, 'verdicts.json'), 'utf8'))
    keepsVerdictsSchema(document)
    assert.deepEqual(
      VERDICTS.map(name => Number(outputs[name])),
      VERDICTS.map(name => document.totals[name]),
    )
  })

  it('passes on a gateway without a fault, and judges as strictly as it is told', async () => {
    const { status, out, outputs } = await judging({
      target: 'reference',
      profiles: 'submission',
      strict: 'true',
    })
    assert.equal(status, 0, out)
    assert.doesNotMatch(out, /^::/m)
    const report = outputs['report']!
    const { strict, profiles } = JSON.parse(readFileSync(join(report, 'verdicts.json'), 'utf8'))
    assert.deepEqual([strict, profiles], [true, ['submission']])
    const later = await judging({ target: 'reference', profiles: 'submission', since: report })
    assert.match(later.summary, /### Since the last run\n\n.*: nothing changed\./)
  })

  const WRONG: Record<string, [inputs: Record<string, string>, says: RegExp]> = {
    'no target': [{}, /^::error title=Mail TLS conformance::Name either/m],
    'two targets': [{ target: 'haraka', 'gateway-file': 'gateway.yaml' }, /Name either the input target or/],
    'a word for strict': [{ target: 'haraka', strict: 'yes' }, /strict must be true or false/],
  }
  for (const [what, [inputs, says]] of Object.entries(WRONG))
    it(`ends with 2 and a reason for ${what}`, async () => {
      const { status, out } = await judging(inputs)
      assert.equal(status, 2)
      assert.match(out, says)
    })

  it('takes no older report for its own where it judged nothing', async () => {
    const before = await judging({ target: 'reference', profiles: 'submission' })
    assert.equal(before.status, 0, before.out)
    writeFileSync(join(folder, 'output'), '')
    const { status, outputs } = await judging({ 'gateway-file': 'none.yaml' })
    assert.deepEqual([status, outputs], [2, { exit: '2', report: '' }])
  })
})

describe('the template for GitLab', function () {
  this.timeout(60_000)
  const template = parse(readFileSync(join(import.meta.dirname, 'gitlab.yml'), 'utf8'))['.mail-tls']
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'gitlab-'))
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  it('leaves the report where it says that the tests are', async () => {
    const bin = join(folder, 'mail-tls')
    writeFileSync(
      bin,
      `#!/bin/sh\nexec '${process.execPath}' '${join(PACKAGE_ROOT, 'support/cli/mail-tls.js')}' "$@"\n`,
      { mode: 0o755 },
    )
    const { status, out } = await shell(template.script.join('\n'), folder, {
      PATH: [folder, process.env['PATH']].join(delimiter),
      ...template.variables,
      MAIL_TLS_TARGET: 'reference',
      MAIL_TLS_OPTIONS: '--profile submission',
    })
    assert.equal(status, 0, out)
    assert.match(readFileSync(join(folder, template.artifacts.reports.junit), 'utf8'), /<testsuites>/)
    assert.equal(template.artifacts.when, 'always')
  })

  it('is used by the example', () => {
    const { include, 'mail-tls': job } = parse(
      readFileSync(join(PACKAGE_ROOT, 'docs/examples/gitlab-ci.yml'), 'utf8'),
    )
    assert.deepEqual([include[0].file, job.extends], ['support/ci/gitlab.yml', '.mail-tls'])
    for (const name of Object.keys(job.variables)) assert.ok(name in template.variables, name)
  })
})

describe('the example for GitHub Actions', () => {
  it('gives the action inputs that it has', () => {
    const { jobs } = parse(readFileSync(join(PACKAGE_ROOT, 'docs/examples/github-actions.yml'), 'utf8'))
    const step = jobs.check.steps.find(({ uses = '' }) => uses.includes('/support/ci@'))
    for (const name of Object.keys(step.with)) assert.ok(name in action.inputs, name)
  })
})
