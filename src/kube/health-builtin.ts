import { asRecord, conditionOf, describeCondition, specOf, statusOf } from './conditions.ts'
import { argoApplication } from './health-argo.ts'
import type { Health } from './health-types.ts'
import type { KubeObject } from './types.ts'

type Rule = (object: KubeObject) => Health

const current = (message: string): Health => ({ status: 'Current', message })
const inProgress = (message: string): Health => ({ status: 'InProgress', message })
const failed = (message: string): Health => ({ status: 'Failed', message })

/** Rules of Kubernetes' own kinds, and of those that tell their state in a way of their own, by `group/Kind`. */
export const builtinRules: ReadonlyMap<string, Rule> = new Map<string, Rule>([
  ['apps/Deployment', deployment],
  ['apps/StatefulSet', statefulSet],
  ['apps/DaemonSet', daemonSet],
  ['apps/ReplicaSet', replicaSet],
  ['batch/Job', job],
  ['batch/CronJob', () => current('scheduled')],
  ['/Pod', pod],
  ['/PersistentVolumeClaim', persistentVolumeClaim],
  ['/Service', service],
  ['/Namespace', namespace],
  ['policy/PodDisruptionBudget', podDisruptionBudget],
  ['apiextensions.k8s.io/CustomResourceDefinition', customResourceDefinition],
  ['apiregistration.k8s.io/APIService', apiService],
  ['argoproj.io/Application', argoApplication],
])

function deployment(object: KubeObject): Health {
  const wanted = number(specOf(object).replicas, 1)
  const status = statusOf(object)
  const progressing = conditionOf(object, 'Progressing')
  if (progressing?.reason === 'ProgressDeadlineExceeded') return failed(describeCondition(progressing))
  const failure = conditionOf(object, 'ReplicaFailure')
  if (failure?.status === 'True') return inProgress(describeCondition(failure))
  if (status.observedGeneration === undefined) return inProgress('not observed by its controller yet')
  const [replicas, updated, ready, available] = [
    'replicas',
    'updatedReplicas',
    'readyReplicas',
    'availableReplicas',
  ].map(field => number(status[field], 0)) as [number, number, number, number]
  if (updated < wanted) return inProgress(`${updated} of ${wanted} replicas are updated`)
  if (replicas > wanted) return inProgress(`${replicas - wanted} old replicas are still to end`)
  if (available < wanted) return inProgress(`${available} of ${wanted} replicas are available`)
  if (ready < wanted) return inProgress(`${ready} of ${wanted} replicas are ready`)
  return current(`${available} replicas are available`)
}

function replicaSet(object: KubeObject): Health {
  const wanted = number(specOf(object).replicas, 1)
  const status = statusOf(object)
  const failure = conditionOf(object, 'ReplicaFailure')
  if (failure?.status === 'True') return inProgress(describeCondition(failure))
  if (status.observedGeneration === undefined) return inProgress('not observed by its controller yet')
  const available = number(status.availableReplicas, 0)
  if (number(status.replicas, 0) > wanted) return inProgress('replicas are still to end')
  if (available < wanted) return inProgress(`${available} of ${wanted} replicas are available`)
  return current(`${available} replicas are available`)
}

function statefulSet(object: KubeObject): Health {
  const spec = specOf(object)
  const status = statusOf(object)
  const wanted = number(spec.replicas, 1)
  const strategy = asRecord(spec.updateStrategy)
  if (strategy.type === 'OnDelete') return current('updated on delete, by hand')
  if (status.observedGeneration === undefined) return inProgress('not observed by its controller yet')
  const ready = number(status.readyReplicas, 0)
  if (ready < wanted) return inProgress(`${ready} of ${wanted} replicas are ready`)
  if (number(status.replicas, 0) > wanted) return inProgress('replicas are still to end')
  const partition = number(asRecord(strategy.rollingUpdate).partition, 0)
  const updated = number(status.updatedReplicas, 0)
  if (updated < wanted - partition) return inProgress(`${updated} of ${wanted - partition} replicas are updated`)
  if (partition === 0 && status.currentRevision !== status.updateRevision) {
    return inProgress('the update has not reached every replica')
  }
  return current(`${ready} replicas are ready`)
}

