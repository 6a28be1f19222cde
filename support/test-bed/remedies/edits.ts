import type { RenderedFile } from '../../gateway/adapter.ts'

/** A part of a product's file; `breakages.schema.json` explains the keys. */
export interface Part {
  file: string
  from?: string
  to?: string
  setting?: string
  at?: 'beginning' | 'end'
}

/** Lines for a part of a file. */
export interface Edit {
  part: Part
  lines: string[]
}

/** The files with the lines of the edits, one edit after the other. Throws where a file does not have the part. */
export const edited = (files: readonly RenderedFile[], edits: readonly Edit[]): RenderedFile[] =>
  edits.reduce<readonly RenderedFile[]>(withEdit, files) as RenderedFile[]

function withEdit(files: readonly RenderedFile[], { part, lines }: Edit): RenderedFile[] {
  if (!files.some(({ path }) => path === part.file)) throw new Error(`there is no file ${part.file}`)
  return files.map(file =>
    file.path === part.file ? { ...file, content: withLines(file.content, part, lines) } : file,
  )
}

/** A text with lines in a part of it. */
export function withLines(text: string, part: Part, lines: readonly string[]): string {
  const all = text.replace(/\n$/, '').split('\n')
  const start = part.from === undefined ? 0 : all.findIndex(line => new RegExp(part.from!).test(line))
  if (start < 0) throw new Error(`${part.file} has no line ${part.from}`)
  const next =
    part.to === undefined ? -1 : all.findIndex((line, at) => at > start && new RegExp(part.to!).test(line))
  const end = next < 0 ? all.length : next

  const nameOf = (line: string) =>
    part.setting === undefined ? undefined : new RegExp(part.setting).exec(line)?.[0].trim()
  let inside = all.slice(start, end)
  let place = part.at === 'end' ? inside.length : Number(part.from !== undefined)
  for (const line of lines) {
    const name = nameOf(line)
    const at = name === undefined ? -1 : inside.findIndex(other => nameOf(other) === name)
    if (at < 0) inside = inside.toSpliced(place++, 0, line)
    else {
      const indented = /^\s*/.exec(inside[at]!)![0] + line.trimStart()
      inside = inside.flatMap((other, i) => (i === at ? indented : nameOf(other) === name ? [] : other))
    }
  }
  return `${[...all.slice(0, start), ...inside, ...all.slice(end)].join('\n')}\n`
}
