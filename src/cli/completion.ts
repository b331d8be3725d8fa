import { Argument, Command } from 'commander'
import type { Io } from './io.ts'

const shells = ['bash', 'zsh'] as const

/** `offshoot completion SHELL`: a script that completes commands and flags, made from the commands themselves. */
export function completionCommand(io: Io): Command {
  const command = new Command('completion')
    .description('print a script for command completion: source <(offshoot completion bash)')
    .addArgument(new Argument('<shell>', 'the shell').choices(shells))
  return command.action((shell: (typeof shells)[number], _options: unknown, self: Command) => {
    let root = self
    while (root.parent) root = root.parent
    // zsh understands bash's completions once it is told to.
    const prelude = shell === 'zsh' ? 'autoload -U +X bashcompinit && bashcompinit\n' : ''
    io.stdout.write(prelude + bashScript(root))
  })
}

function bashScript(root: Command): string {
  const cases = nodes(root, '').map(({ path, words }) => `    "${path}") words="${words.join(' ')}" ;;`)
  return `_offshoot() {
  local path="" word words="" index
  for ((index = 1; index < COMP_CWORD; index++)); do
    word="\${COMP_WORDS[index]}"
    case "$path $word" in
${nodes(root, '')
  .filter(({ path }) => path !== '')
  .map(({ path }) => `      "${path}") path="${path}" ;;`)
  .join('\n')}
    esac
  done
  case "$path" in
${cases.join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _offshoot offshoot
`
}

/** Every command with what may follow it: subcommands and long flags. Paths begin with a blank. */
function nodes(command: Command, path: string): { path: string; words: string[] }[] {
  const flags = command.options.flatMap(({ long, hidden }) => (long && !hidden ? [long] : []))
  const visible = command.createHelp().visibleCommands(command)
  const children = command.commands.filter(child => visible.includes(child))
  const words = [...children.map(child => child.name()), ...flags, '--help']
  return [{ path, words }, ...children.flatMap(child => nodes(child, `${path} ${child.name()}`))]
}