function daemonSet(object: KubeObject): Health {
  const status = statusOf(object)
  if (status.observedGeneration === undefined) return inProgress('not observed by its controller yet')
  const wanted = number(status.desiredNumberScheduled, 0)
  const strategy = asRecord(specOf(object).updateStrategy)
  const updated = number(status.updatedNumberScheduled, 0)
  if (strategy.type !== 'OnDelete' && updated < wanted) return inProgress(`${updated} of ${wanted} pods are updated`)
  const available = number(status.numberAvailable, 0)
  if (available < wanted) return inProgress(`${available} of ${wanted} pods are available`)
  return current(`${available} pods are available`)
}

/** A Job counts as done only when it is: whoever waits for one waits for its result. */
function job(object: KubeObject): Health {
  const failure = conditionOf(object, 'Failed')
  if (failure?.status === 'True') return failed(describeCondition(failure))
  if (conditionOf(object, 'Complete')?.status === 'True') return current('completed')
  if (specOf(object).suspend === true) return inProgress('suspended')
  const { active, succeeded } = statusOf(object)
  return inProgress(`${number(active, 0)} pods active, ${number(succeeded, 0)} succeeded`)
}

function pod(object: KubeObject): Health {
  const { phase } = statusOf(object)
  if (phase === 'Succeeded') return current('completed')
  const broken = brokenContainer(object)
  if (phase === 'Failed') {
    const { reason, message } = statusOf(object)
    return failed(broken ?? text(message) ?? text(reason) ?? 'a container failed')
  }
  const ready = conditionOf(object, 'Ready')
  if (phase === 'Running' && ready?.status === 'True') return current('ready')
  if (broken !== undefined) return failed(broken)
  const unscheduled = conditionOf(object, 'PodScheduled')
  if (unscheduled?.status === 'False') return inProgress(describeCondition(unscheduled))
  return inProgress(ready === undefined ? `phase ${text(phase) ?? 'Pending'}` : describeCondition(ready))
}

/** What a container that keeps failing says; Kubernetes goes on trying, but seldom with better luck. */
function brokenContainer(object: KubeObject): string | undefined {
  const { initContainerStatuses, containerStatuses } = statusOf(object)
  for (const container of [initContainerStatuses, containerStatuses].flat().map(asRecord)) {
    const { reason, message } = asRecord(asRecord(container.state).waiting)
    if (reason !== 'CrashLoopBackOff') continue
    return `container ${text(container.name)}: ${reason}${text(message) === undefined ? '' : `: ${text(message)}`}`
  }
  return undefined
}

function persistentVolumeClaim(object: KubeObject): Health {
  const { phase } = statusOf(object)
  if (phase === 'Bound') return current('bound')
  return phase === 'Lost' ? failed('its volume is lost') : inProgress('not bound yet')
}

function service(object: KubeObject): Health {
  if (specOf(object).type !== 'LoadBalancer') return current('exists')
  const { ingress } = asRecord(statusOf(object).loadBalancer)
  return Array.isArray(ingress) && ingress.length > 0
    ? current('has an address')
    : inProgress('waits for the load balancer’s address')
}

function namespace(object: KubeObject): Health {
  return statusOf(object).phase === 'Terminating'
    ? { status: 'Terminating', message: 'being deleted' }
    : current('active')
}

function podDisruptionBudget(object: KubeObject): Health {
  const status = statusOf(object)
  if (status.observedGeneration === undefined) return inProgress('not observed by its controller yet')
  const allowed = conditionOf(object, 'DisruptionAllowed')
  if (allowed?.reason === 'SyncFailed') return inProgress(describeCondition(allowed))
  return current('computed')
}

function customResourceDefinition(object: KubeObject): Health {
  const names = conditionOf(object, 'NamesAccepted')
  if (names?.status === 'False') return failed(describeCondition(names))
  const established = conditionOf(object, 'Established')
  if (established?.status === 'True') return current('established')
  // `Installing` is the first step; any other reason for not being established is final.
  if (established?.status === 'False' && established.reason !== 'Installing')
    return failed(describeCondition(established))
  return inProgress('not established yet')
}

function apiService(object: KubeObject): Health {
  const available = conditionOf(object, 'Available')
  if (available?.status === 'True') return current('available')
  return inProgress(available ? describeCondition(available) : 'not available yet')
}

function number(value: unknown, otherwise: number): number {
  return typeof value === 'number' ? value : otherwise
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}
