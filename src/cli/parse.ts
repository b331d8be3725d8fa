import type { Command } from 'commander'
import { endCpuProfile } from './cpu-profile.ts'
import { exitCodes, report } from './exit.ts'
import type { Io } from './io.ts'

export const epilogue = `
Exit codes: 0 done, 1 failed, 2 wrong usage or invalid input, 3 timed out, 4 no such object, 130 interrupted.
`

/** Lets a command and all below it speak through `io` and throw instead of ending the process. */
export function prepare(command: Command, io: Io): Command {
  command
    .exitOverride()
    .showHelpAfterError(`(${pathOf(command)} --help says what there is)`)
    .configureOutput({ writeOut: text => io.stdout.write(text), writeErr: text => io.stderr.write(text) })
  for (const child of command.commands) prepare(child, io)
  return command
}

/**
 * Parses and runs a command line (without the interpreter and the script) and gives its exit code. Never throws.
 * `arrange` brings arguments into the form that the program reads.
 */
export async function parseAndRun(
  make: () => Command,
  args: readonly string[],
  io: Io,
  arrange: (root: Command, args: readonly string[]) => readonly string[] = (_, given) => given,
): Promise<number> {
  try {
    const root = make()
    try {
      await root.parseAsync(arrange(root, args), { from: 'user' })
    } finally {
      await endCpuProfile()
    }
    return exitCodes.ok
  } catch (error) {
    return report(error, io)
  }
}

function pathOf(command: Command): string {
  return command.parent ? `${pathOf(command.parent)} ${command.name()}` : command.name()
}
