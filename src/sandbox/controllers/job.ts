import type { KubeObject } from '../../kube/types.ts'
import { timeOf } from '../api.ts'
import { type Controller, controllerOf, find, itself, ownedBy, setStatus } from './controller.ts'
import { makePod, maxPods, type PodTemplate } from './pods-of.ts'

const storage = 'jobs.batch'

interface Spec {
  completions?: number
  parallelism?: number
  suspend?: boolean
  template: PodTemplate
}

/** Makes the pods of each Job, which end at once and well; a CronJob starts none. */
export const jobs: Controller = {
  concerns: (_api, changed, change) => {
    if (changed === storage) return change.type === 'DELETED' ? [] : [itself(changed, change)]
    return changed === 'pods' ? controllerOf(change.current.object, 'Job', storage) : []
  },
  reconcile: (api, { namespace, name }) => {
    const job = find(api, storage, namespace, name)
    if (!job || job.metadata.deletionTimestamp !== undefined) return
    const { completions, parallelism = 1, suspend, template } = job.spec as Spec
    const status = (job.status ?? {}) as { completionTime?: string; startTime?: string }
    if (suspend === true || status.completionTime !== undefined) return
    const wanted = Math.min(completions ?? parallelism, maxPods)
    const found = ownedBy(api, 'pods', namespace, job).length
    for (let count = found; count < wanted; count++) makePod(api, job, template)
    const pods = ownedBy(api, 'pods', namespace, job)
    const succeeded = pods.filter(isSucceeded).length
    const startTime = status.startTime ?? timeOf(api)
    const time = timeOf(api)
    const condition = (type: string) => ({
      type,
      status: 'True',
      reason: 'CompletionsReached',
      message: 'Reached expected number of succeeded pods',
      lastProbeTime: time,
      lastTransitionTime: time,
    })
    const end = { completionTime: time, conditions: [condition('SuccessCriteriaMet'), condition('Complete')] }
    setStatus(api, api.registry.builtIn('batch/v1', 'Job'), job, {
      startTime,
      ready: 0,
      terminating: 0,
      uncountedTerminatedPods: {},
      ...(succeeded < wanted ? { active: wanted - succeeded } : {}),
      ...(succeeded > 0 ? { succeeded } : {}),
      ...(succeeded >= wanted ? end : {}),
    })
  },
}

function isSucceeded({ status }: KubeObject): boolean {
  return (status as { phase?: string } | undefined)?.phase === 'Succeeded'
}
