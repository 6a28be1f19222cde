import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { loadCatalogue } from '../catalogue/catalogue.ts'
import { jsonText } from '../json-text.ts'
import { type Column, matrixHtml, matrixMarkdown, matrixOf } from '../report/matrix.ts'
import { commit } from './commit.ts'
import { complain } from './complain.ts'

const FILES = ['matrix.html', 'matrix.md', 'matrix.json'] as const

/** Writes the pages over all gateways into the folder of their reports, and returns the exit status. */
export async function writeMatrix(
  columns: readonly Column[],
  report: string,
  version: string,
): Promise<0 | 1 | 2> {
  const made = matrixOf(columns, loadCatalogue().requirements, {
    suite: { name: 'mail-tls-conformance', version, commit: commit() },
    at: new Date(),
  })
  const [html, markdown, json] = FILES
  await writeFile(join(report, html), matrixHtml(made))
  await writeFile(join(report, markdown), matrixMarkdown(made))
  await writeFile(join(report, json), jsonText({ schema: 1, ...made }))
  for (const column of columns) if ('failure' in column) complain(`${column.name}: ${column.failure}`)
  process.stdout.write(
    `${made.rows.length} requirements, ${columns.length} gateways: ${join(report, 'matrix.html')}\n`,
  )
  const statuses = columns.map(column => ('failure' in column ? 2 : column.document.exit))
  return statuses.includes(2) ? 2 : statuses.includes(1) ? 1 : 0
}

/**
 * The folder of the report of each gateway, in the folder of the pages: the characters of the name that are safe in a
 * folder's name (`postfix@bullseye`), and a number where another gateway has the same folder already, also on a file
 * system that does not tell capitals.
 */
export function foldersOf(names: readonly string[]): string[] {
  const taken = new Set<string>(FILES)
  return names.map(name => {
    const plain = name.replace(/[^\w@.-]/g, '_').replace(/^\.+/, '_') || 'gateway'
    let folder = plain
    for (let number = 2; taken.has(folder.toLowerCase()); number++) folder = `${plain}-${number}`
    taken.add(folder.toLowerCase())
    return folder
  })
}
