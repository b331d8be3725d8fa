import type { KubeObject, ManagedFieldsEntry } from '../../kube/types.ts'
import { StatusError } from '../errors.ts'
import type { Schema } from '../schema/schema.ts'
import { compareFields, type FieldChanges, fieldSetOf } from './field-set.ts'
import { merge, removeUnowned } from './merge.ts'
import {
  difference,
  equalSets,
  formatPaths,
  fromFieldsV1,
  intersection,
  PathSet,
  toFieldsV1,
  union,
  withoutTrees,
} from './path-set.ts'

/** Who writes, and how. */
export interface Writer {
  manager: string
  operation: 'Apply' | 'Update'
  apiVersion: string
  subresource: string
  /** RFC 3339. */
  time: string
}

interface Manager extends Writer {
  set: PathSet
}

/** Fields that nobody owns: the API server sets them. */
const unowned = new PathSet()
for (const name of ['apiVersion', 'kind']) unowned.child(`f:${name}`).member = true
const metadataFields = 'name namespace creationTimestamp selfLink uid generation managedFields resourceVersion'
for (const name of metadataFields.split(' ')) unowned.child('f:metadata').child(`f:${name}`).member = true

/** Fields that a write through an endpoint leaves alone, and does not own therefore. */
export function ignoredFields(resets: readonly string[]): PathSet {
  const set = new PathSet()
  for (const name of resets) set.child(`f:${name}`).member = true
  return set
}

function readManagers(entries: readonly ManagedFieldsEntry[] | undefined): Manager[] {
  return (entries ?? []).map(entry => ({
    manager: entry.manager ?? '',
    operation: entry.operation === 'Apply' ? 'Apply' : 'Update',
    apiVersion: entry.apiVersion ?? '',
    subresource: entry.subresource ?? '',
    time: entry.time ?? '',
    set: fromFieldsV1(entry.fieldsV1),
  }))
}

function writeManagers(managers: readonly Manager[]): ManagedFieldsEntry[] {
  const order = (one: Manager) => `${one.operation} ${one.time} ${one.manager} ${one.apiVersion} ${one.subresource}`
  return managers
    .filter(({ set }) => !set.isEmpty)
    .sort((a, b) => (order(a) < order(b) ? -1 : 1))
    .map(({ manager, operation, apiVersion, subresource, time, set }) => ({
      manager,
      operation,
      apiVersion,
      time,
      fieldsType: 'FieldsV1',
      fieldsV1: toFieldsV1(set),
      ...(subresource === '' ? {} : { subresource }),
    }))
}

function isSame(a: Writer, b: Writer): boolean {
  return (
    a.manager === b.manager &&
    a.operation === b.operation &&
    a.apiVersion === b.apiVersion &&
    a.subresource === b.subresource
  )
}

function ownable(object: unknown, schema: Schema | undefined, ignored: PathSet): PathSet {
  const set = withoutTrees(withoutTrees(fieldSetOf(object, schema), unowned), ignored)
  const metadata = set.children.get('f:metadata')
  if (metadata) metadata.member = false
  return set
}

function changesOf(before: unknown, after: KubeObject, schema: Schema | undefined, ignored: PathSet): FieldChanges {
  const empty = { metadata: {}, ...(schema?.['x-kubernetes-group-version-kind'] ? { spec: {} } : {}) }
  const { written, removed } = compareFields(before ?? empty, after, schema)
  const owned = (set: PathSet) => withoutTrees(withoutTrees(set, unowned), ignored)
  return { written: owned(written), removed: owned(removed) }
}

/** The managedFields after an ordinary write: the writer owns what it changed, others lose that. */
export function managedAfterUpdate(
  before: KubeObject | undefined,
  after: KubeObject,
  schema: Schema | undefined,
  writer: Writer,
  ignored: PathSet,
): ManagedFieldsEntry[] {
  const { written, removed } = changesOf(before, after, schema, ignored)
  // An empty list in the request resets what is known of owners.
  const entries = after.metadata.managedFields?.length === 0 ? [] : before?.metadata.managedFields
  const managers = readManagers(entries).map(one =>
    isSame(one, writer) ? one : { ...one, set: difference(difference(one.set, written), removed) },
  )
  const index = managers.findIndex(one => isSame(one, writer))
  const previous = managers[index]?.set ?? new PathSet()
  const mine: Manager = { ...writer, set: union(difference(previous, removed), written) }
  if (index === -1) managers.push(mine)
  else managers[index] = mine
  return writeManagers(managers)
}

/**
 * Server-side apply: the object after `applied` was merged into `live`, with managedFields.
 * @throws StatusError (409) when another manager owns a field that would change, unless `force`
 */
export function applyConfiguration(
  live: KubeObject | undefined,
  applied: KubeObject,
  schema: Schema | undefined,
  writer: Writer,
  ignored: PathSet,
  force: boolean,
): KubeObject {
  const managers = readManagers(live?.metadata.managedFields)
  const previous = managers.find(one => isSame(one, writer))
  const others = managers.filter(one => one !== previous)
  const set = ownable(applied, schema, ignored)
  let merged = merge(live, applied, schema) as KubeObject
  if (previous) {
    const owned = others.reduce((all, one) => union(all, one.set), set)
    merged = removeUnowned(merged, previous.set, owned, schema) as KubeObject
  }
  const { written, removed } = changesOf(live, merged, schema, ignored)
  const conflicts = others.map(one => ({ ...one, set: intersection(one.set, written) })).filter(one => !one.set.isEmpty)
  if (conflicts.length > 0 && !force) throw conflictOf(conflicts)
  const rest = others.map(one => ({ ...one, set: difference(difference(one.set, written), removed) }))
  const same = previous !== undefined && equalSets(previous.set, set)
  const mine: Manager = { ...writer, set, time: same ? previous.time : writer.time }
  return withManagers(merged, writeManagers([...rest, mine]))
}

/** The object with owners of its fields; none are written as no list at all. */
export function withManagers(object: KubeObject, managedFields: ManagedFieldsEntry[]): KubeObject {
  const { managedFields: _old, ...metadata } = object.metadata
  return { ...object, metadata: managedFields.length > 0 ? { ...metadata, managedFields } : metadata }
}

function conflictOf(conflicts: readonly Manager[]): StatusError {
  const causes = conflicts.flatMap(one =>
    formatPaths(one.set).map(field => ({
      reason: 'FieldManagerConflict',
      message: `conflict with ${describe(one)}`,
      field,
    })),
  )
  const text = conflicts.map(one => {
    const paths = formatPaths(one.set)
    if (causes.length === 1) return `conflict with ${describe(one)}: ${paths[0]}`
    return `conflicts with ${describe(one)}:\n${paths.map(path => `- ${path}`).join('\n')}`
  })
  const count = `${causes.length} conflict${causes.length === 1 ? '' : 's'}`
  return new StatusError(409, 'Conflict', `Apply failed with ${count}: ${text.join('\n')}`, { causes })
}

function describe({ manager, operation, apiVersion, subresource }: Manager): string {
  const name = JSON.stringify(manager) + (subresource === '' ? '' : ` with subresource ${JSON.stringify(subresource)}`)
  return operation === 'Apply' ? name : `${name} using ${apiVersion}`
}
