import assert from 'node:assert/strict'
import { appendFileSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { CommandFailure, Following } from './command.ts'
import { followFile } from './log-file.ts'

describe('a log file of a gateway', () => {
  let folder: string
  let path: string
  let lines: string[]
  let seen: () => void
  let following: Following
  let ended: Promise<CommandFailure>
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'log-file-'))
    path = join(folder, 'mail.log')
    lines = []
    writeFileSync(path, 'before\n')
    let failed: (why: CommandFailure) => void
    ended = new Promise(resolve => {
      failed = resolve
    })
    following = followFile(
      { key: 'commands.log.file', path },
      {
        line: line => {
          lines.push(line)
          seen?.()
        },
        ended: why => failed(why),
      },
    )
  })
  afterEach(async () => {
    await following.stop()
    rmSync(folder, { recursive: true })
  })

  const reach = (...expected: string[]) =>
    new Promise<void>(resolve => {
      seen = () => lines.length >= expected.length && resolve()
      seen()
    }).then(() => assert.deepEqual(lines, expected))

  it('is read from now on, line by line', async () => {
    appendFileSync(path, 'one\ntw')
    await reach('one')
    appendFileSync(path, 'o\n')
    await reach('one', 'two')
  })

  it('is read to its end where another file takes its place', async () => {
    appendFileSync(path, 'last\n')
    renameSync(path, `${path}.1`)
    await reach('last')
    writeFileSync(path, 'first\n')
    await reach('last', 'first')
  })

  it('is read from its beginning where it becomes shorter', async () => {
    writeFileSync(path, 'new\n')
    await reach('new')
  })

  it('is at an end where it cannot be read any more', async () => {
    rmSync(path)
    mkdirSync(path)
    assert.equal((await ended).message, `commands.log.file: ${path} is not a file`)
  })

  it('tells nothing more once it was told to stop, and may be told so again', async () => {
    const stops: Promise<void>[] = []
    const first = new Promise<void>(resolve => {
      seen = () => {
        stops.push(following.stop(), following.stop())
        resolve()
      }
    })
    appendFileSync(path, 'one\ntwo\n')
    await first
    await Promise.all(stops)
    assert.deepEqual(lines, ['one'])
    assert.equal(await Promise.race([ended, 'not ended']), 'not ended')
  })

  it('must be there', () =>
    assert.throws(
      () => followFile({ key: 'commands.log.file', path: `${path}.2` }, { line() {}, ended() {} }),
      /^CommandFailure: commands\.log\.file: .*mail\.log\.2 cannot be read: ENOENT/,
    ))
})
