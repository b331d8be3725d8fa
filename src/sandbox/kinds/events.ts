import type { KubeObject } from '../../kube/types.ts'

type Json = Record<string, unknown>

/** Names of the same field in `v1` and `events.k8s.io/v1`. */
const pairs: readonly (readonly [core: string, modern: string])[] = [
  ['involvedObject', 'regarding'],
  ['message', 'note'],
  ['source', 'deprecatedSource'],
  ['firstTimestamp', 'deprecatedFirstTimestamp'],
  ['lastTimestamp', 'deprecatedLastTimestamp'],
  ['count', 'deprecatedCount'],
  ['reportingComponent', 'reportingController'],
]

/** An Event as `v1` has it, which is how both kinds are kept. */
export function eventAsCore(object: KubeObject): KubeObject {
  if (object.apiVersion === 'v1') return object
  return { ...renamed(object, 1, 0), apiVersion: 'v1' }
}

/** An Event as `events.k8s.io/v1` shows it. */
export function eventAsModern(object: KubeObject): KubeObject {
  if (object.apiVersion !== 'v1') return object
  return { ...renamed(object, 0, 1), apiVersion: 'events.k8s.io/v1' }
}

function renamed(object: KubeObject, from: 0 | 1, to: 0 | 1): KubeObject {
  const names = new Map(pairs.map(pair => [pair[from], pair[to]]))
  const entries = Object.entries(object).map(([name, value]) => [names.get(name) ?? name, value])
  return Object.fromEntries(entries) as Json as KubeObject
}
