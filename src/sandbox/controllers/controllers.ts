import { type Logger, silentLogger } from '../../util/log.ts'
import type { Api } from '../api.ts'
import { StatusError } from '../errors.ts'
import { bootstrap } from './bootstrap.ts'
import type { Controller, Key } from './controller.ts'
import { daemonSets } from './daemon-set.ts'
import { definitions } from './definition.ts'
import { deployments } from './deployment.ts'
import { GarbageCollector } from './garbage.ts'
import { jobs } from './job.ts'
import { namespaceContents, namespaces } from './namespace.ts'
import { pods } from './pod.ts'
import { replicaSets } from './replica-set.ts'
import { statefulSets } from './stateful-set.ts'
import { claims, loadBalancers } from './storage.ts'

/** Objects looked at before other requests get their turn. */
const batch = 200

/**
 * Starts what makes objects behave: namespaces that go, definitions that are served, owners that take their dependents
 * along, workloads that become ready. Gives what ends it.
 */
export function startControllers(api: Api, log: Logger = silentLogger): () => void {
  const controllers: Controller[] = [
    namespaces,
    namespaceContents,
    definitions,
    new GarbageCollector(),
    deployments,
    replicaSets,
    statefulSets,
    daemonSets,
    jobs,
    pods,
    claims,
    loadBalancers,
  ]
  const queue = new Map<string, { controller: Controller; key: Key }>()
  let scheduled: NodeJS.Immediate | undefined
  const drain = () => {
    scheduled = undefined
    let count = 0
    for (const [id, { controller, key }] of queue) {
      queue.delete(id)
      try {
        controller.reconcile(api, key)
      } catch (error) {
        // A namespace that goes while its workload makes pods, a name that is taken: the next change tries again.
        if (error instanceof StatusError) log.debug({ err: error, key }, 'sandbox controller was refused')
        else log.error({ err: error, key }, 'sandbox controller failed')
      }
      if (++count >= batch) break
    }
    if (queue.size > 0) scheduled ??= setImmediate(drain)
  }
  const end = api.store.observe((storage, change) => {
    for (const [index, controller] of controllers.entries()) {
      for (const key of controller.concerns(api, storage, change)) {
        queue.set(`${index} ${key.storage}/${key.namespace}/${key.name}`, { controller, key })
      }
    }
    if (queue.size > 0) scheduled ??= setImmediate(drain)
  })
  bootstrap(api)
  return () => {
    end()
    queue.clear()
    if (scheduled) clearImmediate(scheduled)
  }
}
