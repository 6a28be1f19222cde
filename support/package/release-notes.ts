/**
 * `npm run release-notes TAG` prints the section of CHANGELOG.md for a tag such as `v1.2.0`. The exit status is 2 where the
 * tag is not the version in package.json, or where the section is missing or empty.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { InputError } from '../input-error.ts'
import { PACKAGE_ROOT } from '../package-root.ts'

/** Throws InputError. `changelog`: in the format of Keep a Changelog. */
export function releaseNotes(tag: string, version: string, changelog: string): string {
  if (tag !== `v${version}`)
    throw new InputError(`the tag ${tag} is not the version of package.json, v${version}`)
  const sections = changelog.split(/^## /m).slice(1)
  const section = sections.find(one => one.startsWith(`${version} `) || one.startsWith(`[${version}]`))
  if (section === undefined) throw new InputError(`CHANGELOG.md: there is no section "## ${version} - DATE"`)
  const text = section.slice(section.indexOf('\n')).trim()
  if (text === '') throw new InputError(`CHANGELOG.md: the section of ${version} is empty`)
  return `${text}\n`
}

if (import.meta.main) {
  const read = (file: string) => readFileSync(join(PACKAGE_ROOT, file), 'utf8')
  try {
    const [tag = ''] = process.argv.slice(2)
    process.stdout.write(releaseNotes(tag, JSON.parse(read('package.json')).version, read('CHANGELOG.md')))
  } catch (error) {
    if (!(error instanceof InputError)) throw error
    console.error(`release-notes: ${error.message}`)
    process.exitCode = 2
  }
}
