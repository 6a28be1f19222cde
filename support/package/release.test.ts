import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type ValidationState, validateAction, validateWorkflow } from '@action-validator/core'
import { parse } from 'yaml'
import { PACKAGE_ROOT } from '../package-root.ts'
import { releaseNotes } from './release-notes.ts'

describe('the text of a release', () => {
  const changelog =
    '# Changelog\n\n## Unreleased\n- later\n\n## 1.2.0 - 2026-11-30\n### Added\n- this\n\n## 1.1.0 - 2026-10-01\n- that\n\n## 1.0.0 - 2026-09-01\n'

  it('is the section of its version', () => {
    assert.equal(releaseNotes('v1.2.0', '1.2.0', changelog), '### Added\n- this\n')
    assert.equal(releaseNotes('v1.1.0', '1.1.0', changelog), '- that\n')
  })

  for (const [tag, version, says] of [
    ['v1.2.1', '1.2.0', /the tag v1\.2\.1 is not the version of package\.json, v1\.2\.0/],
    ['1.2.0', '1.2.0', /the tag 1\.2\.0 is not/],
    ['v1.3.0', '1.3.0', /no section "## 1\.3\.0/],
    ['v1.0.0', '1.0.0', /section of 1\.0\.0 is empty/],
  ] as const)
    it(`does not exist for ${tag} of version ${version}`, () =>
      assert.throws(() => releaseNotes(tag, version, changelog), says))
})

describe('what GitHub reads', () => {
  const keeps = (file: string, validate: (text: string) => ValidationState) =>
    it(`keeps to its published schema: ${file}`, () =>
      assert.deepEqual(validate(readFileSync(join(PACKAGE_ROOT, file), 'utf8')).errors, []))
  for (const file of [
    ...globSync('.github/workflows/*.yml', { cwd: PACKAGE_ROOT }),
    'docs/examples/github-actions.yml',
  ])
    keeps(file, validateWorkflow)
  keeps('support/ci/action.yml', validateAction)
})

describe('the workflows', () => {
  interface Step {
    run?: string
    uses?: string
  }
  const { scripts } = JSON.parse(readFileSync(join(PACKAGE_ROOT, 'package.json'), 'utf8'))

  for (const file of globSync('.github/workflows/*.yml', { cwd: PACKAGE_ROOT }))
    it(`name scripts and versions: ${file}`, () => {
      const { jobs, permissions } = parse(readFileSync(join(PACKAGE_ROOT, file), 'utf8'))
      // A job gets more only where it says so.
      assert.deepEqual(permissions, { contents: 'read' })
      const steps = Object.values(jobs as Record<string, { steps: Step[] }>).flatMap(one => one.steps)
      assert.ok(steps.length > 2)
      for (const { run, uses } of steps) {
        assert.ok((run === undefined) !== (uses === undefined))
        if (uses !== undefined) assert.match(uses, /^[\w-]+\/[\w-]+@v\d+$/)
        const [, script] = /npm run (?:--silent )?(\S+)/.exec(run ?? '') ?? []
        if (script !== undefined) assert.ok(script in scripts, script)
      }
    })
})
