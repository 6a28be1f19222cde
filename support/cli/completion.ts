import type { Command } from 'commander'

export const SHELLS = ['bash', 'zsh', 'fish'] as const
export type Shell = (typeof SHELLS)[number]

/** Words that a shell cannot find out from the command line parser. */
export interface KnownWords {
  /** By option, such as `--profile`. */
  options: Record<string, readonly string[]>
  /** By the name of an argument, such as `target`. */
  arguments: Record<string, readonly string[]>
}

interface Completed {
  name: string
  description: string
  options: { flag: string; description: string; takesValue: boolean; values: readonly string[] }[]
  /** What may stand as an argument, besides files. */
  words: readonly string[]
}

/** What completes the command in a shell: every command and option of the parser, and values that are known. */
export function completionScript(program: Command, shell: Shell, known: KnownWords): string {
  const commands = program.commands.map(command => completed(command, known))
  if (shell === 'fish') return fish(commands)
  return shell === 'bash' ? bash(commands) : `autoload -U +X bashcompinit && bashcompinit\n${bash(commands)}`
}

function completed(command: Command, known: KnownWords): Completed {
  return {
    name: command.name(),
    description: command.description(),
    options: command.options.flatMap(({ long, description, argChoices, required, optional }) =>
      long
        ? [
            {
              flag: long,
              description,
              takesValue: required || optional,
              values: argChoices ?? known.options[long] ?? [],
            },
          ]
        : [],
    ),
    words: command.registeredArguments.flatMap(
      argument => argument.argChoices ?? known.arguments[argument.name()] ?? [],
    ),
  }
}

const listed = (words: readonly string[]): string => words.join(' ')

/** Files are completed where no word fits (`-o default`). */
function bash(commands: readonly Completed[]): string {
  const values = commands.flatMap(({ name, options }) =>
    options
      .filter(({ takesValue }) => takesValue)
      .map(({ flag, values }) => `    ${name}:${flag}) words='${listed(values)}' ;;`),
  )
  const own = commands.map(
    ({ name, options, words }) =>
      `        ${name}) words='${listed([...words, ...options.map(({ flag }) => flag), '--help'])}' ;;`,
  )
  return `_mail_tls() {
  local words='' current="\${COMP_WORDS[COMP_CWORD]}" before="\${COMP_WORDS[COMP_CWORD-1]}"
  case "\${COMP_WORDS[1]}:$before" in
${values.join('\n')}
    *)
      if [ "$COMP_CWORD" -eq 1 ]; then
        words='${listed([...commands.map(({ name }) => name), '--version', '--help'])}'
      else case "\${COMP_WORDS[1]}" in
${own.join('\n')}
      esac; fi ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _mail_tls mail-tls
`
}

const quoted = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`

function fish(commands: readonly Completed[]): string {
  const lines = commands.flatMap(({ name, description, options, words }) => {
    const inside = `complete -c mail-tls -n '__fish_seen_subcommand_from ${name}'`
    return [
      `complete -c mail-tls -n __fish_use_subcommand -f -a ${name} -d ${quoted(description)}`,
      ...(words.length > 0 ? [`${inside} -a ${quoted(listed(words))}`] : []),
      ...options.map(
        ({ flag, description, takesValue, values }) =>
          `${inside} -l ${flag.slice(2)}${takesValue ? ' -r' : ''}${values.length > 0 ? ` -f -a ${quoted(listed(values))}` : ''} -d ${quoted(description)}`,
      ),
    ]
  })
  return `${lines.join('\n')}\n`
}
