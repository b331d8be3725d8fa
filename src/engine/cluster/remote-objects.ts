import type { Inclusion } from '../deployment/inclusion.ts'
import type { Manifest } from '../item.ts'
import { preferredKinds } from '../plan/api-kinds.ts'
import { type DeletionScope, isIncluded, objectsToDelete } from '../plan/orphans.ts'
import { groupKindOf, refKey, refOf } from '../plan/refs.ts'
import type { ApiKind, ObjectRef, RemoteView } from '../plan/types.ts'
import { getByName } from './remote-get.ts'
import { listByDiscriminator } from './remote-list.ts'
import type { ClusterContext } from './types.ts'

/** Which objects of the cluster a command needs to know. */
export interface RemoteRequest {
  /** Value of the label `kluctl.io/discriminator`; empty: only what `refs` name. */
  readonly discriminator: string
  /** Objects that are asked for by name: the rendered ones. */
  readonly refs: readonly ObjectRef[]
  /** Only kinds that `refs` are of; orphans of other kinds stay unseen. For `validate`. */
  readonly onlyUsedKinds?: boolean | undefined
  /**
   * Namespaces, besides those of `refs` and the client's own, to look into where an account may not list the whole
   * cluster: for commands that render nothing.
   */
  readonly namespaces?: readonly string[] | undefined
  /** The only namespaces that the account is meant to see; nothing is looked for elsewhere. */
  readonly confinedTo?: readonly string[] | undefined
}

/** Milliseconds; in a process that lives long, objects of kinds that came later must not stay unseen. */
const discoveryAge = 30_000

/** Objects of the cluster as they are before a command changes any. */
export class RemoteObjects implements RemoteView {
  /** Every kind of the cluster, each in its preferred version. */
  readonly kinds: readonly ApiKind[]
  readonly #objects = new Map<string, Manifest>()

  constructor(kinds: readonly ApiKind[], objects: Iterable<Manifest>) {
    this.kinds = kinds
    for (const object of objects) this.#objects.set(refKey(refOf(object)), object)
  }

  get(ref: ObjectRef): Manifest | undefined {
    return this.#objects.get(refKey(ref))
  }

  all(): readonly Manifest[] {
    return [...this.#objects.values()]
  }

  /** Those of the tags and folders of a command. */
  included(inclusion: Inclusion): Manifest[] {
    return this.all().filter(object => isIncluded(object, inclusion))
  }

  /** What `prune` and `delete` would delete, in order. */
  toDelete(scope: Omit<DeletionScope, 'kinds'>): ObjectRef[] {
    return objectsToDelete(this.all(), { ...scope, kinds: this.kinds })
  }
}

/**
 * Finds the objects of a target: by discriminator over every kind that can be listed, and by name those that have none
 * (yet). Objects of kinds that no ref is of come with their metadata only. What may not be read, or cannot be, is told
 * to the context's `problems`.
 * @throws KubeError or KubeConnectionError when discovery fails, the signal's reason when aborted
 */
export async function findRemoteObjects(context: ClusterContext, request: RemoteRequest): Promise<RemoteObjects> {
  const { discriminator, refs } = request
  const kinds = preferredKinds(await context.kube.allResources(discoveryAge))
  context.signal.throwIfAborted()
  const used = new Set(refs.map(groupKindOf))
  const listed =
    discriminator === ''
      ? []
      : await listByDiscriminator(context, {
          discriminator,
          kinds: request.onlyUsedKinds === true ? kinds.filter(kind => used.has(groupKindOf(kind))) : kinds,
          whole: used,
          namespaces: request.confinedTo ?? namespacesOf(context, request),
          confined: request.confinedTo !== undefined,
        })
  const known = new Set(listed.map(object => refKey(refOf(object))))
  const missing = [...new Map(refs.map(ref => [refKey(ref), ref]))].filter(([key]) => !known.has(key))
  const found = await getByName(
    context,
    missing.map(([, ref]) => ref),
  )
  return new RemoteObjects(kinds, [...listed, ...found])
}

function namespacesOf({ kube }: ClusterContext, { refs, namespaces = [] }: RemoteRequest): string[] {
  const all = new Set(namespaces)
  if (kube.defaultNamespace !== undefined) all.add(kube.defaultNamespace)
  for (const { group = '', kind, name, namespace } of refs) {
    if (namespace !== undefined) all.add(namespace)
    else if (kind === 'Namespace' && group === '') all.add(name)
  }
  return [...all]
}
