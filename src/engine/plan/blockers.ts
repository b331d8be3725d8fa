import { type Manifest, text } from '../item.ts'
import { getPath, isObject, type Json } from '../values.ts'

/** Conditions by which the namespace controller says what keeps a namespace; those of failures are true for a failure. */
const namespaceConditions = new Set([
  'NamespaceContentRemaining',
  'NamespaceFinalizersRemaining',
  'NamespaceDeletionContentFailure',
  'NamespaceDeletionDiscoveryFailure',
  'NamespaceDeletionGroupVersionParsingFailure',
])

/** What keeps an object that is being deleted, for people; empty when it does not say. */
export function blockersOf(object: Manifest): string[] {
  const blockers = listAt(object, ['metadata', 'finalizers']).map(finalizer => `finalizer ${text(finalizer)}`)
  if (object.kind === 'Namespace' && object.apiVersion === 'v1') {
    for (const condition of listAt(object, ['status', 'conditions']).filter(isObject)) {
      const { type, status, message } = condition
      if (status !== 'True' || typeof type !== 'string' || !namespaceConditions.has(type)) continue
      blockers.push(typeof message === 'string' ? message : type)
    }
  }
  const grace = getPath(object, ['metadata', 'deletionGracePeriodSeconds'])
  if (blockers.length === 0 && typeof grace === 'number' && grace > 0) blockers.push(`grace period of ${grace} s`)
  return blockers
}

/** `: held by …`, or nothing. */
export function heldBy(object: Manifest | undefined): string {
  const blockers = object === undefined ? [] : blockersOf(object)
  return blockers.length === 0 ? '' : `: held by ${blockers.join('; ')}`
}

function listAt(object: Manifest, path: readonly string[]): Json[] {
  const value = getPath(object, path)
  return Array.isArray(value) ? value : []
}
