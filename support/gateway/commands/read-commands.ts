import { InputError } from '../../input-error.ts'
import type { At } from '../../yaml-file.ts'
import { existing, parseDuration } from '../gateway-file-values.ts'
import type { Command } from './command.ts'

/** What the suite may ask of a gateway that it did not start (`commands` in a gateway file). */
export interface Commands extends Partial<Record<CommandName, Command>> {
  /** A command that prints the log as it grows, or the file that is the log. */
  readonly log?: Command | { readonly key: string; readonly path: string }
  /** Name of the bundled product that writes such logs. */
  readonly reader?: string
  /** How long each command may take, in ms. */
  readonly timeout: number
}

const COMMAND_NAMES = ['retry', 'queue', 'reload', 'certificate', 'trust', 'expire'] as const
type CommandName = (typeof COMMAND_NAMES)[number]

type WrittenCommand = string | string[]

/** `commands` as the JSON Schema of the gateway file describes it. */
export type WrittenCommands = Partial<Record<CommandName, WrittenCommand>> & {
  log?: WrittenCommand | { file: string }
  reader?: string
  timeout?: string | number
}

const DEFAULT_TIMEOUT = '10s'

/** `at` gives an InputError the place of its key; `beside` makes a path relative to the file. `folder` is that of the file. */
export function readCommands(
  written: WrittenCommands,
  {
    at,
    beside,
    folder,
    without,
  }: {
    at: At
    beside: (place: string) => string
    folder: string
    without?: string
  },
): Commands {
  const command = (name: CommandName | 'log', said: WrittenCommand): Command =>
    at(['commands', name], () => {
      const argv = Array.isArray(said) ? said : ['sh', '-c', said]
      if (argv.some(word => word.includes('\0'))) throw new InputError('must have no zero byte')
      const [program = ''] = argv
      if (program.trim() === '') throw new InputError('the first word must be a program')
      return {
        key: `commands.${name}`,
        argv: argv as [string, ...string[]],
        folder,
        ...(without === undefined ? {} : { without }),
      }
    })
  const { log, reader, timeout = DEFAULT_TIMEOUT } = written
  if (reader !== undefined && log === undefined && written.queue === undefined)
    at(['commands', 'reader'], () => {
      throw new InputError('needs log or queue, which it is to read')
    })
  return {
    ...Object.fromEntries(
      COMMAND_NAMES.flatMap(name => {
        const said = written[name]
        return said === undefined ? [] : [[name, command(name, said)]]
      }),
    ),
    ...(log === undefined
      ? {}
      : {
          log:
            typeof log === 'string' || Array.isArray(log)
              ? command('log', log)
              : {
                  key: 'commands.log.file',
                  path: at(['commands', 'log', 'file'], () => existing('file', beside(log.file))),
                },
        }),
    ...(reader === undefined ? {} : { reader }),
    timeout: at(['commands', 'timeout'], () => parseDuration(timeout)),
  }
}
