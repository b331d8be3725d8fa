import { apiVersion, finalizer, type ReviewEnvironment } from '../api/index.ts'
import { KubeError } from '../kube/errors.ts'
import { formatKey, type GroupVersionKind, type KubeObject, keyOf } from '../kube/types.ts'
import { messageOf } from '../util/errors.ts'
import { deleteEnvironment } from './carry-out.ts'
import type { ControllerContext } from './context.ts'
import { placeOf } from './keys.ts'
import { parseOwner } from './ownership.ts'
import { findProject, ownSelector } from './stores.ts'

/** How long something must have been without an owner before it is removed, in milliseconds. */
export const sweepGrace = 60_000

/** What is looked through besides what informers hold; listed, metadata only, a page at a time. */
const listed: readonly (GroupVersionKind & { everywhere: boolean })[] = [
  { apiVersion: 'gitops.kluctl.io/v1beta1', kind: 'KluctlDeployment', everywhere: true },
  // In a project's namespace the controller may list accounts, and nowhere else.
  { apiVersion: 'v1', kind: 'ServiceAccount', everywhere: false },
]

/**
 * Looks for what should not exist: what carries our mark and whose environment is gone, and environments whose project
 * is gone. Something is removed only after it was found twice, a minute apart, and after a fresh look at its owner;
 * what lacks our mark is never touched.
 */
export class Sweeper {
  readonly #context: ControllerContext
  /** When each suspect was first seen without an owner, by kind, place and uid. */
  #suspects = new Map<string, number>()

  constructor(context: ControllerContext) {
    this.#context = context
  }

  /** Sweeps until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await this.sweep(signal)
      } catch (error) {
        if (signal.aborted) return
        this.#context.log.warn({ error: messageOf(error) }, 'the sweep failed; trying again')
      }
      // Suspects are looked at again as soon as their grace is over.
      const pause = this.#suspects.size > 0 ? sweepGrace + 1_000 : this.#context.limits.sweepInterval
      await this.#context.clock.sleep(pause, signal).catch(() => undefined)
    }
  }

  /** One look; gives how many objects were removed. */
  async sweep(signal: AbortSignal): Promise<number> {
    const { namespaces, bindings } = this.#context.stores
    const seen = new Map<string, number>()
    const objects = [...namespaces.list(), ...bindings.list(), ...(await this.#list(signal))]
    let removed = 0
    for (const object of objects) {
      if (this.#isOwned(object) || !this.#isRipe(object, seen)) continue
      removed += await this.#attempt(object, () => this.#remove(object, signal), signal)
    }
    for (const environment of this.#context.stores.environments.list()) {
      if (!this.#isStray(environment) || !this.#isRipe(environment, seen)) continue
      removed += await this.#attempt(environment, () => this.#removeStray(environment, signal), signal)
    }
    this.#suspects = seen
    return removed
  }

  /** Whether the environment that the object was made for exists, or nobody says whose it is. */
  #isOwned(object: KubeObject): boolean {
    const owner = parseOwner(object)
    if (owner === undefined || object.metadata.deletionTimestamp !== undefined) return true
    // What belongs to projects that somebody else looks after is not ours to judge.
    if (!this.#isInScope(owner.namespace)) return true
    return this.#context.stores.environments.byIndex('uid', owner.uid).length > 0
  }

  #isInScope(namespace: string): boolean {
    const { namespaces } = this.#context
    return namespaces.length === 0 || namespaces.includes(namespace)
  }

  /** An environment that once had a project, as its finalizer says, and has none any more. */
  #isStray(environment: ReviewEnvironment): boolean {
    const { finalizers, deletionTimestamp } = environment.metadata
    if (deletionTimestamp !== undefined || !finalizers?.includes(finalizer)) return false
    return findProject(this.#context.stores, environment) === undefined
  }

  /** Notes a suspect; whether it has been one for long enough. */
  #isRipe(object: KubeObject, seen: Map<string, number>): boolean {
    const id = `${formatKey(keyOf(object))} ${object.metadata.uid ?? ''}`
    const now = this.#context.clock.now()
    const since = this.#suspects.get(id) ?? now
    seen.set(id, since)
    return now - since >= sweepGrace
  }

  /** One that cannot be removed does not keep the others. */
  async #attempt(object: KubeObject, remove: () => Promise<unknown>, signal: AbortSignal): Promise<number> {
    const key = formatKey(keyOf(object))
    try {
      const done = await remove()
      if (done === false) return 0
      this.#context.log.info({ object: key, owner: parseOwner(object) }, 'swept: it had no owner any more')
      return 1
    } catch (error) {
      signal.throwIfAborted()
      this.#context.log.warn({ object: key, error: messageOf(error) }, 'cannot be swept')
      return 0
    }
  }

  /** Removes an object after a fresh look at the environment it names; false if that exists after all. */
  async #remove(object: KubeObject, signal: AbortSignal): Promise<boolean> {
    const owner = parseOwner(object)
    if (owner === undefined) return false
    const { namespace, name, uid } = owner
    const environment = await this.#context.kube.getMetadata(
      { apiVersion, kind: 'ReviewEnvironment', namespace, name },
      { signal },
    )
    if (environment?.metadata.uid === uid) return false
    const { uid: own } = object.metadata
    await this.#context.kube.delete(keyOf(object), { ...(own === undefined ? {} : { uid: own }), signal })
    return true
  }

  /** Removes an environment after a fresh look for its project; false if that exists after all. */
  async #removeStray(environment: ReviewEnvironment, signal: AbortSignal): Promise<boolean> {
    const { namespace } = environment.metadata
    const key = { apiVersion, kind: 'ReviewProject', namespace, name: environment.spec.projectRef.name }
    if ((await this.#context.kube.getMetadata(key, { signal })) !== undefined) return false
    await deleteEnvironment(this.#context, environment, 'its project does not exist', signal)
    return true
  }

  async #list(signal: AbortSignal): Promise<KubeObject[]> {
    const found: KubeObject[] = []
    for (const { everywhere, ...kind } of listed) {
      const places = everywhere && this.#context.namespaces.length === 0 ? [undefined] : this.#projectNamespaces()
      for (const namespace of places) found.push(...(await this.#listIn(kind, namespace, signal)))
    }
    return found
  }

  async #listIn(kind: GroupVersionKind, namespace: string | undefined, signal: AbortSignal): Promise<KubeObject[]> {
    try {
      const options = { namespace, labelSelector: ownSelector(this.#context.namespaces), metadataOnly: true, signal }
      return (await this.#context.kube.list(kind, options)).items
    } catch (error) {
      // No such kind in this cluster, or a namespace that the controller was not given: nothing of ours can be there.
      if (error instanceof KubeError && (error.isKindMissing || error.isForbidden || error.isNotFound)) return []
      throw error
    }
  }

  #projectNamespaces(): readonly string[] {
    const { namespaces, stores } = this.#context
    if (namespaces.length > 0) return namespaces
    const { projects, environments } = stores
    const places = [...projects.list(), ...environments.list()].map(object => placeOf(object).split('/')[0] ?? '')
    return [...new Set(places)]
  }
}
