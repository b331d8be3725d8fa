import type { KubeClient } from '../../../src/kube/client.ts'
import { uniqueName } from '../cluster.ts'
import { waitFor } from '../wait.ts'

const kind = { apiVersion: 'v1', kind: 'ConfigMap' }

/** Every change of a namespace's ConfigMaps in the order that the API server made them, as `ADDED name`. */
export class ConfigMapChanges implements AsyncDisposable {
  readonly #kube: KubeClient
  readonly #namespace: string
  readonly #end = new AbortController()
  readonly #changes: string[] = []
  #watching: Promise<void> = Promise.resolve()
  #failure: unknown

  private constructor(kube: KubeClient, namespace: string) {
    this.#kube = kube
    this.#namespace = namespace
  }

  static async of(kube: KubeClient, namespace: string): Promise<ConfigMapChanges> {
    const changes = new ConfigMapChanges(kube, namespace)
    const { resourceVersion } = await kube.list(kind, { namespace })
    const events = await kube.watch(kind, { namespace, resourceVersion, signal: changes.#end.signal })
    changes.#watching = (async () => {
      for await (const { type, object } of events) {
        const { name = '' } = object.metadata
        if (type !== 'BOOKMARK' && name !== 'kube-root-ca.crt') changes.#changes.push(`${type} ${name}`)
      }
    })().catch(error => {
      changes.#failure = error
    })
    return changes
  }

  /** The changes since the last call, all that were made before this one. */
  async take(): Promise<string[]> {
    const name = uniqueName('marker')
    await this.#kube.create({ ...kind, metadata: { name, namespace: this.#namespace } })
    const marker = `ADDED ${name}`
    await waitFor(() => this.#changes.includes(marker) || this.#failure, { describe: 'the watch to catch up' })
    if (this.#failure !== undefined) throw new Error('the watch ended', { cause: this.#failure })
    const taken = this.#changes.splice(0, this.#changes.indexOf(marker) + 1)
    return taken.filter(change => !change.includes(' marker-'))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#end.abort()
    await this.#watching
  }
}
