import type { Blocker } from '../api/index.ts'
import type { Condition, KubeObject } from '../kube/types.ts'
import { presentable } from './mask.ts'

/** Conditions that the namespace controller sets while contents keep a namespace from going. */
const failures: ReadonlySet<string> = new Set([
  'NamespaceDeletionDiscoveryFailure',
  'NamespaceDeletionGroupVersionParsingFailure',
  'NamespaceDeletionContentFailure',
])

/** Most blockers that one namespace gives. */
const maxBlockers = 20

/**
 * What keeps a namespace from going, as its conditions tell (k8s.io/kubernetes, namespace controller): kinds with their
 * counts, and finalizers with theirs. Objects known by name come first and replace the count of their kind when they
 * are all of it. Pure.
 */
export function namespaceBlockers(namespace: KubeObject, known: readonly Blocker[]): Blocker[] {
  if (namespace.metadata.deletionTimestamp === undefined) return []
  const name = namespace.metadata.name ?? ''
  // What this function gave before, counts, is known no better than from today's conditions.
  const inside = known.filter(blocker => blocker.namespace === name && !blocker.name.startsWith('('))
  const conditions = conditionsOf(namespace).filter(condition => condition.status === 'True')
  const content = conditions.find(condition => condition.type === 'NamespaceContentRemaining')
  const held = conditions.find(condition => condition.type === 'NamespaceFinalizersRemaining')
  const counts = content === undefined ? [] : remainingOf(content.message)
  const finalizers = held === undefined ? [] : remainingOf(held.message)
  // A pure wish is no blocker: once the controller has counted, only kinds that remain do block.
  const named =
    counts.length === 0 ? inside : inside.filter(blocker => counts.some(({ what }) => isOfKind(blocker, what)))
  const unnamed = counts.filter(({ what, count }) => named.filter(blocker => isOfKind(blocker, what)).length < count)
  return [
    ...named,
    ...unnamed.map(({ what, count }) => kindBlocker(name, what, count, finalizers)),
    ...conditions.filter(({ type }) => failures.has(type)).map(condition => failureBlocker(name, condition)),
    ...ownFinalizers(namespace, name),
  ].slice(0, maxBlockers)
}

function conditionsOf(namespace: KubeObject): Condition[] {
  const status = namespace.status as { conditions?: Condition[] } | undefined
  return status?.conditions ?? []
}

interface Remaining {
  /** `configmaps.` or `kustomizations.kustomize.toolkit.fluxcd.io`, or a finalizer. */
  what: string
  count: number
}

/** Reads `Some resources are remaining: pods. has 2 resource instances, x.y has 1 …` and its twin for finalizers. */
function remainingOf(message = ''): Remaining[] {
  const matches = message.matchAll(/([^\s,:]+)(?: has (\d+) resource instances| in (\d+) resource instances)/g)
  return [...matches].map(([, what = '', ofKind, ofFinalizer]) => ({ what, count: Number(ofKind ?? ofFinalizer) }))
}

/** Conditions name resources (`deployments.apps`), blockers kinds (`Deployment`): group and plural are compared. */
function isOfKind({ apiVersion, kind }: Blocker, resource: string): boolean {
  const [plural = '', ...group] = resource.split('.')
  const ownGroup = apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : ''
  const lower = kind.toLowerCase()
  const plurals = [`${lower}s`, `${lower}es`, lower, lower.replace(/y$/, 'ies')]
  return group.join('.') === ownGroup && plurals.includes(plural)
}

function kindBlocker(namespace: string, resource: string, count: number, finalizers: readonly Remaining[]): Blocker {
  const [plural = '', ...group] = resource.split('.')
  const groupName = group.join('.')
  return {
    apiVersion: groupName === '' ? 'v1' : groupName,
    kind: plural.slice(0, 63),
    namespace,
    name: `(${count})`,
    ...(finalizers.length === 0 ? {} : { finalizers: finalizers.map(({ what }) => what.slice(0, 316)).slice(0, 20) }),
    message: `${count} ${resource.replace(/\.$/, '')} remain in the namespace`,
  }
}

function failureBlocker(namespace: string, { type, message = '' }: Condition): Blocker {
  return { apiVersion: 'v1', kind: 'Namespace', name: namespace, message: presentable(`${type}: ${message}`) }
}

function ownFinalizers(namespace: KubeObject, name: string): Blocker[] {
  const own = namespace.metadata.finalizers ?? []
  return own.length === 0 ? [] : [{ apiVersion: 'v1', kind: 'Namespace', name, finalizers: own.slice(0, 20) }]
}
