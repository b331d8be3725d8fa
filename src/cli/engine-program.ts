import { Command } from 'commander'
import { kluctlArguments } from './engine-arguments.ts'
import { helmPullCommand } from './helm-pull.ts'
import { helmUpdateCommand } from './helm-update.ts'
import type { Io } from './io.ts'
import { listImagesCommand } from './list-images.ts'
import { listTargetsCommand } from './list-targets.ts'
import { epilogue, parseAndRun, prepare } from './parse.ts'
import { renderCommand } from './render.ts'

/** The commands on Kluctl projects. */
export function engineCommands(io: Io): Command[] {
  return [renderCommand(io), listTargetsCommand(io), listImagesCommand(io), helmPullCommand(io), helmUpdateCommand(io)]
}

/** Runs one of the engine's commands without loading what only the others need. */
export function run(args: readonly string[], io: Io): Promise<number> {
  return parseAndRun(
    () => {
      const root = new Command('offshoot').addHelpText('after', epilogue)
      for (const command of engineCommands(io)) root.addCommand(command)
      return prepare(root, io)
    },
    args,
    io,
    kluctlArguments,
  )
}
