import { Command } from 'commander'
import { completionCommand } from './completion.ts'
import { kluctlArguments } from './engine-arguments.ts'
import { engineCommands } from './engine-program.ts'
import { envCreateCommand } from './env-create.ts'
import { envDeleteCommand } from './env-delete.ts'
import { envDeployCommand } from './env-deploy.ts'
import { envDiffCommand } from './env-diff.ts'
import { envListCommand } from './env-list.ts'
import { envResumeCommand } from './env-resume.ts'
import { envShowCommand } from './env-show.ts'
import { envWaitCommand } from './env-wait.ts'
import { githubCommand } from './github.ts'
import { installCommand } from './install.ts'
import type { Io } from './io.ts'
import { epilogue, parseAndRun, prepare } from './parse.ts'
import { projectCheckCommand } from './project-check.ts'
import { projectListCommand } from './project-list.ts'
import { runEnvironmentCommand } from './run-environment.ts'
import { serveCommand } from './serve.ts'
import { versionCommand } from './version.ts'

const environmentCommands = [
  envListCommand,
  envShowCommand,
  envCreateCommand,
  envDiffCommand,
  envDeployCommand,
  envResumeCommand,
  envDeleteCommand,
  envWaitCommand,
]

/** The whole command line. */
export function program(io: Io): Command {
  const environments = new Command('env').description(
    'environments: list, show, create, diff, deploy, resume, delete, wait',
  )
  for (const make of environmentCommands) environments.addCommand(make(io))
  const projects = new Command('project').description('projects: list, check')
  projects.addCommand(projectListCommand(io)).addCommand(projectCheckCommand(io))
  const root = new Command('offshoot')
    .description('Review environments on Kubernetes: every pull request, branch and developer gets one')
    .addCommand(environments)
    .addCommand(projects)
  for (const command of engineCommands(io)) root.addCommand(command)
  root
    .addCommand(githubCommand(io))
    .addCommand(installCommand(io))
    .addCommand(serveCommand(io))
    .addCommand(runEnvironmentCommand(io), { hidden: true })
    .addCommand(versionCommand(io))
    .addCommand(completionCommand(io))
    .addHelpText('after', epilogue)
  return prepare(root, io)
}

/** Runs a command line (without the interpreter and the script) and gives its exit code. Never throws. */
export function run(args: readonly string[], io: Io): Promise<number> {
  return parseAndRun(() => program(io), args, io, kluctlArguments)
}
