import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { VERDICTS } from '../verdicts/verdict.ts'
import { markOf } from './terminal.ts'

const COMMAND = [join(import.meta.dirname, 'mail-tls.js'), 'requirements', 'EXO-FRC-01']
/** Of util-linux: gives the command a terminal of its own. */
const ON_TERMINAL = ['script', '--quiet', '--return', '--command']

/** What the command prints with these variables, and no other that is about colours. */
async function printed(environment: Record<string, string>, { terminal = false } = {}): Promise<string> {
  const { NO_COLOR, FORCE_COLOR, COLORTERM, CI, ...inherited } = process.env
  const node = [process.execPath, ...COMMAND]
  const [file, ...args] = terminal ? [...ON_TERMINAL, node.join(' '), '/dev/null'] : node
  const child = spawn(file!, args, {
    env: { ...inherited, TERM: 'xterm-256color', ...environment },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let out = ''
  for await (const chunk of child.stdout) out += chunk
  assert.match(out, /EXO-FRC-01/)
  return out
}

describe('the colours of what is printed', () => {
  const cases: [where: string, coloured: boolean, environment: Record<string, string>, terminal: boolean][] =
    [
      ['in a pipe in CI', false, { CI: 'true' }, false],
      ['in a pipe with FORCE_COLOR', true, { FORCE_COLOR: '1' }, false],
      ['on a terminal', true, {}, true],
      ['on a terminal with NO_COLOR', false, { NO_COLOR: '1' }, true],
      ['on a terminal with TERM=dumb', false, { TERM: 'dumb' }, true],
    ]
  for (const [where, coloured, environment, terminal] of cases)
    it(`${where}: ${coloured ? 'yes' : 'no'}`, async () => {
      assert.equal((await printed(environment, { terminal })).includes('\x1b['), coloured)
    })
})

describe('the mark of a verdict', () => {
  it('tells verdicts apart without colour, except the two that fail alike', () => {
    const marks = VERDICTS.map(markOf)
    assert.equal(new Set(marks).size, marks.length - 1)
    assert.equal(markOf('stale'), markOf('non-conformant'))
  })
})
