import { Command } from 'commander'
import { deleteCommand } from './delete.ts'
import { deployCommand } from './deploy.ts'
import { diffCommand } from './diff.ts'
import { kluctlArguments } from './engine-arguments.ts'
import { helmPullCommand } from './helm-pull.ts'
import { helmUpdateCommand } from './helm-update.ts'
import type { Io } from './io.ts'
import { listImagesCommand } from './list-images.ts'
import { listTargetsCommand } from './list-targets.ts'
import { ociPushCommand } from './oci-push.ts'
import { epilogue, parseAndRun, prepare } from './parse.ts'
import { pokeImagesCommand } from './poke-images.ts'
import { pruneCommand } from './prune.ts'
import { renderCommand } from './render.ts'
import { validateCommand } from './validate.ts'

/** The commands on Kluctl projects. */
export function engineCommands(io: Io): Command[] {
  return [
    renderCommand(io),
    diffCommand(io),
    deployCommand(io),
    pruneCommand(io),
    deleteCommand(io),
    validateCommand(io),
    pokeImagesCommand(io),
    listTargetsCommand(io),
    listImagesCommand(io),
    helmPullCommand(io),
    helmUpdateCommand(io),
    new Command('oci').description('OCI artifacts: push').addCommand(ociPushCommand(io)),
  ]
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
