import { z } from 'zod'

/** `metadata` as far as Offshoot reads it (Kubernetes ObjectMeta). */
export interface ObjectMeta {
  name: string
  namespace?: string
  generateName?: string
  uid?: string
  resourceVersion?: string
  generation?: number
  creationTimestamp?: string
  deletionTimestamp?: string
  finalizers?: string[]
  labels?: Record<string, string>
  annotations?: Record<string, string>
  ownerReferences?: { apiVersion: string; kind: string; name: string; uid: string; controller?: boolean }[]
}

/** Name of a namespaced object: RFC 1123 subdomain. */
export const ObjectName = z
  .string()
  .min(1)
  .max(253)
  .regex(
    /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/,
    'expected lower-case letters, digits, dashes and dots, as in an object’s name',
  )

/** A reference inside the same namespace; references never cross namespaces. */
export const LocalReference = z.strictObject({ name: ObjectName }).describe('An object of the same namespace')

/** One object on the cluster, in an inventory or as a blocker. */
export const ObjectReference = z.strictObject({
  apiVersion: z.string().max(317),
  kind: z.string().max(63),
  namespace: z.string().max(63).optional(),
  name: z.string().max(253),
})
export type ObjectReference = z.infer<typeof ObjectReference>

/** One object of an inventory: what was applied, and as whom, so that it can be deleted without its project. */
export const InventoryEntry = ObjectReference.extend({
  serviceAccountName: ObjectName.optional().describe(
    'Account of the project’s namespace that applied it; absent: the environment’s own',
  ),
})
export type InventoryEntry = z.infer<typeof InventoryEntry>

/** Why a teardown waits: an object that does not go, and what holds it. */
export const Blocker = ObjectReference.extend({
  finalizers: z.array(z.string().max(316)).max(20).optional().describe('Finalizers that hold the object'),
  message: z.string().max(512).optional(),
})
export type Blocker = z.infer<typeof Blocker>

/** A Go duration such as `5m` or `1h30m`, as Flux and Kluctl write them. */
export const Duration = z
  .string()
  .regex(/^([0-9]+(\.[0-9]+)?(ms|s|m|h))+$/, 'expected a duration such as 30s, 5m or 1h30m')

const unitMilliseconds: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }

/** A Go duration in milliseconds. @throws TypeError when it is none. */
export function durationMilliseconds(duration: string): number {
  if (!Duration.safeParse(duration).success) throw new TypeError(`not a duration: ${JSON.stringify(duration)}`)
  const parts = duration.matchAll(/([0-9.]+)(ms|s|m|h)/g)
  return [...parts].reduce((sum, [, amount, unit]) => sum + Number(amount) * (unitMilliseconds[unit ?? ''] ?? 0), 0)
}
