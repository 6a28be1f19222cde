import { type ChildProcess, spawn } from 'node:child_process'
import { GatewayFailure } from '../../gateway-failure.ts'
import { RUN_MARK, RUN_VARIABLE } from '../../leftovers.ts'
import { duration } from '../../quantities.ts'
import { printable } from '../../wire/printable.ts'

/** A command of a gateway file. It runs on this machine, in the folder of the file. */
export interface Command {
  /** The key in the gateway file, such as `commands.retry`. */
  readonly key: string
  /** The program and its arguments. What the file has as one text is `sh -c TEXT`. */
  readonly argv: readonly [string, ...string[]]
  readonly folder: string
  /** An environment variable that the command does not get: it has the password of the user. */
  readonly without?: string
}

/** So many bytes of what a command prints are read; a queue with ten thousand messages has about 2 MB. */
const MAX_OUTPUT = 8 * 1024 * 1024
/** So many characters of the last words of a command are shown. */
const MAX_WORDS = 500
/** How long the output of a command that has ended may stay open, in ms: a daemon that it has started may hold it. */
const REST = 500

/**
 * A command of the gateway file failed, or wrote or took too much: the set-up is at fault and never the gateway. The
 * message has the key and the last words of the command, printable.
 */
export class CommandFailure extends GatewayFailure {
  override name = 'CommandFailure'

  constructor(key: string, what: string, words = '') {
    const last = printable(words.trim().slice(-MAX_WORDS), MAX_WORDS)
    super(`${key}: ${what}${last === '' ? '' : `; its last words: ${last}`}`)
  }
}

const RUN_IS_OVER = 'was ended, because the run is over'

/** The process groups of commands that run now. They end with this process. */
const groups = new Set<number>()
process.on('exit', () => {
  for (const group of groups) endGroup(group)
})

/**
 * Runs a command to its end, with `variables` in its environment, and gives what it printed on standard output. When it
 * is over, its whole process group is ended. Throws CommandFailure where it cannot be started, ends with another exit
 * status than 0, takes longer than `timeout` ms, or prints more than 8 MB; at an abort of `signal` too.
 */
export function runCommand(
  command: Command,
  {
    variables = {},
    timeout,
    signal,
  }: { variables?: Record<string, string>; timeout: number; signal?: AbortSignal },
): Promise<string> {
  return new Promise((resolve, reject) => {
    const printed: Buffer[] = []
    let size = 0
    let words = ''
    const refuse = (what: string) => reject(new CommandFailure(command.key, `the command ${what}`, words))
    if (signal?.aborted) return refuse(RUN_IS_OVER)
    const child = started(command, variables, 'ignore')
    const fail = (what: string) => {
      end()
      refuse(what)
    }
    const end = () => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', aborted)
      endWith(child)
      for (const stream of [child.stdout!, child.stderr!]) stream.destroy()
    }
    const aborted = () => fail(RUN_IS_OVER)
    const timer = setTimeout(() => fail(`did not end within ${duration(timeout)}`), timeout)
    signal?.addEventListener('abort', aborted)
    const hear = (chunk: Buffer, isResult: boolean) => {
      words = (words + chunk.toString('latin1')).slice(-MAX_WORDS)
      size += chunk.length
      if (size > MAX_OUTPUT) fail(`printed more than ${MAX_OUTPUT / 1024 / 1024} MB`)
      else if (isResult) printed.push(chunk)
    }
    child.stdout!.on('data', chunk => hear(chunk, true))
    child.stderr!.on('data', chunk => hear(chunk, false))
    child.once('error', error => fail(`cannot be started: ${printable(error.message, MAX_WORDS)}`))
    onEnd(child, (code, how) => {
      if (code !== 0) return fail(`ended with ${how}`)
      end()
      resolve(Buffer.concat(printed).toString('utf8'))
    })
  })
}

/** A command that is running and prints lines. */
export interface Following {
  /** Ends it, and resolves when it has ended. */
  stop(): Promise<void>
}

