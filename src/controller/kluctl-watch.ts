import { apiVersion, type ReviewEnvironment, type ReviewProject } from '../api/index.ts'
import { DiscriminatorIndex } from '../backend/kluctl/discriminator-index.ts'
import { kluctlDeploymentKind } from '../backend/kluctl/resource.ts'
import type { KubeClient } from '../kube/client.ts'
import { KubeError } from '../kube/errors.ts'
import { Informer } from '../kube/informer.ts'
import type { KubeObject } from '../kube/types.ts'
import type { Enqueue } from './context.ts'
import { parseOwner } from './ownership.ts'
import type { ScopedInformer } from './scoped-informer.ts'
import type { StoreOptions, Stores } from './stores.ts'

/**
 * Watches every KluctlDeployment of the cluster, for two reasons: an environment is looked at as soon as its deployment
 * changes, and no discriminator may be used that somebody else has. Begins with the first project that deploys that
 * way: other clusters need not have the kind.
 */
export class KluctlWatch {
  /** Every discriminator in use; complete while `ready`. */
  readonly discriminators = new DiscriminatorIndex()
  readonly #informer: Informer<KubeObject>
  /** Environments of the whole cluster, also of projects that others look after. */
  readonly #environments: Informer<ReviewEnvironment> | ScopedInformer<ReviewEnvironment>
  readonly #stores: Stores
  readonly #kube: Pick<KubeClient, 'resourceFor'>
  #remove: (() => void)[] = []

  constructor(kube: KubeClient, stores: Stores, { namespaces, ...options }: StoreOptions) {
    this.#stores = stores
    this.#kube = kube
    this.#informer = new Informer<KubeObject>(kube, { ...options, ...kluctlDeploymentKind, transform: onlyIdentity })
    const { discriminators } = this
    this.#informer.addHandler({
      onAdd: object => discriminators.setDeployment(object),
      onUpdate: object => discriminators.setDeployment(object),
      onDelete: ({ metadata }) => discriminators.deleteDeployment(metadata.namespace ?? '', metadata.name ?? ''),
    })
    const everywhere = { ...options, apiVersion, kind: 'ReviewEnvironment', transform: onlyRecorded }
    this.#environments =
      namespaces.length === 0 ? stores.environments : new Informer<ReviewEnvironment>(kube, everywhere)
    this.#environments.addHandler({
      onAdd: environment => discriminators.setEnvironment(environment),
      onUpdate: environment => discriminators.setEnvironment(environment),
      onDelete: ({ metadata }) => discriminators.deleteEnvironment(metadata.namespace, metadata.name),
    })
  }

  /** Whether every KluctlDeployment of the cluster is known. */
  get ready(): boolean {
    return this.#informer.hasSynced && this.#environments.hasSynced
  }

  /** Whether a KluctlDeployment is there, as far as is known. */
  has(namespace: string, name: string): boolean {
    return this.#informer.get(namespace, name) !== undefined
  }

  /**
   * Whether every discriminator of the cluster is known: of every environment, and of every KluctlDeployment unless the
   * cluster has no such kind.
   */
  async known(signal: AbortSignal): Promise<boolean> {
    if (this.ready) return true
    this.start()
    try {
      await this.#kube.resourceFor(kluctlDeploymentKind, { signal })
      return false
    } catch (error) {
      if (error instanceof KubeError && error.isKindMissing) return this.#environments.hasSynced
      throw error
    }
  }

  /** Begins to watch, if it has not. */
  start(): void {
    this.#informer.start()
    this.#environments.start()
  }

  /** Asks for work while a term lasts. */
  begin(enqueue: Enqueue): void {
    const ask = (object: KubeObject) => {
      const owner = parseOwner(object)
      if (owner !== undefined) enqueue.now({ kind: 'environment', namespace: owner.namespace, name: owner.name })
    }
    const startFor = ({ spec }: ReviewProject) => {
      if (spec.deploy.kluctlDeployment !== undefined) this.start()
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

  async close(): Promise<void> {
    this.end()
    await Promise.all([this.#informer.close(), this.#environments.close()])
  }
}

/** What tells a deployment, its owner and its discriminator; the rest would be most of the memory. */
function onlyIdentity(object: KubeObject): KubeObject {
  const { name = '', namespace, uid, resourceVersion, creationTimestamp, annotations = {} } = object.metadata
  const own = Object.entries(annotations).filter(([key]) => key.startsWith('offshoot.dev/'))
  const status = object.status as { targetKey?: unknown } | undefined
  const metadata = { name, namespace, uid, resourceVersion, creationTimestamp, annotations: Object.fromEntries(own) }
  return {
    apiVersion: object.apiVersion,
    kind: object.kind,
    metadata: Object.fromEntries(Object.entries(metadata).filter(([, value]) => value !== undefined)),
    ...(status?.targetKey === undefined ? {} : { status: { targetKey: status.targetKey } }),
  }
}

function onlyRecorded(environment: ReviewEnvironment): ReviewEnvironment {
  const { discriminators } = environment.status ?? {}
  return { ...onlyIdentityOf(environment), status: discriminators === undefined ? {} : { discriminators } }
}

function onlyIdentityOf({ apiVersion: version, kind, metadata, spec }: ReviewEnvironment): ReviewEnvironment {
  const { name, namespace, uid, resourceVersion } = metadata
  const ids = { ...(uid === undefined ? {} : { uid }), ...(resourceVersion === undefined ? {} : { resourceVersion }) }
  return { apiVersion: version, kind, metadata: { name, namespace, ...ids }, spec }
}
