import type { ReviewProject } from '../api/index.ts'
import type { KubeClient } from '../kube/client.ts'
import type { KubeObject } from '../kube/types.ts'
import type { Enqueue } from './context.ts'
import { parseOwner } from './ownership.ts'
import { ScopedInformer } from './scoped-informer.ts'
import { ownSelector, type StoreOptions, type Stores } from './stores.ts'

/**
 * Hears of what the kluctl controller does to our KluctlDeployments, metadata only, so that an environment is looked at
 * as soon as its deployment changes. Watches from the first project on that deploys that way: other clusters need not
 * have the kind.
 */
export class KluctlWatch {
  readonly #informer: ScopedInformer<KubeObject>
  readonly #stores: Stores
  #remove: (() => void)[] = []

  constructor(kube: KubeClient, stores: Stores, { namespaces, ...options }: StoreOptions) {
    this.#stores = stores
    this.#informer = new ScopedInformer<KubeObject>(kube, namespaces, {
      ...options,
      apiVersion: 'gitops.kluctl.io/v1beta1',
      kind: 'KluctlDeployment',
      labelSelector: ownSelector(namespaces),
      metadataOnly: true,
      transform: onlyOwner,
    })
  }

  /** Asks for work while a term lasts. */
  begin(enqueue: Enqueue): void {
    const ask = (object: KubeObject) => {
      const owner = parseOwner(object)
      if (owner !== undefined) enqueue.now({ kind: 'environment', namespace: owner.namespace, name: owner.name })
    }
    const startFor = ({ spec }: ReviewProject) => {
      if (spec.deploy.kluctlDeployment !== undefined) this.#informer.start()
    }
    this.#remove = [
      this.#informer.addHandler({ onUpdate: ask, onDelete: ask }),
      this.#stores.projects.addHandler({ onAdd: startFor, onUpdate: startFor }),
    ]
  }

  /** Asks for nothing more; goes on watching for the next term. */
  end(): void {
    for (const remove of this.#remove.splice(0)) remove()
  }

  close(): Promise<void> {
    this.end()
    return this.#informer.close()
  }
}

function onlyOwner(object: KubeObject): KubeObject {
  const { name = '', namespace, uid, resourceVersion, annotations } = object.metadata
  const kept = { name, ...(namespace === undefined ? {} : { namespace }) }
  const ids = { ...(uid === undefined ? {} : { uid }), ...(resourceVersion === undefined ? {} : { resourceVersion }) }
  return { ...object, metadata: { ...kept, ...ids, ...(annotations === undefined ? {} : { annotations }) } }
}
