import type { KubeClient } from '../../src/kube/client.ts'
import { Informer } from '../../src/kube/informer.ts'
import { formatKey, type GroupVersionKind, type KubeObject, keyOf } from '../../src/kube/types.ts'
import { waitFor } from '../../test/harness/wait.ts'

/** When an object came and went, by `performance.now()`. */
interface Sighting {
  added?: number
  deleted?: number
}

/** What is watched: everything that the main job makes. */
const kinds: readonly GroupVersionKind[] = [
  { apiVersion: 'offshoot.dev/v1alpha1', kind: 'ReviewEnvironment' },
  { apiVersion: 'gitops.kluctl.io/v1beta1', kind: 'KluctlDeployment' },
  { apiVersion: 'v1', kind: 'Namespace' },
  { apiVersion: 'v1', kind: 'ServiceAccount' },
  { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'RoleBinding' },
  { apiVersion: 'v1', kind: 'ConfigMap' },
]

/** Notes when objects appear and disappear, as watches of the API server tell it. */
export class Sightings {
  readonly #seen = new Map<string, Sighting>()
  readonly #informers: Informer<KubeObject>[]

  constructor(kube: KubeClient) {
    this.#informers = kinds.map(kind => {
      const informer = new Informer<KubeObject>(kube, kind)
      informer.addHandler({
        onAdd: object => this.#note(object, 'added'),
        onDelete: object => this.#note(object, 'deleted'),
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

  /** Waits until every object was seen to come (or go), and gives when the last one was. */
  async last(keys: readonly Parameters<typeof formatKey>[0][], what: 'added' | 'deleted'): Promise<number> {
    const times = () => keys.map(key => this.#seen.get(formatKey(key))?.[what])
    await waitFor(() => times().every(time => time !== undefined), {
      deadline: 120_000,
      interval: 5,
      describe: () =>
        `${what}: ${keys.map((key, index) => `${formatKey(key)} ${times()[index] ?? 'not yet'}`).join(', ')}`,
    })
    return Math.max(...times().map(time => time ?? 0))
  }

  #note(object: KubeObject, what: 'added' | 'deleted'): void {
    const key = formatKey(keyOf(object))
    const sighting = this.#seen.get(key) ?? {}
    sighting[what] = performance.now()
    this.#seen.set(key, sighting)
  }
}
