import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { type Command, CommandFailure, followCommand, Lines, runCommand } from './command.ts'

describe('a command of a gateway file', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'command-'))
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  const command = (...argv: [string, ...string[]]): Command => ({ key: 'commands.retry', argv, folder })
  const shell = (text: string) => command('sh', '-c', text)
  const run = (what: Command, options: Partial<Parameters<typeof runCommand>[1]> = {}) =>
    runCommand(what, { timeout: 20_000, ...options })
  const fails = (running: Promise<string>, message: RegExp) =>
    assert.rejects(running, error => {
      assert.ok(error instanceof CommandFailure, String(error))
      assert.match(error.message, message)
      return true
    })
  const numberIn = (file: string) => Number(readFileSync(join(folder, file), 'utf8'))
  /** Bounded by the time-out of the test: the system removes a process some time after it was ended. */
  const hasEnded = async (pid: number) => {
    for (let state = stateOf(pid); state !== undefined && state !== 'Z'; state = stateOf(pid)) await pause(20)
  }
  /** As in proc_pid_stat(5); nothing where there is no such process. */
  const stateOf = (pid: number) => {
    try {
      return /\) (\w)/.exec(readFileSync(`/proc/${pid}/stat`, 'latin1'))?.[1]
    } catch {
      return undefined
    }
  }

  it('runs in the folder of the file, and gives what it prints on standard output', async () => {
    writeFileSync(join(folder, 'a'), '')
    assert.equal(await run(shell('ls; echo elsewhere >&2')), 'a\n')
  })

  it('gets its words as they are, without a shell', async () =>
    assert.equal(await run(command('printf', '%s|', '$HOME', 'a b', '*')), '$HOME|a b|*|'))

  it('gets variables in its environment', async () => {
    const variables = { MAIL_TLS_DOMAIN: 'a.test' }
    assert.equal(await run(shell('printf %s "$MAIL_TLS_DOMAIN"'), { variables }), 'a.test')
  })

  it('fails with its exit status and its last words', () =>
    fails(
      run(shell('echo one; echo two >&2; exit 3')),
      /^commands\.retry: the command ended with exit status 3; its last words: one\\ntwo$/,
    ))

  it('fails if it cannot be started', () =>
    fails(run(command('./nothing-here')), /^commands\.retry: the command cannot be started: .*ENOENT/))

  it('fails if a signal ends it', () => fails(run(shell('kill -9 $$')), /ended with SIGKILL$/))

  it('has control bytes escaped in its last words', () =>
    fails(run(shell("printf '\\033[31mred\\007\\303\\274'; exit 1")), /last words: \\x1b\[31mred\\x07/))

  it('is ended with all that it has started if it takes too long', async () => {
    await fails(
      run(shell('sleep 300 & echo $! >child; echo working; wait'), { timeout: 500 }),
      /did not end within 500 ms; its last words: working$/,
    )
    await hasEnded(numberIn('child'))
  })

  it('is ended if it prints without end', () =>
    fails(run(shell('yes')), /printed more than 8 MB; .* y\\ny\\n/))

  it('leaves no child behind that stayed in its group', async () => {
    await run(shell('sleep 300 >/dev/null 2>&1 & echo $! >child'))
    await hasEnded(numberIn('child'))
  })

  it('is over if a daemon holds its output', async () => {
    assert.equal(await run(shell('setsid sleep 300 & echo $! >child; echo done')), 'done\n')
    process.kill(numberIn('child'), 'SIGKILL')
  })

  it('is ended when the run is over', () => {
    const over = new AbortController()
    const running = run(shell('sleep 300'), { signal: over.signal })
    over.abort()
    return fails(running, /was ended, because the run is over$/)
  })

  it('is not started once the run is over', async () => {
    const signal = AbortSignal.abort()
    await fails(run(command('./nothing-here'), { signal }), /was ended, because the run is over$/)
    // What is wrong with a program is told one turn later.
    await new Promise(setImmediate)
  })

  describe('that follows a log', () => {
    const follow = (text: string) => {
      const lines: string[] = []
      let seen = () => {}
      let failed: (why: CommandFailure) => void
      const ended = new Promise<CommandFailure>(resolve => {
        failed = resolve
      })
      const following = followCommand(shell(text), {
        line: line => {
          lines.push(line)
          seen()
        },
        ended: why => failed(why),
      })
      const reach = (count: number) =>
        new Promise<void>(resolve => {
          seen = () => lines.length >= count && resolve()
          seen()
        })
      return { lines, ended, reach, following }
    }

    it('gives each line of both outputs', async () => {
      const { lines, reach, following } = follow('echo one; printf "two\\r\\nthr"; echo ee; cat >/dev/null')
      await reach(3)
      await following.stop()
      assert.deepEqual(lines, ['one', 'two', 'three'])
    })

    it('is told by the end of its standard input to end', async () => {
      const { reach, following } = follow('echo here; cat >/dev/null; echo over >over')
      await reach(1)
      await following.stop()
      assert.equal(readFileSync(join(folder, 'over'), 'utf8'), 'over\n')
    })

    it('is ended with all that it has started if it stays', async () => {
      const { reach, following } = follow('sleep 300 & echo $! >child; echo here; wait')
      await reach(1)
      await following.stop()
      await hasEnded(numberIn('child'))
    })

    it('tells with its last words if it ends by itself', async () => {
      const { ended, following } = follow('echo no such container >&2; exit 1')
      assert.equal(
        (await ended).message,
        'commands.retry: the command ended by itself with exit status 1; its last words: no such container',
      )
      await following.stop()
    })
  })

  it('has its lines cut after 16384 bytes', () => {
    const lines: string[] = []
    const cut = new Lines(line => lines.push(line))
    for (const text of ['a\nb', 'c\n\n', 'x'.repeat(20_000), 'y\nz']) cut.add(Buffer.from(text))
    assert.deepEqual(lines, ['a', 'bc', '', 'x'.repeat(16_384)])
  })
})
