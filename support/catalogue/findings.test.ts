import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { bundledGateway } from '../../containers/index.ts'
import { PACKAGE_ROOT } from '../package-root.ts'
import { loadDeviations } from '../verdicts/deviations.ts'
import { loadCatalogue } from './catalogue.ts'

const FOLDER = join(PACKAGE_ROOT, 'docs/findings')
const HEADINGS = [
  ...['How to see it', 'What the standard says', 'What comes of it', 'What a maintainer needs'],
] as const

describe('the pages about faults of products', () => {
  const pages = globSync('*.md', { cwd: FOLDER }).filter(name => name !== 'README.md')
  const index = readFileSync(join(FOLDER, 'README.md'), 'utf8')

  for (const name of pages)
    describe(basename(name, '.md'), () => {
      const text = readFileSync(join(FOLDER, name), 'utf8')
      const [, title] = /^# (.*)\n/.exec(text)!
      const row = (key: string) => new RegExp(`^\\| ${key} \\| (.*) \\|$`, 'm').exec(text)?.[1] ?? ''
      const command = /^ {4}npx mail-tls check (\S+) --requirement (\S+)/m.exec(text)!
      const [, gateway, requirement] = command as unknown as [string, string, string]

      it('has the parts that a maintainer needs, and its line in the list', () => {
        assert.deepEqual(
          [...text.matchAll(/^## (.*)$/gm)].map(([, heading]) => heading),
          HEADINGS,
        )
        assert.ok(index.includes(`- [${title}](${name})\n`))
        assert.match(row('product'), /\d/)
        assert.match(text, /\n## What the standard says\n\n[\s\S]*(RFC \d+|No standard|The standards)/)
      })

      it('shows the fault with three commands, the second of which judges', () => {
        const [, commands] = /:\n\n((?: {4}\S.*\n)+)\nThe second command/.exec(text)!
        const lines = commands!.trim().split('\n')
        assert.equal(lines.length, 3)
        assert.ok(lines[2]!.includes(`reports/${gateway}/`), lines[2])
      })

      it('is about a fault that is recorded, in the releases that it names', () => {
        const { deviations } = bundledGateway(gateway)
        const recorded = loadDeviations(deviations!).filter(one => one.requirement === requirement)
        loadCatalogue().get(requirement)
        assert.ok(row('requirement').startsWith(requirement))
        assert.ok(
          recorded.some(
            one => row('releases').startsWith(`\`${one.versions}\``) && one.since === row('seen since'),
          ),
          `${row('releases')}, ${row('seen since')}`,
        )
      })
    })
})
