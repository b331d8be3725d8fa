import type { KubeClient } from '../kube/client.ts'
import { Informer, type InformerHandler, type InformerOptions } from '../kube/informer.ts'
import type { KubeObject } from '../kube/types.ts'

/** One kind as seen in some namespaces, or in all: one watch for each, read as if they were one. */
export class ScopedInformer<T extends KubeObject> {
  readonly synced: Promise<void>
  readonly #informers: ReadonlyMap<string, Informer<T>>

  /** @param namespaces where to look; none: everywhere */
  constructor(client: Pick<KubeClient, 'list' | 'watch'>, namespaces: readonly string[], options: InformerOptions<T>) {
    const scopes = namespaces.length === 0 ? [undefined] : namespaces
    this.#informers = new Map(
      scopes.map(namespace => [namespace ?? '', new Informer<T>(client, { ...options, namespace })]),
    )
    this.synced = Promise.all([...this.#informers.values()].map(({ synced }) => synced)).then(() => undefined)
  }

  start(): this {
    for (const informer of this.#all()) informer.start()
    return this
  }

  async close(): Promise<void> {
    await Promise.all([...this.#all()].map(informer => informer.close()))
  }

  get hasSynced(): boolean {
    return [...this.#all()].every(({ hasSynced }) => hasSynced)
  }

  get size(): number {
    return [...this.#all()].reduce((sum, { size }) => sum + size, 0)
  }

  get(namespace: string | undefined, name: string): T | undefined {
    return this.#of(namespace)?.get(namespace, name)
  }

  list(): T[] {
    return [...this.#all()].flatMap(informer => informer.list())
  }

  byIndex(index: string, value: string): T[] {
    return [...this.#all()].flatMap(informer => informer.byIndex(index, value))
  }

  count(index: string, value: string): number {
    return [...this.#all()].reduce((sum, informer) => sum + informer.count(index, value), 0)
  }

  /** As Informer.addHandler. */
  addHandler(handler: InformerHandler<T>): () => void {
    const removers = [...this.#all()].map(informer => informer.addHandler(handler))
    return () => {
      for (const remove of removers) remove()
    }
  }

  assume(object: T, options: { ahead?: boolean } = {}): void {
    this.#of(object.metadata.namespace)?.assume(object, options)
  }

  assumeDeleted(object: KubeObject): void {
    this.#of(object.metadata.namespace)?.assumeDeleted(object)
  }

  #all(): Iterable<Informer<T>> {
    return this.#informers.values()
  }

  #of(namespace: string | undefined): Informer<T> | undefined {
    return this.#informers.get('') ?? this.#informers.get(namespace ?? '')
  }
}
