import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'
import { PACKAGE_ROOT } from '../package-root.ts'
import { engineOrSkip } from '../test-bed/fixtures/test-engine.ts'

const run = promisify(execFile)

const PNPM = 'pnpm@12.21.0'
/** For the lab's image where the engine reaches no public image, and for machines with an older Node. */
const NODE = Object.entries(
  JSON.parse(readFileSync(join(PACKAGE_ROOT, 'support/node/package.json'), 'utf8')).optionalDependencies,
)
  .filter(([name]) => name === `node-${process.platform}-${process.arch}`)
  .map(([name, version]) => `${name}@${version}`)

/** What a user writes who embeds the suite in tests. */
const PROGRAM = `
import { check, NothingJudged, requirements, type VerdictsDocument } from 'mail-tls-conformance'

const judged: VerdictsDocument = await check('haraka', { requirements: ['RFC3207-07'], quiet: false })
`

describe('the package', function () {
  this.timeout(300_000)
  let folder: string
  let tarball: string
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'package-'))
    await run('npm', ['run', '--silent', 'build'], { cwd: PACKAGE_ROOT })
    await run('npm', ['pack', '--pack-destination', folder], { cwd: PACKAGE_ROOT })
    tarball = join(folder, globSync('*.tgz', { cwd: folder })[0]!)
  })
  after(() => rmSync(folder, { recursive: true }))

  /** A folder of a user's that has the package. */
  const installed = async (name: string, install: (cwd: string) => Promise<unknown>) => {
    const cwd = join(folder, name)
    mkdirSync(cwd)
    writeFileSync(join(cwd, 'package.json'), '{ "name": "user", "private": true, "type": "module" }')
    await install(cwd)
    return cwd
  }
  const mailTls = (cwd: string, ...args: string[]) =>
    run(join(cwd, 'node_modules/.bin/mail-tls'), args, { cwd }).then(
      ({ stdout }) => ({ status: 0, stdout, stderr: '' }),
      ({ code, stdout, stderr }) => ({ status: code, stdout, stderr }),
    )

  describe('that npm has installed in a folder of its own', () => {
    let user: string
    before(async () => {
      user = await installed('npm', cwd =>
        run('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', tarball, ...NODE], { cwd }),
      )
    })

    it('judges Haraka', async () => {
      const { status, stdout } = await mailTls(user, 'check', '--requirement', 'RFC3207-07', '--json')
      assert.equal(status, 0)
      const { totals, gateway } = JSON.parse(stdout)
      assert.equal(gateway.name, 'haraka')
      assert.ok(totals.conformant > 0)
    })

    it('judges Postfix in a container', async function () {
      await engineOrSkip(this)
      const { status, stdout } = await mailTls(
        user,
        'check',
        'postfix',
        '--requirement',
        'RFC3207-07',
        '--json',
      )
      assert.equal(status, 0)
      assert.ok(JSON.parse(stdout).totals.conformant > 0)
    })

    it('can be imported', async () => {
      writeFileSync(
        join(user, 'judge.js'),
        `import { check, NothingJudged, requirements } from 'mail-tls-conformance'
const { exit, totals } = await check('haraka', { requirements: ['RFC3207-07'], report: 'embedded' })
const nothing = await check('smtp://127.0.0.1:1').catch(error => error)
console.log(JSON.stringify({
  exit, totals, known: requirements({ profile: 'starttls-base' }).length, nothing: nothing instanceof NothingJudged,
}))`,
      )
      const { stdout } = await run(process.execPath, ['judge.js'], { cwd: user })
      const { exit, totals, known, nothing } = JSON.parse(stdout)
      assert.deepEqual([exit, nothing], [0, true])
      assert.ok(totals.conformant > 0 && known > 10)
    })

    it('has a schema of what it writes', async () => {
      const written = await mailTls(user, 'check', '--requirement', 'RFC3207-07', '--json')
      writeFileSync(join(user, 'verdicts.json'), written.stdout)
      writeFileSync(
        join(user, 'validate.js'),
        `import { readFileSync } from 'node:fs'
import schema from 'mail-tls-conformance/schemas/verdicts.json' with { type: 'json' }
for (const name of ['matrix', 'probe', 'gateway-file', 'deviations'])
  await import('mail-tls-conformance/schemas/' + name + '.json', { with: { type: 'json' } })
const { schema: number, ...document } = JSON.parse(readFileSync('verdicts.json', 'utf8'))
console.log(number === schema.properties.schema.const, schema.required.filter(key => key !== 'schema' && !(key in document)).length)`,
      )
      const { stdout } = await run(process.execPath, ['validate.js'], { cwd: user })
      assert.equal(stdout, 'true 0\n')
    })

    it('has types', async () => {
      const tsc = (text: string) => {
        writeFileSync(join(user, 'judge.ts'), text)
        return run(
          process.execPath,
          [
            join(PACKAGE_ROOT, 'node_modules/typescript/bin/tsc'),
            ...['--noEmit', '--strict', '--module', 'nodenext', '--target', 'esnext', '--skipLibCheck'],
            ...['--types', 'node', '--typeRoots', join(PACKAGE_ROOT, 'node_modules/@types'), 'judge.ts'],
          ],
          { cwd: user },
        ).then(
          () => '',
          ({ stdout }) => stdout as string,
        )
      }
      assert.match(await tsc(PROGRAM), /'quiet' does not exist in type 'CheckOptions'/)
      assert.equal(await tsc(PROGRAM.replace(', quiet: false', '')), '')
    })
  })

  it('works if pnpm has installed it, where it reaches only what it declares', async () => {
    const tool = await installed('tool', cwd =>
      run('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', PNPM], { cwd }),
    )
    const path = [join(tool, 'node_modules/.bin'), process.env.PATH].join(delimiter)
    const user = await installed('pnpm', cwd =>
      run('pnpm', ['add', '--ignore-scripts', '--store-dir', join(folder, 'store'), tarball, ...NODE], {
        cwd,
        env: { ...process.env, PATH: path },
      }),
    )
    const { status, stdout } = await mailTls(user, 'check', '--requirement', 'RFC3207-07', '--json')
    assert.equal(status, 0)
    assert.ok(JSON.parse(stdout).totals.conformant > 0)
  })
})
