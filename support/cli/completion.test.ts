import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { Command, Option } from 'commander'
import { completionScript } from './completion.ts'

const COMMAND = join(import.meta.dirname, 'mail-tls.js')

const program = new Command('mail-tls')
program
  .command('check')
  .description("judge one gateway's TLS")
  .argument('[target]')
  .option('--profile <name>', 'a profile')
  .option('--strict', 'be strict')
  .addOption(new Option('--format <name>').choices(['sarif']))
program.command('clean').description('remove')
const known = {
  options: { '--profile': ['dane', 'starttls-base'] },
  arguments: { target: ['haraka', 'postfix'] },
}

/** What bash offers after these words; the last of them is not complete. */
function offered(script: string, ...words: string[]): string[] {
  const array = words.map(word => `'${word}'`).join(' ')
  const asked = `${script}\nCOMP_WORDS=(${array}); COMP_CWORD=${words.length - 1}; _mail_tls; printf '%s\\n' "\${COMPREPLY[@]}"`
  return execFileSync('bash', ['-c', asked], { encoding: 'utf8' }).split('\n').filter(Boolean)
}

describe('completion in bash', () => {
  const script = completionScript(program, 'bash', known)
  const cases: [words: string[], offers: string[]][] = [
    [
      ['mail-tls', 'c'],
      ['check', 'clean'],
    ],
    [['mail-tls', 'check', '--s'], ['--strict']],
    [['mail-tls', 'check', 'p'], ['postfix']],
    [
      ['mail-tls', 'check', '--profile', ''],
      ['dane', 'starttls-base'],
    ],
    [['mail-tls', 'check', '--format', 's'], ['sarif']],
    [['mail-tls', 'clean', '--p'], []],
    [['mail-tls', 'nothing', ''], []],
  ]
  for (const [words, offers] of cases)
    it(`offers ${offers.join(' and ') || 'nothing'} after ${words.join(' ')}`, () =>
      assert.deepEqual(offered(script, ...words), offers))
})

describe('completion in other shells', () => {
  it('has every command and option for fish, and escapes quotes', () => {
    const lines = completionScript(program, 'fish', known).trim().split('\n')
    assert.deepEqual(lines.slice(0, 3), [
      String.raw`complete -c mail-tls -n __fish_use_subcommand -f -a check -d 'judge one gateway\'s TLS'`,
      "complete -c mail-tls -n '__fish_seen_subcommand_from check' -a 'haraka postfix'",
      "complete -c mail-tls -n '__fish_seen_subcommand_from check' -l profile -r -f -a 'dane starttls-base' -d 'a profile'",
    ])
  })

  it('is that of bash for zsh', () => {
    const [first, ...rest] = completionScript(program, 'zsh', known).split('\n')
    assert.match(first!, /bashcompinit/)
    assert.equal(rest.join('\n'), completionScript(program, 'bash', known))
  })
})

describe('mail-tls completion', () => {
  const run = (shell: string) =>
    spawnSync(process.execPath, [COMMAND, 'completion', shell], { encoding: 'utf8' })

  it('knows the commands, the gateways, the profiles and the requirements', () => {
    const { status, stdout } = run('bash')
    assert.equal(status, 0)
    assert.ok(offered(stdout, 'mail-tls', '').includes('check'))
    assert.ok(offered(stdout, 'mail-tls', 'matrix', 'exi').includes('exim'))
    assert.deepEqual(offered(stdout, 'mail-tls', 'check', '--profile', 'starttls'), ['starttls-base'])
    assert.deepEqual(offered(stdout, 'mail-tls', 'check', '--requirement', 'EXO-FRC-01'), ['EXO-FRC-01'])
    assert.deepEqual(offered(stdout, 'mail-tls', 'init', '--product', 'post'), ['postfix'])
  })

  it('ends with 2 for a shell that it does not know', () => {
    const { status, stderr } = run('csh')
    assert.equal(status, 2)
    assert.match(stderr, /Allowed choices are bash, zsh, fish/)
  })
})
