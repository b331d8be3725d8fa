import { emptyObject, type Json, type JsonObject } from '../values.ts'
import type {
  CommandResult,
  CommandResultSummary,
  ResultObject,
  ValidateResult,
  ValidateResultSummary,
} from './types.ts'

/** What a list of results shows of one. */
export function summaryOf(result: CommandResult): CommandResultSummary {
  const count = (has: (object: ResultObject) => boolean) => result.objects.filter(has).length
  const { id, reconcileId, projectKey, targetKey, target, command, gitInfo, clusterInfo } = result
  const { kluctlDeployment, renderedObjectsHash } = result
  return {
    id,
    reconcileId,
    projectKey,
    targetKey,
    target,
    commandInfo: command,
    ...(kluctlDeployment === undefined ? {} : { kluctlDeployment }),
    gitInfo,
    clusterInfo,
    ...(renderedObjectsHash === undefined ? {} : { renderedObjectsHash }),
    renderedObjects: count(({ rendered }) => rendered !== undefined),
    remoteObjects: count(({ remote }) => remote !== undefined),
    appliedObjects: count(({ applied }) => applied !== undefined),
    appliedHookObjects: count(({ hook }) => hook === true),
    newObjects: count(object => object.new === true),
    changedObjects: count(({ changes = [] }) => changes.length > 0),
    orphanObjects: count(({ orphan }) => orphan === true),
    deletedObjects: count(({ deleted }) => deleted === true),
    errors: result.errors.length === 0 ? null : result.errors,
    warnings: result.warnings.length === 0 ? null : result.warnings,
    totalChanges: result.objects.reduce((sum, { changes = [] }) => sum + changes.length, 0),
  }
}

/** What a list of validations shows of one. */
export function validateSummaryOf(result: ValidateResult): ValidateResultSummary {
  const { warnings, errors, results, ...rest } = result
  return { ...rest, warnings: warnings.length, errors: errors.length, results: results.length }
}

/** A result as plain data: without what is undefined, and without the lists that kluctl leaves out when empty. */
export function plain(value: unknown): JsonObject {
  return strip(value, new Set(['errors', 'warnings', 'objects', 'results', 'seenImages', 'changes'])) as JsonObject
}

function strip(value: unknown, optional: ReadonlySet<string>): Json {
  if (typeof value !== 'object' || value === null) return value as Json
  if (Array.isArray(value)) return value.map(inner => strip(inner, none))
  const result = emptyObject()
  for (const [key, inner] of Object.entries(value)) {
    if (inner === undefined || (optional.has(key) && Array.isArray(inner) && inner.length === 0)) continue
    result[key] = strip(inner, none)
  }
  return result
}

const none: ReadonlySet<string> = new Set()
