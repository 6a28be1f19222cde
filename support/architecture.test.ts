import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { PACKAGE_ROOT } from './package-root.ts'

/**
 * The floors of the code, lowest first. A file may import files and types of its own floor and of lower floors. A floor is
 * a folder with all folders in it; the floor `support` has only the single files in that folder.
 */
const FLOORS = [
  'support',
  'support/wire',
  'support/evidence',
  'support/pki',
  'support/engine',
  'support/mailflow',
  'support/catalogue',
  'support/circumstances',
  'support/verdicts',
  'support/judgements',
  'support/lab',
  'support/gateway',
  'support/traffic',
  'support/run',
  'support/reference',
  'support/report',
  'containers',
  'steps',
  'support/bench',
  'support/package',
  'support/cli',
  'support/site',
  'support/api',
  'support/ci',
] as const

/** For each file, the files that it imports. Paths are relative to the package. */
type Imports = ReadonlyMap<string, readonly string[]>

const floorOf = (path: string): number =>
  FLOORS.findLastIndex(floor =>
    floor === 'support' ? dirname(path) === floor : path.startsWith(`${floor}/`),
  )

/** Imports from a higher floor, or of a file that is on no floor, such as a file of the tests. */
function upwards(imports: Imports): string[] {
  return [...imports].flatMap(([file, targets]) =>
    targets
      .filter(target => floorOf(target) < 0 || floorOf(target) > floorOf(file))
      .map(target => `${file} imports ${target}`),
  )
}

/** The files of a circle of imports, from one file back to the same file. Undefined if there is no circle. */
function circle(imports: Imports): string[] | undefined {
  const done = new Set<string>()
  const walk = (file: string, path: readonly string[]): string[] | undefined => {
    const before = path.indexOf(file)
    if (before >= 0) return [...path.slice(before), file]
    if (done.has(file)) return undefined
    for (const target of imports.get(file) ?? []) {
      const found = walk(target, [...path, file])
      if (found) return found
    }
    done.add(file)
    return undefined
  }
  for (const file of imports.keys()) {
    const found = walk(file, [])
    if (found) return found
  }
  return undefined
}

/** `import … from './x.ts'`, `export … from`, `import './x.ts'` and `import('./x.ts')`. */
const importsIn = (file: string, text: string): string[] =>
  [
    ...text.matchAll(
      /^(?:import|export)\b[^'"]*?\bfrom '(\.[^']+\.ts)'|^import '(\.[^']+\.ts)'|\bimport\('(\.[^']+\.ts)'\)/gm,
    ),
  ].map(([, ...found]) => join(dirname(file), found.find(path => path !== undefined)!))

/** The imports of the product's files. Tests and the folder test-bed/ may import anything. */
function importsOfProduct(): Imports {
  const files = globSync('{support,steps,containers}/**/*.ts', { cwd: PACKAGE_ROOT })
    .map(file => file.replaceAll('\\', '/'))
    .filter(file => !/\.(test|suite)\.ts$|^support\/test-bed\/|\/node_modules\//.test(file))
  return new Map(files.map(file => [file, importsIn(file, readFileSync(join(PACKAGE_ROOT, file), 'utf8'))]))
}

describe('the files of the product', () => {
  const imports = importsOfProduct()

  it('are each on a floor', () => {
    assert.ok(imports.size > 150)
    assert.deepEqual(
      [...imports.keys()].filter(file => floorOf(file) < 0),
      [],
    )
    for (const floor of FLOORS)
      assert.ok(
        [...imports.keys()].some(file => FLOORS[floorOf(file)] === floor),
        `${floor} is empty`,
      )
  })

  it('import no file of a higher floor and no file of a test', () => {
    assert.deepEqual(upwards(imports), [])
  })

  it('have no circle of imports', () => {
    assert.equal(circle(imports)?.join(' -> '), undefined)
  })
})

describe('an import that is not allowed', () => {
  const planted = (file: string, text: string): Imports =>
    new Map([...importsOfProduct(), [file, importsIn(file, text)]])

  const UPWARDS: [file: string, text: string, expected: string[]][] = [
    [
      'support/wire/planted.ts',
      "import type { Lab } from '../lab/lab.ts'\n",
      ['support/wire/planted.ts imports support/lab/lab.ts'],
    ],
    [
      'support/process-id.ts',
      "export { Recorder } from './wire/recorder.ts'\n",
      ['support/process-id.ts imports support/wire/recorder.ts'],
    ],
    [
      'support/lab/partner/planted.ts',
      "import {\n  Run,\n} from '../../run/run.ts'\nconst later = () => import('../../cli/check.ts')\n",
      [
        'support/lab/partner/planted.ts imports support/run/run.ts',
        'support/lab/partner/planted.ts imports support/cli/check.ts',
      ],
    ],
    [
      'support/run/planted.ts',
      "import '../test-bed/hostile/bed.ts'\n",
      ['support/run/planted.ts imports support/test-bed/hostile/bed.ts'],
    ],
    ['support/run/planted.ts', "import { Pki } from '../pki/pki.ts'\nimport './run.ts'\n", []],
  ]
  for (const [file, text, expected] of UPWARDS)
    it(`is found in ${file}: ${expected.length}`, () => {
      assert.deepEqual(upwards(planted(file, text)), expected)
    })

  it('is found if files import each other in a circle', () => {
    const text = "import type { Run } from './run.ts'\n"
    assert.match(
      circle(planted('support/run/locks.ts', text))?.join(' ') ?? 'none',
      /support\/run\/(run|locks)\.ts .*support\/run\/(locks|run)\.ts/,
    )
  })
})

describe('the files of the unit tests', () => {
  // A process that is given a file a second time finds it loaded, runs no test of it, and fails without a word.
  it('are each named by one pattern of .mocharc.json', () => {
    const { spec } = JSON.parse(readFileSync(join(PACKAGE_ROOT, '.mocharc.json'), 'utf8')) as {
      spec: string[]
    }
    const found = (patterns: string[]) =>
      patterns.flatMap(pattern => globSync(pattern, { cwd: PACKAGE_ROOT })).sort()
    assert.deepEqual(found(spec), found(['{support,steps,containers}/**/*.test.ts']))
  })
})
