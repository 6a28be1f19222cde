import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { loadConfiguration, runCucumber } from '@cucumber/cucumber/api'

/**
 * The time in ms that Cucumber takes for one scenario of three steps that do nothing, with 25 scenarios in each file.
 */
export async function emptyScenario(count = 500): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'mail-tls-bench-'))
  try {
    writeFileSync(
      join(folder, 'steps.cjs'),
      `const { Given, When, Then } = require(${JSON.stringify(join(import.meta.dirname, '../../node_modules/@cucumber/cucumber'))})\n` +
        `Given('a', () => {}); When('b', () => {}); Then('c', () => {})\n`,
    )
    for (let file = 0; file < count / 25; file++)
      writeFileSync(
        join(folder, `f${file}.feature`),
        `Feature: ${file}\n${Array.from({ length: 25 }, (_, n) => `  Example: ${n}\n    Given a\n    When b\n    Then c\n`).join('')}`,
      )
    const { runConfiguration } = await loadConfiguration(
      { file: false, provided: { require: ['steps.cjs'], paths: ['*.feature'], format: ['summary'] } },
      { cwd: folder },
    )
    const stdout = new Writable({ write: (_chunk, _encoding, done) => done() })
    const began = performance.now()
    await runCucumber(runConfiguration, { cwd: folder, stdout })
    return (performance.now() - began) / count
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
