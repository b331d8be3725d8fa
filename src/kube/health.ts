import { conditionOf, describeCondition, statusOf } from './conditions.ts'
import { builtinRules } from './health-builtin.ts'
import type { Health } from './health-types.ts'
import { type KubeObject, splitApiVersion } from './types.ts'

export type { Health, HealthStatus } from './health-types.ts'

/**
 * Judges whether an object has reached what its spec asks for, from the object alone, by the rules of kstatus
 * (sigs.k8s.io/cli-utils, `pkg/kstatus`). On purpose different: a Job is Current when it has completed, not when it has
 * started; a Pod that failed is Failed; one that cannot be scheduled is InProgress, as a node may still come.
 */
export function health(object: KubeObject): Health {
  if (object.metadata.deletionTimestamp !== undefined) {
    const finalizers = object.metadata.finalizers ?? []
    const held = finalizers.length === 0 ? '' : `, held by ${finalizers.join(', ')}`
    return { status: 'Terminating', message: `being deleted${held}` }
  }
  const [group] = splitApiVersion(object.apiVersion)
  const generic = genericHealth(object)
  // What a condition says about progress or failure outranks the counts of a kind, but never proves them.
  if (generic && generic.status !== 'Current') return generic
  const rule = builtinRules.get(`${group}/${object.kind}`)
  return rule?.(object) ?? generic ?? { status: 'Current', message: 'exists' }
}

/** By observedGeneration and conditions; undefined where they say nothing. */
function genericHealth(object: KubeObject): Health | undefined {
  const status = statusOf(object)
  const { generation } = object.metadata
  const observed = status.observedGeneration
  if (typeof observed === 'number' && generation !== undefined && observed < generation) {
    return { status: 'InProgress', message: `generation ${generation} has not been observed yet (${observed} has)` }
  }
  const stalled = conditionOf(object, 'Stalled')
  if (stalled?.status === 'True') return { status: 'Failed', message: describeCondition(stalled) }
  const reconciling = conditionOf(object, 'Reconciling')
  if (reconciling?.status === 'True') return { status: 'InProgress', message: describeCondition(reconciling) }
  if (builtinRules.has(`${splitApiVersion(object.apiVersion)[0]}/${object.kind}`)) return undefined
  return readyHealth(object)
}

function readyHealth(object: KubeObject): Health | undefined {
  const ready = conditionOf(object, 'Ready')
  if (!ready) return undefined
  const { generation } = object.metadata
  if (ready.observedGeneration !== undefined && generation !== undefined && ready.observedGeneration < generation) {
    return { status: 'InProgress', message: `condition Ready is about generation ${ready.observedGeneration}` }
  }
  const message = describeCondition(ready)
  // Ready=False alone is not failure: only Stalled says that waiting is of no use.
  return ready.status === 'True' ? { status: 'Current', message } : { status: 'InProgress', message }
}
