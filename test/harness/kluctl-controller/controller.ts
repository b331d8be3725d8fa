import { durationMilliseconds } from '../../../src/api/objects.ts'
import { KubeClient } from '../../../src/kube/client.ts'
import { Informer } from '../../../src/kube/informer.ts'
import { messageOf } from '../../../src/util/errors.ts'
import { Reconcile } from './reconcile.ts'
import { requestsOf } from './requests.ts'
import { Sources } from './source.ts'
import type { Deployment } from './status.ts'

const kind = { apiVersion: 'gitops.kluctl.io/v1beta1', kind: 'KluctlDeployment' } as const

/** How the stand-in is started. */
export interface KluctlControllerOptions {
  /** What `spec.interval` is multiplied with; default 1. */
  intervalScale?: number
  /** Works on KluctlDeployments of these namespaces only; default: all. Test files share one cluster. */
  namespaces?: readonly string[]
}

/** A running stand-in. */
export interface KluctlController {
  /** Errors of reconciles, such as of an API server that is away. */
  readonly errors: string[]
  /** Ends it as a kill does: what is in progress is left as it is. */
  stop(): Promise<void>
}

/**
 * Starts a stand-in for the kluctl controller: it clones and renders real projects (the simple part of the format),
 * applies them as the account that `spec.serviceAccountName` names, and behaves as the real one was seen to.
 */
export async function startKluctlController(
  kubeconfig: string,
  { intervalScale = 1, namespaces }: KluctlControllerOptions = {},
): Promise<KluctlController> {
  const kube = KubeClient.fromKubeconfig(kubeconfig)
  const sources = new Sources()
  const loops = new Loops(kube, sources, intervalScale)
  const mine = ({ metadata }: Deployment) => namespaces === undefined || namespaces.includes(metadata.namespace ?? '')
  const informer = new Informer<Deployment>(kube, kind)
  informer.addHandler({
    onAdd: object => mine(object) && loops.wake(object),
    onUpdate: (object, old) => mine(object) && isNews(object, old) && loops.wake(object),
    onDelete: object => loops.forget(object),
  })
  informer.start()
  await informer.synced
  return {
    errors: loops.errors,
    async stop() {
      await informer.close()
      await loops.stop()
      await kube.close()
      await sources.close()
    },
  }
}

/** A new spec, a delete, or a new request; its own writes wake nobody. */
function isNews(object: Deployment, old: Deployment): boolean {
  if (object.metadata.generation !== old.metadata.generation) return true
  if (object.metadata.deletionTimestamp !== old.metadata.deletionTimestamp) return true
  const before = new Set(requestsOf(old).map(request => JSON.stringify(request)))
  return requestsOf(object).some(request => !before.has(JSON.stringify(request)))
}

/** One loop for each object: never twice at once, again when woken meanwhile, and after the interval. */
class Loops {
  readonly errors: string[] = []
  readonly #kube: KubeClient
  readonly #sources: Sources
  readonly #scale: number
  readonly #running = new Map<string, Promise<void>>()
  readonly #dirty = new Set<string>()
  readonly #timers = new Map<string, NodeJS.Timeout>()
  #stopped = false

  constructor(kube: KubeClient, sources: Sources, scale: number) {
    this.#kube = kube
    this.#sources = sources
    this.#scale = scale
  }

  wake(object: Deployment): void {
    const id = idOf(object)
    this.#dirty.add(id)
    if (this.#stopped || this.#running.has(id)) return
    const running = this.#loop(id, object).finally(() => {
      this.#running.delete(id)
      if (this.#dirty.has(id)) this.wake(object)
    })
    this.#running.set(id, running)
  }

  forget(object: Deployment): void {
    clearTimeout(this.#timers.get(idOf(object)))
    this.#timers.delete(idOf(object))
  }

  async stop(): Promise<void> {
    this.#stopped = true
    for (const timer of this.#timers.values()) clearTimeout(timer)
    this.#dirty.clear()
    await Promise.all(this.#running.values())
  }

  async #loop(id: string, object: Deployment): Promise<void> {
    this.forget(object)
    const { namespace = '', name = '' } = object.metadata
    while (!this.#stopped && this.#dirty.delete(id)) {
      try {
        const next = await new Reconcile(this.#kube, this.#sources, { ...kind, namespace, name }, this.#scale).run()
        if (next === 'gone') return
        if (next === 'again') this.#dirty.add(id)
        else this.#later(id, object, durationMilliseconds(object.spec.interval) * this.#scale)
      } catch (error) {
        this.errors.push(messageOf(error))
        this.#later(id, object, 500)
      }
    }
  }

  #later(id: string, object: Deployment, milliseconds: number): void {
    this.forget(object)
    if (this.#stopped) return
    this.#timers.set(
      id,
      setTimeout(() => this.wake(object), Math.min(milliseconds, 2 ** 31 - 1)),
    )
  }
}

function idOf({ metadata }: Deployment): string {
  return `${metadata.namespace}/${metadata.name}`
}
