import assert from 'node:assert/strict'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type VerdictsDocument, verdictsDocument } from '../report/run-record.ts'
import { type Ended, startCommand } from '../test-bed/fixtures/command.ts'
import { REPORT_FILES } from '../test-bed/fixtures/report-files.ts'
import { largeRun } from '../test-bed/fixtures/sample-run.ts'
import { keepsMatrixSchema, keepsVerdictsSchema } from '../test-bed/fixtures/schemas.ts'

describe('the command', () => {
  let folder: string
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'command-'))
  })
  after(() => rmSync(folder, { recursive: true }))

  type Environment = Record<string, string>
  const started = (
    args: string[],
    environment: Environment = {},
  ): { child: ChildProcess; ended: Promise<Ended>; said: () => string } => {
    const { child, printed, ended } = startCommand(args, {
      cwd: folder,
      detached: true,
      env: { TMPDIR: folder, ...environment },
    })
    // On a busy machine stopping takes longer than two seconds, and the command says so.
    const result = (all: Ended) => ({ ...all, err: all.err.replace(/^mail-tls: stopping .*\n/m, '') })
    return { child, ended: ended.then(result), said: () => printed.out + printed.err }
  }
  const run = (...args: (string | Environment)[]) => {
    const words = args.filter(word => typeof word === 'string')
    return started(words, ...args.filter(word => typeof word === 'object')).ended
  }
  const verdicts = (dir: string) =>
    JSON.parse(readFileSync(join(folder, dir, 'verdicts.json'), 'utf8')) as VerdictsDocument

  const refused = (what: string, args: string[], message: RegExp) =>
    it(`refuses ${what} clearly, with status 2, before anything starts`, async () => {
      const { status, out, err } = await run(...args)
      assert.equal(status, 2)
      assert.equal(out, '')
      assert.match(err, message)
      assert.ok(err.trim().split('\n').length <= 2, 'at most a sentence and a suggestion')
      assert.ok(!existsSync(join(folder, 'reports')))
    })

  refused('an unknown gateway', ['check', 'harakka'], /no gateway harakka; did you mean haraka\?/)
  refused(
    'an unknown profile',
    ['check', '--profile', 'exchange'],
    /no profile exchange; there are gateway-base, exchange-online-2018/,
  )
  refused(
    'an unknown requirement',
    ['check', '--requirement', 'EXO-FRC-99'],
    /no requirement EXO-FRC-99; did you mean/,
  )
  refused(
    'a requirement without a test',
    ['check', '--requirement', 'EXO-FRC-16'],
    /EXO-FRC-16 is not tested: the service attributes/,
  )
  refused('a bad tag expression', ['check', '--tags', '@sender and ('], /--tags/)
  refused('tags that nothing has', ['check', '--tags', '@nobody'], /nothing to run/)
  refused('a bad shard', ['check', '--shard', '3/2'], /--shard: "3\/2"/)
  refused('a bad number', ['check', '--parallel', 'many'], /whole number from 1 to 64/)
  refused('an unknown option', ['check', '--profil', 'x'], /--profil/)
  refused('an unknown command', ['chekc'], /chekc/)
  refused('an earlier report that is none', ['check', '--since', 'none'], /none: this is no report/)
  refused(
    'an earlier matrix without a report of the gateway',
    ['matrix', 'reference', '--since', 'none'],
    /none: has no report of reference/,
  )
  refused(
    'a missing deviations file',
    ['check', '--deviations', 'none.yaml'],
    /none\.yaml: there is no such file/,
  )

  it('refuses a report folder that is not its own, and leaves it alone', async () => {
    writeFileSync(join(folder, 'precious'), 'text')
    const { status, err } = await run('check', '--report', 'precious')
    assert.equal(status, 2)
    assert.match(err, /precious: a report needs a folder/)
    assert.equal(readFileSync(join(folder, 'precious'), 'utf8'), 'text')
  })

  for (const command of ['check', 'matrix'])
    it(`refuses a folder that ${command} cannot write to, before anything starts`, async () => {
      const { status, out, err } = await run(command, 'haraka', '--report', '/proc/reports/haraka')
      assert.deepEqual([status, out], [2, ''])
      assert.match(err, /^mail-tls: \/proc\/reports\/haraka: the report cannot be written: /)
    })

  it('judges one requirement and writes the whole report', async () => {
    const { status, out, err } = await run('check', '--requirement', 'EXO-FRC-01', '--report', 'one')
    assert.equal(err, '')
    assert.equal(status, 0)
    assert.match(out, /haraka .* keeps the one requirement that applies/)
    assert.deepEqual(readdirSync(join(folder, 'one')).sort(), ['evidence', ...REPORT_FILES])
    assert.doesNotMatch(out, /not part of this run/)
    assert.match(
      readFileSync(join(folder, 'one/summary.md'), 'utf8'),
      /To run it again: npx mail-tls check --requirement EXO-FRC-01 --report one/,
    )
    const { totals, verdicts: judged, gateway } = verdicts('one')
    assert.equal(totals.conformant, judged.length)
    assert.equal(gateway.kind, 'embedded')
    assert.deepEqual(new Set(judged.map(({ requirement }) => requirement)), new Set(['EXO-FRC-01']))
    assert.deepEqual(new Set(judged.map(({ control }) => control)), new Set([true, false]))
    for (const { evidence } of judged)
      assert.ok(existsSync(join(folder, 'one', evidence!, 'conversation-1.json')))
  })

  it('says what changed since the report that it is told of, even one that it replaces, and of no other', async () => {
    const once = ['check', 'reference', '--requirement', 'EXO-FRC-01', '--report', 'again']
    mkdirSync(join(folder, 'again'))
    const older = verdictsDocument(largeRun(2), [])
    writeFileSync(join(folder, 'again/verdicts.json'), JSON.stringify(older))
    const plain = await run(...once)
    assert.doesNotMatch(plain.out, /Since/)
    const earlier = verdicts('again')
    assert.ok(!('since' in earlier))
    const [first, ...others] = earlier.verdicts
    const changed = { ...earlier, verdicts: [{ ...first!, verdict: 'non-conformant' }, ...others.slice(1)] }
    writeFileSync(join(folder, 'again/verdicts.json'), JSON.stringify(changed))
    const { status, out, err } = await run(...once, '--since', 'again')
    assert.deepEqual([status, err], [0, ''])
    assert.match(
      out,
      /\nSince the run of \d{4}-.*:\nBetter: 1 example\nEXO-FRC-01 {2}non-conformant → conformant .*(\n .*)*\n\nJudged now and not before, and not broken: 1 example\n\n/,
    )
    const later = verdicts('again')
    keepsVerdictsSchema(later)
    assert.equal(later.since!.startedAt, earlier.startedAt)
    assert.match(readFileSync(join(folder, 'again/summary.md'), 'utf8'), /\| Better \| EXO-FRC-01 \|/)
  })

  it('says what to do where no container engine answers', async () => {
    const { status, err } = await run('check', 'chasquid', { DOCKER_HOST: `unix://${folder}/none` })
    assert.equal(status, 2)
    assert.match(err, /^mail-tls: no container engine answers.*; mail-tls doctor tells what to do\n$/)
  })

  it('tells of a matrix what it judges, and what became of each gateway', async () => {
    const { out } = await run('matrix', 'chasquid', 'sendmail', 'none.yaml', '--report', 'a-matrix', {
      DOCKER_HOST: `unix://${folder}/none`,
    })
    const [first, ...ends] = out.split('\n')
    assert.match(first!, /^judging chasquid, sendmail, none \([123] at a time\)$/)
    assert.deepEqual(
      ends.slice(0, 3).sort(),
      ['chasquid', 'none', 'sendmail'].map(name => `${name}: exit status 2, no result`),
    )
  })

  it('judges a matrix as it is told, and writes what keeps to its schema', async () => {
    const dir = 'told-matrix'
    const wrong = await run('matrix', 'reference', '--profile', 'dame', '--report', dir)
    assert.deepEqual([wrong.status, wrong.out], [2, ''])
    assert.match(wrong.err, /there is no profile dame/)
    writeFileSync(join(folder, 'told.yaml'), '[]')
    const told = ['--strict', '--profile', 'submission', '--deviations', 'told.yaml']
    const { status, err } = await run('matrix', 'reference', ...told, '--report', dir)
    assert.equal(status, 0, err)
    const { strict, profiles, command } = verdicts(`${dir}/reference`)
    assert.deepEqual([strict, profiles], [true, ['submission']])
    assert.match(command, /--deviations told\.yaml/)
    keepsVerdictsSchema(verdicts(`${dir}/reference`))
    const written = () => JSON.parse(readFileSync(join(folder, dir, 'matrix.json'), 'utf8'))
    keepsMatrixSchema(written())
    const again = await run('matrix', 'reference', ...told, '--since', dir, '--report', dir)
    assert.match(again.out, /^reference 1: exit status 0, .*, since \d{4}-\d\d-\d\d nothing changed$/m)
    assert.match(written().columns[0].since, /^since \d{4}-\d\d-\d\d nothing changed$/)
  })

  it('has no result of a child of a matrix that was killed, whatever lies in its folder', async () => {
    const dir = 'b-matrix/reference'
    const before = await run('check', 'reference', '--requirement', 'EXO-FRC-01', '--report', dir)
    assert.equal(before.status, 0, before.err)
    const { child, ended } = started(['matrix', 'reference', '--report', 'b-matrix'])
    // Asked, because nobody tells of the child of another process; bounded by the test's own time-out.
    while (childrenOf(child.pid!).length === 0) await new Promise(resolve => setTimeout(resolve, 10))
    process.kill(childrenOf(child.pid!)[0]!, 'SIGKILL')
    const { status, out, err } = await ended
    assert.match(out, /^reference: exit status 2, no result$/m)
    assert.deepEqual([status, err], [2, 'mail-tls: reference: the run was ended by SIGKILL\n'])
    const { totals, verdicts: judged } = verdicts(dir)
    assert.equal(totals.conformant, judged.length, 'the older report is left alone')
  })

  it('joins the shards of a run, and calls fewer than all of them partial', async () => {
    const of = ['--requirement', 'EXO-FRC-01', '--requirement', 'EXO-OPP-01']
    for (const part of [1, 2]) {
      const { status, err } = await run('check', ...of, '--shard', `${part}/2`, '--report', `part-${part}`)
      assert.equal(status, 0, err)
    }
    assert.deepEqual(verdicts('part-2').shard, { index: 2, count: 2 })
    const part = await run('merge', 'part-1', '--report', 'fewer')
    assert.deepEqual(
      [part.status, part.err],
      [2, 'mail-tls: haraka: part 2 of 2 is missing, so what is merged is partial\n'],
    )
    assert.match(part.out, /^\nPart 2 of 2 is missing; \d+ examples were judged; haraka/)
    assert.match(
      part.out,
      /\nExit status {2}2 {2}Nothing can be said about the gateway: a part of the run is\n +missing\./,
    )
    assert.deepEqual(verdicts('fewer').missing, { shards: [2], count: 2 })
    keepsVerdictsSchema(verdicts('fewer'))
    const { status, out, err } = await run('merge', 'part-1', 'part-2', '--report', 'merged')
    assert.equal(err, '')
    assert.equal(status, 0)
    assert.match(out, /^\nharaka .* keeps all 2 requirements that apply/)
    assert.match(out, /\nExit status {2}0 .*\nReport {7}merged\/report\.html\n$/)
    assert.match(
      readFileSync(join(folder, 'merged/summary.md'), 'utf8'),
      /To run it again: npx mail-tls merge part-1 part-2 --report merged/,
    )
  })

  it('says of a merged report that a part of it is partial', async () => {
    const file = join(folder, 'part-2/verdicts.json')
    writeFileSync(file, JSON.stringify({ ...verdicts('part-2'), partial: true, planned: 9 }))
    const { status, out, err } = await run('merge', 'part-1', 'part-2', '--report', 'half')
    assert.equal(status, 2)
    assert.match(out, /^\nThe run was interrupted after \d+ of \d+ examples; haraka/)
    assert.match(err, /^mail-tls: part-2: this report is partial: \d+ of 9 examples\n$/)
    assert.deepEqual([verdicts('half').partial, verdicts('half').exit], [true, 2])
  })

  it('says nothing can be said when all that ran was inapplicable', async () => {
    const { status, out } = await run('check', '--requirement', 'EXO-FRC-06', '--report', 'none')
    assert.equal(status, 2)
    assert.match(out, /No requirement applies/)
  })

  it('calls a recorded deviation stale when it does not show', async () => {
    writeFileSync(
      join(folder, 'deviations.yaml'),
      '- requirement: EXO-FRC-01\n  symptom: arrived unencrypted\n  why: for the test\n  since: 2026-11-24\n',
    )
    const { status } = await run(
      'check',
      '--requirement',
      'EXO-FRC-01',
      '--report',
      'stale',
      '--deviations',
      'deviations.yaml',
    )
    assert.equal(status, 1)
    assert.equal(verdicts('stale').totals.stale, 1)
  })

  it('proposes a deviations file with which the next run passes, and never overwrites one', async () => {
    writeFileSync(join(folder, 'empty.yaml'), '[]\n')
    const judge = (...more: string[]) =>
      run('check', '--requirement', 'EXO-FRC-14', '--report', 'proposing', ...more)
    const found = await judge('--deviations', 'empty.yaml', '--write-deviations', 'proposed.yaml')
    assert.equal(found.status, 1, found.err)
    const proposed = readFileSync(join(folder, 'proposed.yaml'), 'utf8')
    assert.equal(proposed.match(/^- requirement: EXO-FRC-14$/gm)?.length, 1, proposed)
    const [, schema] = /^# yaml-language-server: \$schema=(\S+)\n/.exec(proposed)!
    assert.equal(
      JSON.parse(readFileSync(join(folder, schema!), 'utf8')).title,
      'Known deviations of one gateway',
    )
    const excused = await judge('--deviations', 'proposed.yaml')
    assert.equal(excused.status, 0, excused.out)
    const refused = await judge('--write-deviations', 'proposed.yaml')
    assert.deepEqual(
      [refused.status, refused.out, refused.err],
      [2, '', 'mail-tls: --write-deviations proposed.yaml: this exists already and is not overwritten\n'],
    )
    assert.equal(readFileSync(join(folder, 'proposed.yaml'), 'utf8'), proposed)
  }).timeout(180_000)

  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    it(`leaves a partial report after ${signal}, and nothing else`, async () => {
      const { child, ended, said } = started(['check', '--report', signal, '--strict'])
      await outputOf(child, said, /\d+ of \d+ examples/)
      const servers = childrenOf(child.pid!)
      assert.ok(servers.length > 0)
      child.kill(signal)
      const { status, out, err } = await ended
      const [, done, planned] =
        new RegExp(
          `^mail-tls: ended by ${signal}; the report is partial, with (\\d+) of (\\d+) examples\n$`,
        ).exec(err) ?? assert.fail(err)
      assert.equal(status, 2)
      const document = verdicts(signal)
      assert.deepEqual([document.partial, document.exit, document.strict], [true, 2, true])
      assert.deepEqual([document.verdicts.length, document.planned], [Number(done), Number(planned)])
      assert.ok(document.verdicts.every(({ verdict }) => verdict !== 'lab-error' && verdict !== 'stale'))
      assert.match(out, new RegExp(`\nThe run was interrupted after ${done} of ${planned} examples;`))
      assert.match(
        out,
        /\nExit status {2}2 {2}Nothing can be said about the gateway: the run was\s+interrupted\./,
      )
      const messages = readFileSync(join(folder, signal, 'messages.ndjson'), 'utf8').split('\n')
      const finished = messages.filter(line => JSON.parse(line).testCaseFinished)
      assert.ok(finished.length >= Number(done), `${finished.length} of ${done}`)
      await goneAll(servers)
      assert.deepEqual(left(), [])
    })

  it('ends at once at a second SIGINT, and leaves nothing behind', async () => {
    const { child, ended, said } = started(['check', '--report', 'twice'])
    await outputOf(child, said, /\d+ of \d+ examples/)
    const servers = childrenOf(child.pid!)
    child.kill('SIGINT')
    // Two signals at once may reach the process as one. Stopping the gateway takes longer than this.
    await new Promise(resolve => setTimeout(resolve, 100))
    child.kill('SIGINT')
    const { status, err } = await ended
    assert.deepEqual([status, err], [2, ''])
    await goneAll(servers)
    assert.deepEqual(left(), [])
    assert.deepEqual(
      readdirSync(folder).filter(name => name.includes('twice')),
      [],
    )
  })

  const left = () => readdirSync(folder).filter(name => name.startsWith('mail-tls-'))

  it('leaves nothing behind of a run that is only starting', async () => {
    const { child, ended } = started(['check', '--report', 'interrupted'])
    await folders(folder, 1)
    process.kill(-child.pid!, 'SIGINT')
    const { status, err } = await ended
    assert.deepEqual(
      [status, err],
      [2, 'mail-tls: ended by SIGINT; nothing was judged, and no report was written\n'],
    )
    assert.deepEqual(left(), [])
  })

  for (const [whom, sign] of [
    ['its whole process group', -1],
    ['it alone', 1],
  ] as const)
    it(`leaves nothing behind of a matrix after a signal to ${whom}`, async () => {
      const { child, ended } = started(['matrix', 'haraka', 'reference', '--report', 'no-matrix'])
      await folders(folder, 1)
      const children = childrenOf(child.pid!)
      process.kill(sign * child.pid!, 'SIGINT')
      const { status, err } = await ended
      assert.deepEqual(
        [status, err],
        [2, 'mail-tls: ended by SIGINT; nothing was judged, and no matrix was written\n'],
      )
      assert.deepEqual(left(), [])
      assert.deepEqual(
        children.filter(pid => existsSync(`/proc/${pid}`)),
        [],
      )
      assert.deepEqual(readdirSync(join(folder, 'no-matrix')), [])
    })

  it('writes a matrix of what was judged when it is interrupted', async () => {
    let connections = 0
    const { promise: busy, resolve } = Promise.withResolvers<void>()
    const server = createServer(socket => {
      socket.on('error', () => {})
      socket.on('data', () => socket.write('500 no\r\n'))
      socket.write('220 gateway.test\r\n')
      if (++connections === 30) resolve()
    })
    await once(server.listen(0, '127.0.0.1'), 'listening')
    try {
      const { port } = server.address() as AddressInfo
      await run('init', 'slow.yaml')
      const file = join(folder, 'slow.yaml')
      const text = readFileSync(file, 'utf8').replace('127.0.0.1:2525', `127.0.0.1:${port}`)
      writeFileSync(file, text.replace(/^outbound:[\s\S]*?(?=^pki:)/m, ''))
      const { child, ended } = started(['matrix', 'slow.yaml', '--report', 'half-matrix'])
      await busy
      child.kill('SIGINT')
      const { status, out, err } = await ended
      assert.equal(status, 2, err)
      assert.match(out, /^slow: exit status 2, partial, /m)
      assert.match(err, /^mail-tls: ended by SIGINT; the matrix has results of 1 of 1 gateway$/m)
      const { columns } = JSON.parse(readFileSync(join(folder, 'half-matrix/matrix.json'), 'utf8'))
      assert.equal(columns[0].outcome, 'partial')
      assert.equal(verdicts('half-matrix/slow').partial, true)
    } finally {
      server.close()
    }
  })

  it('leaves no server behind when it is killed, and the next run sweeps the rest', async () => {
    const { child, ended, said } = started(['check', '--report', 'killed'])
    await outputOf(child, said, /examples/)
    const servers = childrenOf(child.pid!)
    child.kill('SIGKILL')
    await ended
    await goneAll(servers)
    await run('check', '--requirement', 'EXO-FRC-01', '--report', 'next')
    assert.deepEqual(
      readdirSync(folder).filter(name => name.startsWith('mail-tls-')),
      [],
    )
  })
})

/** Resolves when the output matches; the end of the process rejects. */
function outputOf(child: ChildProcess, said: () => string, pattern: RegExp): Promise<void> {
  return new Promise((resolve, reject) => {
    child.stdout!.on('data', () => pattern.test(said()) && resolve())
    child.on('close', () => reject(new Error(`ended before it said ${pattern}: ${said()}`)))
  })
}

/** Polls until runs have made so many folders; bounded by the test's own time-out. */
async function folders(folder: string, count: number): Promise<void> {
  while (readdirSync(folder).filter(name => name.startsWith('mail-tls-')).length < count)
    await new Promise(resolve => setTimeout(resolve, 10))
}

function childrenOf(pid: number): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
    .trim()
    .split(' ')
    .filter(Boolean)
    .map(Number)
}

/** Polls, because a process that is not our child tells nobody when it ends; bounded by the test's own time-out. */
async function goneAll(pids: number[]): Promise<void> {
  while (pids.some(pid => existsSync(`/proc/${pid}`))) await new Promise(resolve => setTimeout(resolve, 10))
}
