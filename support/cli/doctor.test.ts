import assert from 'node:assert/strict'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import { NoEngine, type Obstacle } from '../engine/connection.ts'
import type { Leftover } from '../leftovers.ts'
import { runCommand } from '../test-bed/fixtures/command.ts'
import { type FakeEngine, fakeEngine } from '../test-bed/fixtures/fake-engine.ts'
import { type Check, type Diagnosis, diagnose, doctorJson, doctorText, type Machine } from './doctor.ts'

const HOUR = 60 * 60 * 1000

function named({ checks }: Diagnosis, name: string): Check {
  const check = checks.find(check => check.name === name)
  assert.ok(check, `there is a check of ${name}`)
  return check
}

describe('doctor', () => {
  let folder: string
  let here: Machine

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'mail-tls-test-'))
    here = { folder, temporary: folder, engine: none('nothing listens'), leftovers: () => [] }
  })

  afterEach(() => rm(folder, { recursive: true }))

  const none = (obstacle: Obstacle) => () => Promise.reject(new NoEngine(obstacle, 'no engine'))
  const some = (description: string, left: (Leftover & { run: string })[] = []) => ({
    engine: async () => ({ description, leftovers: async () => left }),
  })
  const engineCheck = async (more: Machine) => named(await diagnose({ ...here, ...more }), 'container engine')

  it('finds all that the embedded gateway needs, without a container engine', async () => {
    const diagnosis = await diagnose(here)
    assert.equal(diagnosis.usable, true)
    assert.deepEqual(
      diagnosis.checks.map(({ name, state }) => `${name}: ${state}`),
      [
        'Node.js: good',
        'loopback range: good',
        'temporary folder: good',
        'open files: good',
        'report folder: good',
        'container engine: missing',
        'killed runs: good',
      ],
    )
    const { found } = named(diagnosis, 'Node.js')
    assert.equal(found, `${process.versions.node} with OpenSSL ${process.versions.openssl}`)
    assert.deepEqual(await readdir(folder), [])
  })

  it('gives advice exactly where something is not good', async () => {
    const { checks } = await diagnose({ ...here, openFiles: 10, folder: join(folder, 'none') })
    assert.deepEqual(
      checks.filter(({ advice }) => advice).map(({ name }) => name),
      ['open files', 'report folder', 'container engine'],
    )
  })

  const needed: [string, Machine, RegExp][] = [
    ['Node.js', { versions: { node: '22.20.0', openssl: '3.0.17' } }, /^22\.20\.0 with OpenSSL 3\.0\.17$/],
    // TEST-NET-2 (RFC 5737): no machine has an address of it.
    ['loopback range', { loopback: '198.51.100.1' }, /EADDRNOTAVAIL/],
    ['temporary folder', { temporary: '/nowhere/at-all' }, /ENOENT/],
    ['open files', { openFiles: 64 }, /^at most 64$/],
  ]
  for (const [name, lacking, found] of needed)
    it(`is not content with a bad ${name}`, async () => {
      const diagnosis = await diagnose({ ...here, ...lacking })
      assert.equal(diagnosis.usable, false)
      const check = named(diagnosis, name)
      assert.equal(check.state, 'bad')
      assert.match(check.found, found)
    })

  it('needs no report folder, because another can be given', async () => {
    const file = join(folder, 'file')
    await writeFile(file, '')
    const diagnosis = await diagnose({ ...here, folder: file })
    assert.equal(named(diagnosis, 'report folder').state, 'bad')
    assert.match(named(diagnosis, 'report folder').found, /ENOTDIR/)
    assert.equal(diagnosis.usable, true)
    assert.ok(
      doctorText(diagnosis, { colour: false }).endsWith(
        '\nReady, but not in this folder: give --report DIR.\n',
      ),
    )
  })

  it('names the engine that answers, and shows what that calls itself without obeying it', async () => {
    assert.deepEqual(await engineCheck(some('28.2.2 on Debian at unix:///docker.sock')), {
      name: 'container engine',
      enables: 'gateways that come as containers',
      state: 'good',
      found: '28.2.2 on Debian at unix:///docker.sock',
    })
    const diagnosis = await diagnose({ ...here, ...some(`1\x1b[2J\n${'x'.repeat(500)}`) })
    assert.match(named(diagnosis, 'container engine').found, /^1\\x1b\[2J\\nx+… \(\d+ more characters\)/)
    for (const line of doctorText(diagnosis, { colour: false }).split('\n'))
      assert.match(line, /^\P{C}{0,80}$/u)
  })

  const obstacles: [Obstacle, Check['state'], RegExp][] = [
    ['unknown place', 'missing', /unix:\/\/PATH/],
    ['nothing listens', 'missing', /^install Docker/],
    ['no permission', 'bad', /usermod/],
    ['no answer', 'bad', /restart/],
    ['wrong answer', 'bad', /DOCKER_TLS_VERIFY/],
  ]
  for (const [obstacle, state, advice] of obstacles)
    it(`gives advice where the obstacle is: ${obstacle}`, async () => {
      const check = await engineCheck({ engine: none(obstacle) })
      assert.deepEqual([check.state, check.found], [state, 'no engine'])
      assert.match(check.advice!, advice)
    })

  it('names what killed runs have left, with its age, and is usable still', async () => {
    const since = Date.now() - 3 * HOUR
    const onEngine = { kind: 'container' as const, name: '0123 (postfix)', since, run: 'a' }
    const onMachine = { kind: 'folder' as const, name: '/tmp/mail-tls-1', since }
    const diagnosis = await diagnose({ ...here, ...some('1', [onEngine]), leftovers: () => [onMachine] })
    assert.equal(diagnosis.usable, true)
    const { state, found, advice } = named(diagnosis, 'killed runs')
    assert.equal(state, 'left')
    assert.equal(found, 'container 0123 (postfix), 3 h old; folder /tmp/mail-tls-1, 3 h old')
    assert.match(advice!, /mail-tls clean/)
    const { run: _, ...container } = onEngine
    assert.deepEqual(diagnosis.leftovers, [container, onMachine])
  })

  it('says so where the engine does not tell what is left', async () => {
    const leftovers = () => Promise.reject(new Error('no permission'))
    const diagnosis = await diagnose({ ...here, engine: async () => ({ description: '1', leftovers }) })
    const { state, found } = named(diagnosis, 'killed runs')
    assert.deepEqual([state, found], ['bad', 'no permission'])
  })

  describe('agrees with check', () => {
    let engine: FakeEngine
    before(async () => {
      engine = await fakeEngine({ listen: { path: join(tmpdir(), `engine-${process.pid}.sock`) } })
    })
    after(() => engine.stop())

    const told = async (DOCKER_HOST: string, ...args: string[]) => {
      const { out, err } = await runCommand(args, { cwd: folder, env: { DOCKER_HOST } })
      return out + err
    }

    it('about an engine that DOCKER_HOST names', async () => {
      const found = JSON.parse(await told(engine.place, 'doctor', '--json')) as Diagnosis
      assert.equal(named(found, 'container engine').found, `1 on none at ${engine.place}`)
      // The fake engine has no image, and builds none.
      assert.match(await told(engine.place, 'check', 'postfix'), /building the image of \w+/)
    })

    it('about none', async () => {
      const place = 'unix:///nowhere/docker.sock'
      const words = `no container engine answers at ${place} (DOCKER_HOST): nothing listens there`
      const found = JSON.parse(await told(place, 'doctor', '--json')) as Diagnosis
      assert.equal(named(found, 'container engine').found, words)
      assert.ok((await told(place, 'check', 'postfix')).includes(words))
    })
  })
})

