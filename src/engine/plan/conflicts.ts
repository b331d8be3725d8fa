import { type DeploymentProject, outwards } from '../deployment/tree.ts'
import { EngineError } from '../errors.ts'
import type { Manifest } from '../item.ts'
import { locateJsonPath } from '../json-path.ts'
import type { ConflictResolution } from '../project/schema/deployment.ts'
import { clone, getPath, isEqual } from '../values.ts'
import { type FieldPath, formatPath, removePaths } from './field-path.ts'
import { findField, type ManagedField, managedFields } from './managed-fields.ts'
import { isAnnotated, numberedAnnotations, refOf } from './refs.ts'
import { regexTest, selects } from './selector.ts'

/** What to do with conflicts in some fields of some objects. */
export type ConflictRule = Partial<ConflictResolution> & Pick<ConflictResolution, 'action'>

/** One cause of a conflict as the API server names it. */
export interface ConflictCause {
  readonly reason?: string
  readonly message?: string
  /** Such as `.spec.replicas`. */
  readonly field?: string
}

/** How conflicts are resolved: what to apply by force, and what was given up. */
export interface Resolution {
  /** The rendered object without the fields that others keep. */
  readonly object: Manifest
  /** Fields that somebody else owns now, with another value. */
  readonly lost: readonly { readonly field: string; readonly message: string }[]
}

/** Managers that stand for a person's hand, not for a controller that would fight back. */
const people = /^(?:kluctl|kluctl-.*|kubectl|kubectl-.*|rancher|k9s)$/

/** The rules for items of a project: its own `conflictResolution` and those of the projects around it. */
export function conflictRules(project: DeploymentProject): ConflictRule[] {
  return [...outwards(project)].flatMap(({ project: at }) => at.config.conflictResolution ?? [])
}

/**
 * Decides for each field in conflict whether it is applied by force or left to others, by kluctl's rules: what people
 * set by hand is overwritten, what controllers own is given up, unless a rule or an annotation of the rendered object
 * says otherwise. Later rules win, annotations over rules, and their `ignore` over their `force-apply`; what is ignored
 * is given up without a warning.
 * @throws EngineError when a field cannot be told for sure, or a rule cannot be read
 */
export function resolveConflicts(
  rendered: Manifest,
  remote: Manifest,
  causes: readonly ConflictCause[],
  rules: readonly ConflictRule[],
): Resolution {
  const fields = managedFields(remote)
  const actions = new Actions(rendered, remote, fields, [...rules, ...ownRules(rendered)])
  const object = clone(rendered)
  const lost: { field: string; message: string }[] = []
  const givenUp: FieldPath[] = []
  for (const cause of causes) {
    const { field = '', message = '' } = cause
    const managed = fieldOf(cause, fields)
    const [local, other] = [locate(rendered, managed, cause, 'local'), locate(remote, managed, cause, 'remote')]
    const action = actions.of(local) ?? actions.of(other)
    const isForced = action === 'force-apply' || (action === undefined && managed.managers.some(isPerson))
    if (isForced) continue
    givenUp.push(local)
    const isSame = isEqual(getPath(rendered, local), getPath(remote, other))
    if (!isSame && action !== 'ignore') lost.push({ field, message })
  }
  removePaths(object, givenUp)
  return { object, lost }
}

function isPerson(manager: string): boolean {
  return people.test(manager)
}

/** The annotations of a rendered object as rules; `ignore` last, so that it wins. */
function ownRules(rendered: Manifest): ConflictRule[] {
  const rules: ConflictRule[] = []
  for (const [action, prefix] of [
    ['force-apply', 'kluctl.io/force-apply'],
    ['ignore', 'kluctl.io/ignore-conflicts'],
  ] as const) {
    if (isAnnotated(rendered, prefix)) rules.push({ action, fieldPath: ['..'] })
    for (const manager of numberedAnnotations(rendered, `${prefix}-manager`)) rules.push({ action, manager: [manager] })
    for (const path of numberedAnnotations(rendered, `${prefix}-field`)) rules.push({ action, fieldPath: [path] })
  }
  return rules
}

/** What the rules say of each field, by its text; later rules win. */
class Actions {
  readonly #actions = new Map<string, ConflictRule['action']>()

  constructor(
    rendered: Manifest,
    remote: Manifest,
    fields: ReadonlyMap<string, ManagedField>,
    rules: readonly ConflictRule[],
  ) {
    const ref = refOf(rendered)
    for (const rule of rules) {
      if (!selects(rule, ref)) continue
      for (const path of rule.fieldPath ?? []) {
        for (const object of [rendered, remote]) this.#set(locateJsonPath(path, object), rule)
      }
      for (const pattern of rule.fieldPathRegex ?? []) this.#set(pathsLike(rendered, pattern), rule)
      for (const pattern of rule.manager ?? []) this.#set(fieldsOf(remote, fields, pattern), rule)
    }
  }

  of(path: FieldPath): ConflictRule['action'] | undefined {
    return this.#actions.get(formatPath(path))
  }

  #set(paths: readonly FieldPath[], { action }: ConflictRule): void {
    for (const path of paths) this.#actions.set(formatPath(path), action)
  }
}

/** Paths inside of an object whose text the regular expression finds something in. */
function pathsLike(object: Manifest, pattern: string): FieldPath[] {
  const matches = regexTest(pattern)
  return locateJsonPath('..', object).filter(path => matches(formatPath(path)))
}

/** Where the fields are that some managers own. */
function fieldsOf(remote: Manifest, fields: ReadonlyMap<string, ManagedField>, pattern: string): FieldPath[] {
  const matches = regexTest(pattern)
  const found: FieldPath[] = []
  for (const { managers, paths } of fields.values()) {
    if (!managers.some(matches)) continue
    for (const path of paths) {
      const place = findField(remote, path)
      if (place !== undefined) found.push(place)
    }
  }
  return found
}

function fieldOf({ field = '', message = '', reason = '' }: ConflictCause, fields: ReadonlyMap<string, ManagedField>) {
  if (reason !== 'FieldManagerConflict') throw new EngineError(`unknown type ${reason}`)
  const managed = fields.get(field)
  if (managed === undefined) {
    throw new EngineError(`${message}. Could not find matching field for path '${field}'`)
  }
  if (managed.paths.length !== 1) throw new EngineError(`${message}. Field path '${field}' is ambiguous`)
  return managed
}

function locate(
  object: Manifest,
  managed: ManagedField,
  { field = '', message = '' }: ConflictCause,
  which: 'local' | 'remote',
): FieldPath {
  const path = findField(object, managed.paths[0] ?? [])
  if (path === undefined) throw new EngineError(`${message}. Field '${field}' not found in ${which} object`)
  return path
}
