import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs'
import { printable } from '../../wire/printable.ts'
import { CommandFailure, type Following, Lines } from './command.ts'

/** How often a log file is looked at, in ms. Not every file system tells of changes. */
const PACE = 50
/** So much is read at a look, in bytes. */
const MAX_READ = 1024 * 1024

/**
 * Calls `line` for each line that is written to a file from now on. Where another file takes its place, as at a rotation,
 * the rest of the former file comes first; a file that has become shorter is read from its beginning. `ended` is called
 * where the file cannot be read any more. Throws CommandFailure where it cannot be read now.
 */
export function followFile(
  { key, path }: { key: string; path: string },
  { line, ended }: { line: (text: string) => void; ended: (why: CommandFailure) => void },
): Following {
  const buffer = Buffer.alloc(MAX_READ)
  let isOver = false
  const told = (text: string) => {
    if (!isOver) line(text)
  }
  let lines = new Lines(told)
  let file = opened(key, path)
  let position = fstatSync(file).size

  /** Whether more may be there. */
  const read = (): boolean => {
    if (fstatSync(file).size < position) position = 0
    const count = readSync(file, buffer, 0, MAX_READ, position)
    position += count
    lines.add(buffer.subarray(0, count))
    return count === MAX_READ
  }
  const look = () => {
    try {
      if (read() || isOver) return
      const now = statSync(path, { throwIfNoEntry: false })
      // Between two files of a rotation there may be none.
      if (!now || isSame(now, fstatSync(file))) return
      const next = opened(key, path)
      closeSync(file)
      file = next
      position = 0
      lines = new Lines(told)
    } catch (error) {
      clearInterval(timer)
      ended(failure(key, path, error))
    }
  }
  const timer = setInterval(look, PACE)
  return {
    async stop() {
      if (isOver) return
      isOver = true
      clearInterval(timer)
      closeSync(file)
    },
  }
}

/** A pipe would block whoever opens it. */
function opened(key: string, path: string): number {
  try {
    if (statSync(path).isFile()) return openSync(path, 'r')
  } catch (error) {
    throw failure(key, path, error)
  }
  throw new CommandFailure(key, `${path} is not a file`)
}

function failure(key: string, path: string, error: unknown): CommandFailure {
  if (error instanceof CommandFailure) return error
  return new CommandFailure(key, `${path} cannot be read: ${printable((error as Error).message)}`)
}

const isSame = (one: { dev: number; ino: number }, other: { dev: number; ino: number }) =>
  one.dev === other.dev && one.ino === other.ino
