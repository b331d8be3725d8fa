import type { DeployResult } from '../cluster/types.ts'
import type { Manifest } from '../item.ts'
import { diffRefOf } from '../plan/diff-name.ts'
import { refKey, refOf } from '../plan/refs.ts'
import type { ChangedObject, ObjectRef, RemoteView } from '../plan/types.ts'
import { compareBytes } from '../values.ts'
import type { ResultObject } from './types.ts'

/** What a command knows of objects when it ends. */
export interface Findings {
  readonly rendered?: readonly Manifest[]
  /** As they were before. */
  readonly remote?: readonly Manifest[]
  /** As the API server answered. */
  readonly applied?: readonly Manifest[]
  /** `refKey`s of the applied objects that are hooks. */
  readonly hooks?: ReadonlySet<string>
  readonly created?: readonly ObjectRef[]
  readonly changed?: readonly ChangedObject[]
  /** What deploying deleted. */
  readonly deletedOnTheWay?: readonly ObjectRef[]
  readonly orphans?: readonly ObjectRef[]
  /** What pruning or deleting deleted. */
  readonly deleted?: readonly ObjectRef[]
}

/** A deployment, or its dry run, as it was carried out. */
export interface CarriedOut {
  readonly rendered: readonly Manifest[]
  readonly remote: RemoteView
  readonly result: DeployResult
  readonly changed: readonly ChangedObject[]
  /** What the target does not render any more. */
  readonly orphans: readonly ObjectRef[]
  /** Those of them that were deleted. */
  readonly pruned?: readonly ObjectRef[]
}

/** What is known of objects after a deployment or its dry run. */
export function findingsOf({ rendered, remote, result, changed, orphans, pruned = [] }: CarriedOut): Findings {
  const { applied, hooks, created, deleted } = result
  return {
    rendered,
    remote: remote.all(),
    applied: [...applied.values()],
    hooks,
    created,
    changed,
    deletedOnTheWay: deleted,
    orphans: withoutDeleted(orphans, pruned),
    deleted: pruned,
  }
}

/**
 * One entry per object, under the name that `kluctl.io/diff-name` gives it: there, two objects may share an entry.
 * Sorted by kind, namespace and name. Objects that only came along, because a controller copied our labels to them,
 * are left out.
 */
export function collectObjects(findings: Findings): ResultObject[] {
  const entries = new Entries()
  const { rendered = [], remote = [], applied = [], hooks = new Set(), created = [], changed = [] } = findings
  const { deletedOnTheWay = [], orphans = [], deleted = [] } = findings
  for (const object of rendered) entries.at(diffRefOf(object)).rendered = object
  const remoteNames = named(remote)
  for (const object of remote) entries.at(diffRefOf(object)).remote = object
  const appliedNames = named(applied)
  for (const object of applied) {
    const entry = entries.at(diffRefOf(object))
    entry.applied = object
    if (hooks.has(refKey(refOf(object)))) entry.hook = true
  }
  for (const ref of deletedOnTheWay) entries.at(remoteNames.get(refKey(ref)) ?? ref).deleted = true
  for (const { ref, changes } of changed) {
    if (changes.length > 0) entries.at(appliedNames.get(refKey(ref)) ?? ref).changes = changes
  }
  for (const ref of created) {
    const entry = entries.at(appliedNames.get(refKey(ref)) ?? ref)
    if (entry.changes === undefined) entry.new = true
  }
  const gone = new Set(deleted.map(refKey))
  for (const ref of deleted) entries.at(ref).deleted = true
  // A delete that was not waited for leaves an object that is an orphan no more.
  for (const ref of orphans) if (!gone.has(refKey(ref))) entries.at(ref).orphan = true
  return entries.sorted()
}

/** The orphans that are left after some objects, and with them whole namespaces, were deleted. */
export function withoutDeleted(orphans: readonly ObjectRef[], deleted: readonly ObjectRef[]): ObjectRef[] {
  const gone = new Set(deleted.map(refKey))
  const namespaces = new Set(deleted.filter(isNamespace).map(({ name }) => name))
  return orphans.filter(ref => !gone.has(refKey(ref)) && !namespaces.has(ref.namespace ?? ''))
}

function isNamespace({ group = '', kind }: ObjectRef): boolean {
  return group === '' && kind === 'Namespace'
}

function named(objects: readonly Manifest[]): Map<string, ObjectRef> {
  return new Map(objects.map(object => [refKey(refOf(object)), diffRefOf(object)]))
}

class Entries {
  readonly #entries = new Map<string, ResultObject>()

  at(ref: ObjectRef): ResultObject {
    const key = refKey(ref)
    const known = this.#entries.get(key)
    if (known !== undefined) return known
    const fresh: ResultObject = { ref }
    this.#entries.set(key, fresh)
    return fresh
  }

  sorted(): ResultObject[] {
    const ours = [...this.#entries.values()].filter(
      ({ rendered, applied, deleted, orphan }) =>
        rendered !== undefined || applied !== undefined || deleted === true || orphan === true,
    )
    const keys = new Map(ours.map(entry => [entry, sortKey(entry.ref)]))
    return ours.sort((a, b) => compareBytes(keys.get(a) ?? '', keys.get(b) ?? ''))
  }
}

function sortKey({ group = '', version = '', kind, namespace = '', name }: ObjectRef): string {
  return [group, version, kind, namespace, name].join('\0')
}
