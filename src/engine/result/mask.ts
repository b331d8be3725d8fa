import type { Manifest } from '../item.ts'
import { Obfuscator } from '../plan/obfuscate.ts'
import { SensitiveTexts } from '../plan/sensitive.ts'
import type { TargetRun } from '../render/target-run.ts'
import type { CommandResult, ResultObject, ValidateResult } from './types.ts'

/** What hides Secrets and what came from the sensitive variables of a target. */
export function maskOf({ loadedVars }: Pick<TargetRun, 'loadedVars'>): Obfuscator {
  return new Obfuscator(new SensitiveTexts(loadedVars))
}

/** Objects, errors and warnings with what is secret hidden. */
export function masked<T extends Pick<CommandResult, 'objects' | 'errors' | 'warnings'>>(shown: T, by: Obfuscator): T {
  return {
    ...shown,
    objects: shown.objects.map(object => maskObject(object, by)),
    errors: by.problems(shown.errors),
    warnings: by.problems(shown.warnings),
  }
}

/** The whole result with what is secret hidden, the project's own configuration included. */
export function maskedResult(result: CommandResult, by: Obfuscator): CommandResult {
  const { deployment, target, command, seenImages } = by.object({
    deployment: result.deployment ?? null,
    target: result.target,
    command: result.command,
    seenImages: result.seenImages,
  } as unknown as Manifest) as unknown as CommandResult
  const shown = { ...masked(result, by), target, command, seenImages }
  return { ...shown, ...(result.deployment === undefined ? {} : { deployment }) }
}

/** A validation's result with what is secret hidden. */
export function maskedValidation(result: ValidateResult, by: Obfuscator): ValidateResult {
  return {
    ...result,
    errors: by.problems(result.errors),
    warnings: by.problems(result.warnings),
    results: result.results.map(entry => ({ ...entry, message: by.text(entry.message) })),
  }
}

function maskObject({ rendered, remote, applied, changes, ...base }: ResultObject, by: Obfuscator): ResultObject {
  const versions = [rendered, remote, applied].filter(version => version !== undefined)
  return {
    ...base,
    ...(changes === undefined ? {} : { changes: by.changes(base.ref, changes) }),
    ...(rendered === undefined ? {} : { rendered: by.object(rendered, versions) }),
    ...(remote === undefined ? {} : { remote: by.object(remote, versions) }),
    ...(applied === undefined ? {} : { applied: by.object(applied, versions) }),
  }
}