describe('what the doctor says', () => {
  const diagnosis: Diagnosis = {
    usable: false,
    checks: [
      { name: 'Node.js', state: 'good', found: '24.0.0', enables: 'the suite itself' },
      {
        name: 'loopback',
        state: 'bad',
        found: 'it cannot be listened on, for a reason that takes more than a line',
        enables: 'partners',
        advice: 'get another machine',
      },
    ],
    leftovers: [],
  }

  it('is a text with a line for each thing', () => {
    assert.equal(
      doctorText(diagnosis, { colour: false }),
      `✓ good     Node.js   24.0.0
                     for the suite itself
✗ bad      loopback  it cannot be listened on, for a reason that takes more than
                     a line
                     for partners
                     → get another machine

Not ready. mail-tls check cannot run here yet; see what is bad above.
`,
    )
    const ready = doctorText({ ...diagnosis, usable: true }, { colour: false })
    assert.ok(
      ready.endsWith('\nReady. mail-tls check judges the embedded gateway; it needs no container engine.\n'),
    )
  })

  it('is the same in colour', () => {
    const coloured = doctorText(diagnosis, { colour: true })
    assert.match(coloured, /\x1b\[31m✗ bad/)
    assert.equal(stripVTControlCharacters(coloured), doctorText(diagnosis, { colour: false }))
  })

  it('is one JSON document', () => {
    assert.deepEqual(JSON.parse(doctorJson(diagnosis)), diagnosis)
  })
})