/** How long a command that follows a log may take to end after its standard input has ended, in ms. */
const GRACE = 500

/**
 * Runs a command that follows a log, and calls `line` for each line that it prints, on whichever output. It gets a
 * standard input that stays open until it has to end, because an end of `ssh` or `docker exec` alone would leave the
 * command behind on the other side. `ended` is called where it ends by itself.
 */
export function followCommand(
  command: Command,
  { line, ended }: { line: (text: string) => void; ended: (why: CommandFailure) => void },
): Following {
  const child = started(command, {}, 'pipe')
  let words = ''
  let isOver = false
  const over = new Promise<void>(resolve => {
    const end = (what: string) => {
      endWith(child)
      resolve()
      if (isOver) return
      isOver = true
      ended(new CommandFailure(command.key, `the command ${what}`, words))
    }
    child.once('error', error => end(`cannot be started: ${printable(error.message, MAX_WORDS)}`))
    onEnd(child, (_, how) => end(`ended by itself with ${how}`))
  })
  // The command may have closed it, or may not have started.
  child.stdin!.on('error', () => {})
  for (const stream of [child.stdout!, child.stderr!]) {
    const lines = new Lines(text => {
      words = `${words} ${text}`.slice(-MAX_WORDS)
      if (!isOver) line(text)
    })
    stream.on('data', chunk => lines.add(chunk))
  }
  return {
    async stop() {
      isOver = true
      child.stdin!.end()
      const timer = setTimeout(() => endWith(child), GRACE)
      await over
      clearTimeout(timer)
    },
  }
}

function started(
  { argv, folder, without = '' }: Command,
  variables: Record<string, string>,
  input: 'ignore' | 'pipe',
) {
  const [program, ...more] = argv
  const child = spawn(program, more, {
    cwd: folder,
    // With its mark, a command that follows a log can be found if this process is killed. A daemon that another command
    // starts must outlive the run.
    env: {
      ...process.env,
      [without]: undefined,
      ...variables,
      ...(input === 'pipe' ? { [RUN_VARIABLE]: RUN_MARK } : {}),
    },
    stdio: [input, 'pipe', 'pipe'],
    // In a group of its own, so that it can be ended with everything that it has started.
    detached: true,
  })
  if (child.pid !== undefined) groups.add(child.pid)
  return child
}

/** Calls `told` once a child has ended and its output is read, or has stayed open for a while; `how` it ended in words. */
function onEnd(child: ChildProcess, told: (code: number | null, how: string) => void): void {
  child.once('exit', (code, killed) => {
    const tell = () => {
      clearTimeout(timer)
      child.off('close', tell)
      told(code, killed ?? `exit status ${code}`)
    }
    const timer = setTimeout(tell, REST)
    child.once('close', tell)
  })
}

function endWith({ pid }: ChildProcess): void {
  if (pid === undefined || !groups.delete(pid)) return
  endGroup(pid)
}

function endGroup(group: number): void {
  try {
    process.kill(-group, 'SIGKILL')
  } catch {
    // Nothing of the group is left.
  }
}

/** So many bytes of a line are kept. */
const MAX_LINE = 16_384

/** Cuts bytes into lines, of which the first 16384 bytes are kept. */
export class Lines {
  readonly #told: (line: string) => void
  #rest: Buffer = Buffer.alloc(0)

  constructor(told: (line: string) => void) {
    this.#told = told
  }

  add(chunk: Buffer): void {
    let from = 0
    for (let end = chunk.indexOf(0x0a); end >= 0; end = chunk.indexOf(0x0a, from)) {
      this.#keep(chunk.subarray(from, end))
      from = end + 1
      const line = this.#rest.toString('utf8')
      this.#rest = Buffer.alloc(0)
      this.#told(line.replace(/\r$/, ''))
    }
    this.#keep(chunk.subarray(from))
  }

  #keep(bytes: Buffer): void {
    if (bytes.length > 0) this.#rest = Buffer.concat([this.#rest, bytes]).subarray(0, MAX_LINE)
  }
}
