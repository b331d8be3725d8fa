import type { KubeClient } from '../../src/kube/client.ts'
import { Informer } from '../../src/kube/informer.ts'
import { formatKey, type GroupVersionKind, type KubeObject, keyOf, type ObjectKey } from '../../src/kube/types.ts'
import { shaAnnotation } from './objects.ts'

/** What is watched: everything that the main job makes, metadata only. */
const kinds: readonly GroupVersionKind[] = [
  { apiVersion: 'offshoot.dev/v1alpha1', kind: 'ReviewEnvironment' },
  { apiVersion: 'gitops.kluctl.io/v1beta1', kind: 'KluctlDeployment' },
  { apiVersion: 'v1', kind: 'Namespace' },
  { apiVersion: 'v1', kind: 'ServiceAccount' },
  { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'RoleBinding' },
  { apiVersion: 'v1', kind: 'ConfigMap' },
  { apiVersion: 'v1', kind: 'Service' },
  { apiVersion: 'apps/v1', kind: 'Deployment' },
]

/** What is waited for: an object that comes, goes, or is written for a commit. */
export type Sight = `added ${string}` | `deleted ${string}` | `leaving ${string}` | `at ${string} ${string}`

/** Notes when objects came, changed and went, by `performance.now()`, as watches of the API server tell it. */
export class Sightings {
  readonly #seen = new Map<string, number>()
  readonly #waiting = new Map<string, ((time: number) => void)[]>()
  readonly #informers: Informer<KubeObject>[]

  constructor(kube: KubeClient) {
    this.#informers = kinds.map(kind => {
      const informer = new Informer<KubeObject>(kube, { ...kind, metadataOnly: true, transform: onlyMarks })
      informer.addHandler({
        onAdd: object => this.#note(object),
        onUpdate: object => this.#note(object),
        onDelete: object => this.#mark(`deleted ${formatKey(keyOf(object))}`),
      })
      return informer
    })
  }

  async start(): Promise<void> {
    for (const informer of this.#informers) informer.start()
    await Promise.all(this.#informers.map(informer => informer.synced))
  }

  async close(): Promise<void> {
    await Promise.all(this.#informers.map(informer => informer.close()))
  }

  /** When it was first seen; undefined if it was not yet. */
  time(sight: Sight): number | undefined {
    return this.#seen.get(sight)
  }

  /** Waits until everything was seen; gives when the last of it was. @throws Error after `deadline` ms */
  async last(sights: readonly Sight[], deadline = 120_000): Promise<number> {
    const late = Promise.withResolvers<never>()
    const timer = setTimeout(() => {
      const missing = sights.filter(sight => !this.#seen.has(sight))
      const some = missing.slice(0, 3).join('; ')
      late.reject(new Error(`not seen in ${deadline} ms: ${missing.length} of ${sights.length}, such as ${some}`))
    }, deadline)
    try {
      const times = await Promise.race([Promise.all(sights.map(sight => this.#once(sight))), late.promise])
      return times.reduce((last, time) => Math.max(last, time), 0)
    } finally {
      clearTimeout(timer)
    }
  }

  #once(sight: Sight): Promise<number> {
    const known = this.#seen.get(sight)
    if (known !== undefined) return Promise.resolve(known)
    return new Promise(resolve => this.#waiting.set(sight, [...(this.#waiting.get(sight) ?? []), resolve]))
  }

  #note(object: KubeObject): void {
    const key = formatKey(keyOf(object))
    this.#mark(`added ${key}`)
    if (object.metadata.deletionTimestamp !== undefined) this.#mark(`leaving ${key}`)
    const sha = object.metadata.annotations?.[shaAnnotation]
    if (sha !== undefined) this.#mark(`at ${sha} ${key}`)
  }

  #mark(sight: Sight): void {
    if (this.#seen.has(sight)) return
    const now = performance.now()
    this.#seen.set(sight, now)
    for (const resolve of this.#waiting.get(sight) ?? []) resolve(now)
    this.#waiting.delete(sight)
  }
}

/** Sight of an object that came. */
export function added(key: ObjectKey): Sight {
  return `added ${formatKey(key)}`
}

/** Sight of an object that is gone. */
export function deleted(key: ObjectKey): Sight {
  return `deleted ${formatKey(key)}`
}

/** Sight of an object written for a commit. */
export function at(sha: string, key: ObjectKey): Sight {
  return `at ${sha} ${formatKey(key)}`
}

function onlyMarks({ apiVersion, kind, metadata }: KubeObject): KubeObject {
  const { name, namespace, uid, resourceVersion, deletionTimestamp, annotations } = metadata
  const sha = annotations?.[shaAnnotation]
  return {
    apiVersion,
    kind,
    metadata: {
      ...(name === undefined ? {} : { name }),
      ...(namespace === undefined ? {} : { namespace }),
      ...(uid === undefined ? {} : { uid }),
      ...(resourceVersion === undefined ? {} : { resourceVersion }),
      ...(deletionTimestamp === undefined ? {} : { deletionTimestamp }),
      ...(sha === undefined ? {} : { annotations: { [shaAnnotation]: sha } }),
    },
  }
}
