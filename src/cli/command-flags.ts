import { type Command, Option } from 'commander'
import { EngineError } from '../engine/errors.ts'
import { parseDuration, type TargetOptions } from './engine-flags.ts'

/** Flags of commands that print a result. */
export interface ResultOptions {
  outputFormat: string[]
  /** False for `--no-obfuscate`. */
  obfuscate: boolean
  shortOutput?: boolean
}

/** Flags that say how results are kept in the cluster. */
export interface StoreOptions {
  writeCommandResult: boolean
  forceWriteCommandResult?: boolean
  commandResultNamespace: string
  keepCommandResultsCount: number
  keepValidateResultsCount: number
}

/** Flags of commands that change something on the cluster. */
export interface ChangeOptions extends TargetOptions, ResultOptions, StoreOptions {
  yes?: boolean
  dryRun?: boolean
}

/** Flags of commands that apply objects. */
export interface ForceOptions {
  forceApply?: boolean
  replaceOnError?: boolean
  forceReplaceOnError?: boolean
}

/** Adds a flag that may be given several times. */
export function withList(command: Command, flags: string, description: string): Command {
  const collect = (value: string, before: string[]) => [...before, value]
  return command.addOption(new Option(flags, description).argParser(collect).default([], 'none'))
}

/** Adds the flags that say how a result is printed. */
export function withResultFlags(command: Command): Command {
  const formats = 'text, yaml or json, alone for standard output or with =<file>'
  return withList(command, '-o, --output-format <format>', `how the result is printed, and where to: ${formats}`)
    .option('--no-obfuscate', 'show data of Secrets and sensitive variables')
    .option('--short-output', 'names of changed objects only, without what changed')
}

/** Adds the flags that say how results are kept in the cluster. */
export function withStoreFlags(command: Command): Command {
  return command
    .option('--write-command-result', 'keep the result in the cluster', true)
    .option('--force-write-command-result', 'keep the result of a dry run too')
    .option('--command-result-namespace <name>', 'namespace that results are kept in', 'kluctl-results')
    .option('--keep-command-results-count <number>', 'results of commands kept per target', parseCount, 5)
    .option(
      '--keep-validate-results-count <number>',
      'accepted for scripts written for kluctl: neither command line keeps results of validations',
      parseCount,
      2,
    )
}

/** Adds the flags of commands that ask before they change anything. */
export function withChangeFlags(command: Command): Command {
  return withStoreFlags(withResultFlags(command))
    .option('-y, --yes', 'do not ask, go on as if the answer were yes')
    .option('--dry-run', 'change nothing: find out by dry-run requests what would be')
}

/** Adds the flags that say what to do with objects that cannot simply be applied. */
export function withForceFlags(command: Command): Command {
  return command
    .option('--force-apply', 'take over fields that others own')
    .option('--replace-on-error', 'replace objects that cannot be applied')
    .option('--force-replace-on-error', 'delete and create anew what can be neither applied nor replaced')
}

/** Adds the flag that takes the place of the target's discriminator. */
export function withDiscriminator(command: Command): Command {
  return command.option('--discriminator <text>', "used instead of the target's discriminator")
}

/** Milliseconds of a duration, which may be zero. @throws EngineError */
export function parseWait(text: string): number {
  return /^0(?:ms|h|m|s)?$/.test(text) ? 0 : parseDuration(text)
}

function parseCount(text: string): number {
  const count = /^\d{1,6}$/.test(text) ? Number(text) : Number.NaN
  if (Number.isNaN(count)) throw new EngineError(`invalid number ${JSON.stringify(text)}; expected a whole one`)
  return count
}
