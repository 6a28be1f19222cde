import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'

const END = JSON.stringify(new URL('process-end.ts', import.meta.url).href)

describe('the end of the process', () => {
  let child: ChildProcess | undefined
  afterEach(() => child?.kill('SIGKILL'))

  /** A process of its own that runs `script`, with what it prints. */
  function running(script: string, ipc = false) {
    const started = spawn(
      process.execPath,
      [
        '--input-type=module',
        '--eval',
        `import { endsWith, obeyParent, onInterrupt } from ${END}\nconst NOTHING = () => 'nothing was judged'\n${script}`,
      ],
      { stdio: ['ignore', 'pipe', 'pipe', ...(ipc ? (['ipc'] as const) : [])] },
    )
    child = started
    const said = { out: '', err: '' }
    const ready = new Promise<void>(resolve =>
      started.stdout!.on('data', chunk => {
        said.out += chunk
        if (said.out.includes('ready')) resolve()
      }),
    )
    started.stderr!.on('data', chunk => {
      said.err += chunk
    })
    // Not 'close': Node does not tell of it once the channel was closed from here.
    const ends = [started.stdout!, started.stderr!].map(stream => once(stream, 'end'))
    const ended = Promise.all([once(started, 'exit'), ...ends]).then(([[code, signal]]) => ({
      code,
      signal,
      ...said,
    }))
    return { child: started, ready, ended }
  }
  const FOREVER = 'setInterval(() => {}, 60_000)\n'

  for (const status of [0, 1, 2])
    it(`has the status ${status} that the work came to, whatever still holds the event loop`, async () => {
      const { code } = await running(`${FOREVER}await endsWith(Promise.resolve(${status}))`).ended
      assert.equal(code, status)
    })

  it('comes after everything that was written to a pipe', async () => {
    const size = 2_000_000
    const { out, code } = await running(
      `process.stdout.write('x'.repeat(${size}))\nawait endsWith(Promise.resolve(1))`,
    ).ended
    assert.deepEqual([out.length, code], [size, 1])
  })

  it('is a fault where the work fails', async () => {
    const { code, err } = await running(`await endsWith(Promise.reject(new Error('broken work')))`).ended
    assert.notEqual(code, 0)
    assert.match(err, /broken work/)
  })

  describe('by a signal', () => {
    const STOPS = `${FOREVER}onInterrupt(async () => (console.log('stopped'), 2), NOTHING)\nconsole.log('ready')`

    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
      it(`stops the run first: ${signal}`, async () => {
        const { child, ready, ended } = running(STOPS)
        await ready
        child.kill(signal)
        const { code, out, err } = await ended
        assert.equal(code, 2)
        assert.equal(out, 'ready\nstopped\n')
        assert.equal(err, `mail-tls: ended by ${signal}; nothing was judged\n`)
      })

    it('comes at once at the second, when the run does not stop', async () => {
      const { child, ready, ended } = running(
        `${FOREVER}onInterrupt(() => new Promise(() => console.log('stopping')), NOTHING)\nconsole.log('ready')`,
      )
      await ready
      child.kill('SIGINT')
      while (!(await once(child.stdout!, 'data')).join().includes('stopping'));
      child.kill('SIGINT')
      assert.equal((await ended).code, 2)
    })

    it('has the status that stopping comes to', async () => {
      const { child, ready, ended } = running(
        `${FOREVER}onInterrupt(async () => 0, () => 'all was done')\nconsole.log('ready')`,
      )
      await ready
      child.kill('SIGINT')
      const { code, err } = await ended
      assert.deepEqual([code, err], [0, 'mail-tls: ended by SIGINT; all was done\n'])
    })

    it('comes also where stopping fails, and says why that failed', async () => {
      const { child, ready, ended } = running(
        `${FOREVER}onInterrupt(async () => { throw new Error('stuck') }, NOTHING)\nconsole.log('ready')`,
      )
      await ready
      child.kill('SIGTERM')
      const { code, err } = await ended
      assert.equal(code, 2)
      assert.equal(err, 'mail-tls: ended by SIGTERM; stuck\n')
    })

    it('comes as ever once that is undone', async () => {
      const { child, ready, ended } = running(
        `${FOREVER}onInterrupt(async () => (console.log('stopped'), 2), NOTHING).undo()\nconsole.log('ready')`,
      )
      await ready
      child.kill('SIGTERM')
      const { signal, out } = await ended
      assert.deepEqual([signal, out], ['SIGTERM', 'ready\n'])
    })
  })

  it('stops the run when the launcher of the process is gone', async () => {
    const { child, ready, ended } = running(
      `${FOREVER}onInterrupt(async () => (console.log('stopped'), 2), NOTHING)\nconsole.log('ready')`,
      true,
    )
    await ready
    child.disconnect()
    const { code, err } = await ended
    assert.equal(code, 2)
    assert.match(err, /ended by its parent/)
  })

  describe('that a parent passes on', () => {
    const SLOWLY = `${FOREVER}
      onInterrupt(signal => new Promise(done => {
        process.on('SIGUSR2', () => done(2))
        console.log('stopping', signal)
      }), NOTHING)
      process.on('disconnect', () => console.log('disconnected'))
      console.log('ready')`
    const says = async ({ stdout }: ChildProcess, text: string) => {
      while (!(await once(stdout!, 'data')).join().includes(text));
    }

    it('is the signal itself', async () => {
      const { child, ready, ended } = running(SLOWLY, true)
      await ready
      const stopping = says(child, 'stopping')
      child.send('SIGTERM')
      await stopping
      child.kill('SIGUSR2')
      const { code, out, err } = await ended
      assert.deepEqual([code, out], [2, 'ready\nstopping SIGTERM\n'])
      assert.equal(err, 'mail-tls: ended by SIGTERM; nothing was judged\n')
    })

    it('is the one that a terminal has sent to both, and the end of the parent is no second one', async () => {
      const { child, ready, ended } = running(SLOWLY, true)
      await ready
      const stopping = says(child, 'stopping')
      child.kill('SIGINT')
      await stopping
      child.send('SIGINT')
      const disconnected = says(child, 'disconnected')
      child.disconnect()
      await disconnected
      child.kill('SIGUSR2')
      const { code, err } = await ended
      assert.equal(code, 2)
      assert.equal(err, 'mail-tls: ended by SIGINT; nothing was judged\n')
    })

    it('ends at once at the second', async () => {
      const { child, ready, ended } = running(SLOWLY, true)
      await ready
      child.send('SIGINT')
      child.send('SIGINT')
      const { code, err } = await ended
      assert.deepEqual([code, err], [2, ''])
    })

    it('ends also what nobody stops first, and keeps nothing from its end', async () => {
      const { child, ready, ended } = running(`${FOREVER}obeyParent()\nconsole.log('ready')`, true)
      await ready
      child.send('SIGTERM')
      assert.equal((await ended).signal, 'SIGTERM')
      assert.equal((await running('obeyParent()', true).ended).code, 0)
    })
  })
})
