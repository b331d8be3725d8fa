import { Command } from 'commander'
import { completionCommand } from './completion.ts'
import { envCreateCommand } from './env-create.ts'
import { envDeleteCommand } from './env-delete.ts'
import { envListCommand } from './env-list.ts'
import { envShowCommand } from './env-show.ts'
import { envWaitCommand } from './env-wait.ts'
import { exitCodes, report } from './exit.ts'
import { helmPullCommand } from './helm-pull.ts'
import { helmUpdateCommand } from './helm-update.ts'
import { installCommand } from './install.ts'
import type { Io } from './io.ts'
import { listImagesCommand } from './list-images.ts'
import { listTargetsCommand } from './list-targets.ts'
import { projectCheckCommand } from './project-check.ts'
import { projectListCommand } from './project-list.ts'
import { renderCommand } from './render.ts'
import { serveCommand } from './serve.ts'
import { versionCommand } from './version.ts'

const epilogue = `
Exit codes: 0 done, 1 failed, 2 wrong usage or invalid input, 3 timed out, 4 no such object, 130 interrupted.
`

/** The whole command line. */
export function program(io: Io): Command {
  const environments = new Command('env').description('environments: list, show, create, delete, wait')
  for (const make of [envListCommand, envShowCommand, envCreateCommand, envDeleteCommand, envWaitCommand]) {
    environments.addCommand(make(io))
  }
  const projects = new Command('project').description('projects: list, check')
  projects.addCommand(projectListCommand(io)).addCommand(projectCheckCommand(io))
  const root = new Command('offshoot')
    .description('Review environments on Kubernetes: every pull request, branch and developer gets one')
    .addCommand(environments)
    .addCommand(projects)
    .addCommand(renderCommand(io))
    .addCommand(listTargetsCommand(io))
    .addCommand(listImagesCommand(io))
    .addCommand(helmPullCommand(io))
    .addCommand(helmUpdateCommand(io))
    .addCommand(installCommand(io))
    .addCommand(serveCommand(io))
    .addCommand(versionCommand(io))
    .addCommand(completionCommand(io))
    .addHelpText('after', epilogue)
  prepare(root, io)
  return root
}

/** Runs a command line (without the interpreter and the script) and gives its exit code. Never throws. */
export async function run(args: readonly string[], io: Io): Promise<number> {
  try {
    await program(io).parseAsync(args, { from: 'user' })
    return exitCodes.ok
  } catch (error) {
    return report(error, io)
  }
}

function prepare(command: Command, io: Io): void {
  command
    .exitOverride()
    .showHelpAfterError(`(${pathOf(command)} --help says what there is)`)
    .configureOutput({ writeOut: text => io.stdout.write(text), writeErr: text => io.stderr.write(text) })
  for (const child of command.commands) prepare(child, io)
}

function pathOf(command: Command): string {
  return command.parent ? `${pathOf(command.parent)} ${command.name()}` : command.name()
}
