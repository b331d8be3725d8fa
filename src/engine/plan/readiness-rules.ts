import { type Manifest, text } from '../item.ts'
import { getPath, isObject, type Json, type JsonObject } from '../values.ts'
import { type Judgement, judgeHealth, NotYet, type ReadinessPurpose } from './judgement.ts'

type Rule = (object: Manifest, judgement: Judgement, purpose: ReadinessPurpose) => void

/** The kinds that kluctl's validation knows, by `Kind.group`; objects have a status that is up to date. */
export const kindRules: ReadonlyMap<string, Rule> = new Map<string, Rule>([
  ['Pod', pod],
  ['Job.batch', job],
  ['Deployment.apps', deployment],
  ['StatefulSet.apps', statefulSet],
  ['DaemonSet.apps', daemonSet],
  ['PersistentVolumeClaim', persistentVolumeClaim],
  ['Service', service],
  ['CustomResourceDefinition.apiextensions.k8s.io', customResourceDefinition],
  ['MachineDeployment.cluster.x-k8s.io', machineDeployment],
])

function pod(object: Manifest, judgement: Judgement, { hook }: ReadinessPurpose): void {
  for (const container of listAt(object, ['status', 'containerStatuses']).filter(isObject)) {
    if (getPath(container, ['state', 'terminated', 'reason']) !== 'Error') continue
    judgement.error(`container ${text(container.name)} exited with error`)
  }
  const ready = condition(object, 'Ready')
  if (ready === undefined) judgement.notYet('Ready condition not in status')
  else if (ready.status === 'True' ? hook : ready.reason !== 'PodCompleted') judgement.notYet('Not ready')
}

function job(object: Manifest, judgement: Judgement): void {
  const failed = condition(object, 'Failed')
  const complete = condition(object, 'Complete')
  if (failed?.status === 'True') judgement.error(messageOf(failed, 'Failed'))
  else if (complete?.status !== 'True') judgement.notYet(messageOf(complete, 'Not completed'))
}

function deployment(object: Manifest, judgement: Judgement, { waiting }: ReadinessPurpose): void {
  const wanted = getPath(object, ['spec', 'replicas'])
  if (typeof wanted === 'number' && wanted !== 0) tooFewReady(object, judgement)
  // Old pods are ready too: only kstatus sees whether those of this generation are.
  if (waiting && judgement.ready) judgeHealth(object, judgement)
}

function statefulSet(object: Manifest, judgement: Judgement): void {
  if (getPath(object, ['spec', 'updateStrategy', 'type']) !== 'RollingUpdate') return
  const partition = numberAt(object, ['spec', 'updateStrategy', 'rollingUpdate', 'partition']) ?? 0
  const replicas = numberAt(object, ['spec', 'replicas']) ?? 1
  if (replicas === 0) return
  const updated = count(object, 'updatedReplicas')
  const expected = replicas - partition
  if (updated !== expected) {
    judgement.notYet(`StatefulSet is not ready. ${updated} out of ${expected} expected pods have been scheduled`)
    return
  }
  const ready = count(object, 'readyReplicas')
  if (ready !== replicas) {
    judgement.notYet(`StatefulSet is not ready. ${ready} out of ${replicas} expected pods are ready`)
  }
}

function daemonSet(object: Manifest, judgement: Judgement): void {
  if (getPath(object, ['spec', 'updateStrategy', 'type']) !== 'RollingUpdate') return
  const updated = count(object, 'updatedNumberScheduled')
  const desired = count(object, 'desiredNumberScheduled')
  if (updated !== desired) {
    judgement.notYet(`DaemonSet is not ready. ${updated} out of ${desired} expected pods have been scheduled`)
    return
  }
  const maxUnavailable = getPath(object, ['spec', 'updateStrategy', 'rollingUpdate', 'maxUnavailable']) ?? 1
  const expected = desired - shareOf(maxUnavailable, desired)
  const ready = count(object, 'numberReady')
  if (ready < expected) {
    judgement.notYet(`DaemonSet is not ready. ${ready} out of ${expected} expected pods are ready`)
  }
}

function persistentVolumeClaim(object: Manifest, judgement: Judgement): void {
  const phase = getPath(object, ['status', 'phase'])
  if (phase === undefined) throw new NotYet('phase field not in status or empty')
  if (phase !== 'Bound') judgement.notYet('Volume is not bound')
}

function service(object: Manifest, judgement: Judgement): void {
  const type = getPath(object, ['spec', 'type'])
  if (type === 'ExternalName') return
  if (!getPath(object, ['spec', 'clusterIP'])) judgement.error('Service does not have a cluster IP')
  else if (type === 'LoadBalancer') {
    const addresses = [
      ...listAt(object, ['spec', 'externalIPs']),
      ...listAt(object, ['status', 'loadBalancer', 'ingress']),
    ]
    if (addresses.length === 0) judgement.notYet('Not ready')
  }
}

function customResourceDefinition(object: Manifest, judgement: Judgement): void {
  if (condition(object, 'Established')?.status === 'True') return
  const accepted = condition(object, 'NamesAccepted')
  if (accepted === undefined) throw new NotYet('NamesAccepted condition not in status')
  // Names that others have are not a matter of time: kluctl, as Helm, goes on then.
  if (accepted.status !== 'False') judgement.notYet('CRD is not ready')
}

function machineDeployment(object: Manifest, judgement: Judgement): void {
  for (const type of ['Ready', 'Available']) {
    const found = condition(object, type)
    if (found === undefined) throw new NotYet(`${type} condition not in status`)
    if (found.status !== 'True') judgement.notYet(messageOf(found, 'Not ready'))
  }
  tooFewReady(object, judgement)
  const unavailable = numberAt(object, ['status', 'unavailableReplicas']) ?? 0
  if (unavailable !== 0) judgement.notYet(`unavailableReplicas (${unavailable}) != 0`)
}

function tooFewReady(object: Manifest, judgement: Judgement): void {
  const ready = count(object, 'readyReplicas')
  const replicas = count(object, 'replicas')
  if (ready < replicas) judgement.notYet(`readyReplicas (${ready}) is less then replicas (${replicas})`)
}

/** A number that the status must have. @throws NotYet */
function count(object: Manifest, field: string): number {
  const value = getPath(object, ['status', field])
  if (typeof value === 'number') return value
  throw new NotYet(`${field} field ${value === undefined ? 'not in status or empty' : 'is not an int'}`)
}

/** Of a count or a percentage; all of it if it is neither. */
function shareOf(value: Json, total: number): number {
  if (typeof value === 'number') return value
  const percent = typeof value === 'string' ? /^(\d+)%?$/.exec(value)?.[1] : undefined
  return percent === undefined ? total : Math.trunc((Number(percent) * total) / 100)
}

function condition(object: Manifest, type: string): JsonObject | undefined {
  return listAt(object, ['status', 'conditions'])
    .filter(isObject)
    .find(one => one.type === type)
}

function messageOf(found: JsonObject | undefined, otherwise: string): string {
  const message = found?.message
  return typeof message === 'string' && message !== '' ? message : otherwise
}

function numberAt(object: Manifest, path: readonly string[]): number | undefined {
  const value = getPath(object, path)
  return typeof value === 'number' ? value : undefined
}

function listAt(object: Manifest, path: readonly string[]): Json[] {
  const value = getPath(object, path)
  return Array.isArray(value) ? value : []
}
