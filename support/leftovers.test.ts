import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { leftovers, RUN_MARK, RUN_VARIABLE, remove, runFolder, sweep } from './leftovers.ts'

/** A process id that no system uses. */
const GONE = 2 ** 30
/** The hash of the scope in the mark of this run. */
const HERE = RUN_MARK.split('-')[1]!
const HOUR = 60 * 60 * 1000

describe('folders of killed runs', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'leftovers-'))
    chmodSync(folder, 0o777)
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  const made = (...names: string[]) => {
    for (const name of names) mkdirSync(join(folder, name))
  }
  const foldersLeft = () =>
    leftovers(folder)
      .filter(({ kind }) => kind === 'folder')
      .map(({ name }) => basename(name))

  it('are listed with their age, and removed', () => {
    const name = `mail-tls-${GONE}.1-${HERE}-abcdef`
    made(name)
    writeFileSync(join(folder, name, 'file'), '')
    const then = new Date(Date.now() - 3 * HOUR)
    utimesSync(join(folder, name), then, then)
    const left = leftovers(folder).filter(({ kind }) => kind === 'folder')
    assert.deepEqual(left, [{ kind: 'folder', name: join(folder, name), since: then.getTime() }])
    assert.ok(sweep(folder).some(one => one.name === join(folder, name)))
    assert.deepEqual(readdirSync(folder), [])
  })

  it('do not include those of running runs, but those of an earlier process with the same id', () => {
    const own = basename(mkdtempSync(runFolder()))
    rmSync(join(tmpdir(), own), { recursive: true })
    made(own)
    assert.deepEqual(foldersLeft(), [])
    if (!RUN_MARK.includes('.')) return
    const former = `mail-tls-${process.pid}.1-${HERE}-abcdef`
    made(former)
    assert.deepEqual(foldersLeft(), [former])
  })

  it('from another scope are listed only after a day', () => {
    const [young, old] = [`mail-tls-${GONE}.1-00000000-aaaaaa`, `mail-tls-${GONE}.1-00000000-bbbbbb`]
    made(young, old)
    const then = new Date(Date.now() - 25 * HOUR)
    utimesSync(join(folder, old), then, then)
    assert.deepEqual(foldersLeft(), [old])
  })

  it('do not include files, links and folders that the suite has not made', () => {
    made('mail-tls-doctor-c', 'mail-tls-notes', `mail-tls-${GONE}-a`, 'other')
    const mark = `mail-tls-${GONE}.1-${HERE}`
    writeFileSync(join(folder, `${mark}-aaaaaa`), 'a file')
    symlinkSync(join(folder, 'other'), join(folder, `${mark}-bbbbbb`))
    assert.deepEqual(foldersLeft(), [])
  })

  it('stay if they cannot be removed, and the others are removed', () => {
    const [foreign, stuck, own] = ['a', 'b', 'c'].map(x => `mail-tls-${GONE}.1-${HERE}-${x.repeat(6)}`)
    const root = process.getuid?.() === 0
    if (root) made(foreign!)
    try {
      if (root) process.seteuid!(65_534)
      made(stuck!, own!)
      writeFileSync(join(folder, stuck!, 'file'), '')
      chmodSync(join(folder, stuck!), 0o555)
      const swept = sweep(folder).filter(({ kind }) => kind === 'folder')
      assert.deepEqual(
        swept.map(({ name }) => basename(name)),
        [own],
      )
      chmodSync(join(folder, stuck!), 0o755)
    } finally {
      if (root) process.seteuid!(0)
    }
  })
})

describe('gateways of killed runs', () => {
  const children: ChildProcess[] = []
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'leftovers-'))
  })
  afterEach(() => {
    for (const child of children.splice(0)) child.kill('SIGKILL')
    rmSync(folder, { recursive: true })
  })
  const started = async (mark?: string) => {
    const cwd = mkdtempSync(join(folder, `mail-tls-${mark}-`))
    const env = { ...process.env, ...(mark === undefined ? {} : { [RUN_VARIABLE]: mark }) }
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { cwd, env })
    children.push(child)
    await once(child, 'spawn')
    return child
  }
  const leftOf = ({ pid }: ChildProcess, where = folder) =>
    leftovers(where).find(({ kind, name }) => kind === 'process' && name.startsWith(`${pid} `))

  it('are listed with their age, and ended', async function () {
    if (process.platform !== 'linux') this.skip()
    const child = await started(`${GONE}.1-${HERE}`)
    const left = leftOf(child)
    assert.ok(left, 'the process is listed')
    assert.ok(
      Math.abs(Date.now() - left.since) < 60_000,
      `the process has just started: ${new Date(left.since)}`,
    )
    const ended = once(child, 'exit')
    assert.ok(remove(left))
    assert.deepEqual(await ended, [null, 'SIGKILL'])
    assert.ok(remove(left), 'a process that has ended counts as removed')
  })

  it('do not include gateways of runs that have their folders elsewhere', async () => {
    const child = await started(`${GONE}.1-${HERE}`)
    assert.equal(leftOf(child, mkdtempSync(join(folder, 'elsewhere-'))), undefined)
    // A run in the folder above, as beside a test that gives its runs a folder of their own.
    assert.equal(leftOf(child, dirname(folder)), undefined)
  })

  it('do not include gateways of running runs and other processes', async () => {
    for (const mark of [RUN_MARK, undefined, 'nonsense']) assert.equal(leftOf(await started(mark)), undefined)
  })
})
