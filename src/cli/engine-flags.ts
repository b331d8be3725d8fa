import { type Command, Option } from 'commander'
import type { InclusionFlags } from '../engine/deployment/inclusion.ts'
import type { ArgumentFlags } from '../engine/project/args.ts'
import { type ChartOptions, withChartFlags } from './chart-flags.ts'
import { profiled } from './cpu-profile.ts'
import { parseDuration } from './duration.ts'
import { isSwitch, parseBoolean } from './engine-arguments.ts'
import { type GitOptions, withGitFlags } from './git-flags.ts'
import type { Io } from './io.ts'

export { parseDuration } from './duration.ts'

/** Flags of every command on a project's folder. */
export interface BasicOptions {
  projectDir?: string
  timeout: number
  debug?: boolean
  color: boolean
}

/** Flags of every command on a Kluctl project, by kluctl's names. */
export interface ProjectOptions extends BasicOptions, GitOptions, ArgumentFlags, ChartOptions {
  projectConfig?: string
  localGitOverride: string[]
  localGitGroupOverride: string[]
  localOciOverride: string[]
  localOciGroupOverride: string[]
}

/** Flags of commands that render a target, by kluctl's names. */
export interface TargetOptions extends ProjectOptions, InclusionFlags {
  target?: string
  targetNameOverride?: string
  context?: string
  kubeconfig?: string
  fixedImage: string[]
  fixedImagesFile?: string
  renderOutputDir?: string
  offlineKubernetes?: boolean
  kubernetesVersion?: string
}

const collect = (value: string, before: string[]) => [...before, value]

/** Adds a flag that may be repeated. */
export function list(command: Command, flags: string, description: string): void {
  command.addOption(new Option(flags, description).argParser(collect).default([], 'none'))
}

/** Adds the flags that say which project is worked on and how its sources are reached. */
export function withProjectFlags(command: Command, io: Io): Command {
  withBasicFlags(command)
  command.option('-c, --project-config <file>', 'configuration file (default: .kluctl.yaml of the project)')
  list(command, '--local-git-override <host/path=folder>', 'use a local folder for a Git repository')
  list(command, '--local-git-group-override <host/path=folder>', 'the same for all repositories below a path')
  list(command, '--local-oci-override <host/repo=folder>', 'use a local folder for an OCI artifact')
  list(command, '--local-oci-group-override <host/repo=folder>', 'the same for all artifacts below a path')
  withGitFlags(command)
  withChartFlags(command)
  return profiled(fromEnvironment(command, io))
}

/** Adds the flags that every command on a project's folder has. */
export function withBasicFlags(command: Command): Command {
  return command
    .option('--project-dir <folder>', 'folder of the project (default: the working folder)')
    .addOption(
      new Option('--timeout <duration>', 'deadline of the whole command, such as 90s or 1h30m')
        .argParser(parseDuration)
        .default(600_000, '10m'),
    )
    .option('--debug', 'log what is done in detail')
    .option('--no-color', 'no colours, whatever the terminal can do')
    .option('--no-update-check', 'accepted for scripts written for kluctl: Offshoot never looks for updates')
    .option('--use-system-python', 'accepted for scripts written for kluctl: Offshoot needs no Python')
    .option(
      '--cpu-profile <file>',
      "write what took the time, for the performance tools of Chrome's or VS Code's debugger",
    )
    .option('--gops-agent', 'accepted for scripts written for kluctl: Offshoot has no Go runtime to look into')
    .option('--gops-agent-addr <address>', 'accepted for scripts written for kluctl, as --gops-agent')
}

/** Adds the flags that say which target is rendered, with what, and which part of it. */
export function withTargetFlags(command: Command): Command {
  list(command, '-a, --arg <name=value>', 'template argument; nested names with points, the value is YAML or @file')
  list(command, '--args-from-file <file>', 'YAML file with arguments')
  list(command, '-F, --fixed-image <image=result>', 'pin an image: image<:namespace:deployment:container>=result')
  list(command, '-I, --include-tag <tag>', 'only deployment items with this tag')
  list(command, '-E, --exclude-tag <tag>', 'no deployment items with this tag')
  list(command, '--include-deployment-dir <folder>', 'only the deployment item of this folder of the repository')
  list(command, '--exclude-deployment-dir <folder>', 'not the deployment item of this folder of the repository')
  return command
    .option('-t, --target <name>', 'target of the project')
    .option('-T, --target-name-override <name>', 'another name for the target')
    .option('--fixed-images-file <file>', 'YAML file with fixed images, as list-images prints them')
    .option('--kubeconfig <file>', 'kubeconfig file')
    .option('--context <name>', 'context of the kubeconfig (default: that of the target)')
    .option('--render-output-dir <folder>', 'folder that rendered files are left in')
}

/** Adds the flags of commands that can do without the cluster. */
export function withOfflineFlags(command: Command): Command {
  return command
    .option('--offline-kubernetes', 'do not ask the cluster for anything')
    .option('--kubernetes-version <version>', 'version of Kubernetes to assume')
}

/**
 * Flags that were not given are taken from `OFFSHOOT_…` and `KLUCTL_…` variables named as they are; lists take
 * `…_0`, `…_1` and so on too, and what stands on the command line comes after them.
 */
export function fromEnvironment(command: Command, io: Io): Command {
  return command.hook('preAction', () => {
    for (const option of command.options) {
      // As kluctl: variables of these names hold sets of credentials, which are read elsewhere.
      if (/^(?:git|helm|registry)-/.test(option.name()) && option.name() !== 'git-cache-update-interval') continue
      const name = option.attributeName()
      const isList = Array.isArray(option.defaultValue)
      const given = command.getOptionValueSource(name) === 'cli'
      if (given && !isList) continue
      const values = environmentValues(io.env, option.name(), isList)
      if (values.length === 0) continue
      const own = command.getOptionValue(name) as string[]
      const last = values.at(-1) ?? ''
      const value = isList ? [...values, ...own] : isSwitch(option) ? switched(option, last) : parsed(option, last)
      command.setOptionValueWithSource(name, value, 'env')
    }
  })
}

function environmentValues(env: Io['env'], flag: string, isList: boolean): string[] {
  const suffix = flag.toUpperCase().replaceAll('-', '_')
  const values: string[] = []
  for (const prefix of ['KLUCTL_', 'OFFSHOOT_']) {
    const name = `${prefix}${suffix}`
    const plain = env[name]
    if (plain !== undefined && plain !== '') values.push(plain)
    if (!isList) continue
    const indexed = Object.keys(env).filter(
      key => key.startsWith(`${name}_`) && /^[0-9]+$/.test(key.slice(name.length + 1)),
    )
    indexed.sort((a, b) => Number(a.slice(name.length + 1)) - Number(b.slice(name.length + 1)))
    values.push(...indexed.map(key => env[key] ?? ''))
  }
  return values
}

/** The value of a flag without one; those that begin with `no-` hold the opposite of what they say. */
function switched(option: Option, text: string): boolean {
  return parseBoolean(text, option) !== option.negate
}

function parsed(option: Option, text: string): unknown {
  return option.parseArg === undefined ? text : option.parseArg(text, undefined)
}
