import type { KubeError } from '../../../src/kube/errors.ts'
import type { ManagedFieldsEntry } from '../../../src/kube/types.ts'

type Json = Record<string, unknown>

const uuid = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g
const address = /\b10\.96\.\d+\.\d+\b/g
/** Written by controllers, at their own pace. */
const revision = 'deployment.kubernetes.io/revision'
const controllers = new Set(['kube-controller-manager', 'sandbox'])

/** An answer without identities, times, addresses and what controllers did in the meantime. */
export function comparable(answer: unknown): unknown {
  return strip(
    JSON.parse(
      JSON.stringify(answer ?? null)
        .replaceAll(uuid, 'UUID')
        .replaceAll(address, 'ADDRESS'),
    ),
  )
}

function strip(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(strip)
  if (typeof value !== 'object' || value === null) return value
  const { status, ...rest } = value as Json
  const result: Json = {}
  for (const [name, inner] of Object.entries(rest)) result[name] = name === 'metadata' ? metadata(inner) : strip(inner)
  // A workload's status is its controller's; every other status must agree.
  if (status !== undefined && (value as Json).kind !== 'Deployment' && (value as Json).kind !== 'Scale')
    result.status = strip(status)
  return result
}

function metadata(value: unknown): unknown {
  const { resourceVersion, creationTimestamp, deletionTimestamp, managedFields, annotations, ...rest } = value as Json
  const kept = Object.entries((annotations ?? {}) as Json).filter(([name]) => name !== revision)
  const owners = ((managedFields ?? []) as ManagedFieldsEntry[])
    .filter(({ manager = '' }) => !controllers.has(manager))
    .map(({ time: _time, ...entry }) => JSON.stringify(entry))
    .sort()
  return {
    ...rest,
    versioned: resourceVersion !== undefined,
    created: creationTimestamp !== undefined,
    deleting: deletionTimestamp !== undefined,
    annotations: Object.fromEntries(kept),
    owners: owners.map(text => strip(JSON.parse(text))),
  }
}

/** How a request was refused: code, reason and fields. Texts may differ in words. */
export function refusal(error: KubeError): unknown {
  const { kind, group, causes = [] } = error.details
  const places = causes.map(({ field, reason }) => `${field} ${reason}`)
  return { status: error.status, reason: error.reason, kind, group, causes: [...new Set(places)].sort() }
}
