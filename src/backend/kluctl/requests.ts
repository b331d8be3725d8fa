import { fieldManager } from '../../api/index.ts'
import type { BackendContext } from '../backend.ts'
import { deploymentKey, type KluctlDeployment } from './resource.ts'

/** What the kluctl controller does on request. */
export type RequestVerb = 'reconcile' | 'deploy' | 'validate'

const prefix = 'kluctl.io/request-'
/** What our requests' values begin with; the time of asking follows. */
const ownValue = 'offshoot-'

/** Shortest and longest time between two requests of a kind, in milliseconds. */
const shortest = 2_000
const longest = 5 * 60_000

/**
 * Asks the kluctl controller for something, unless a request waits already or the last one was too short ago: at first
 * every two seconds, then ever more seldom the longer `age` (milliseconds) is. Gives when to come back.
 */
export async function request(
  context: BackendContext,
  deployment: KluctlDeployment,
  verb: RequestVerb,
  age: number,
): Promise<number> {
  const gap = Math.min(longest, Math.max(shortest, Math.round(age / 5)))
  if (deployment.object.metadata.annotations?.[prefix + verb] !== undefined) return gap
  const now = context.clock.now()
  const since = now - lastRequest(deployment, verb, now)
  if (since < gap) return gap - since
  // Any other key than requestValue breaks every reconcile; a value seen before asks for nothing.
  const annotation = JSON.stringify({ requestValue: `${ownValue}${now}` })
  await patchAnnotations(context, deployment, { [prefix + verb]: annotation })
  return gap
}

/** When kluctl last answered, or was last asked; what a clock that is ahead has written does not count. */
function lastRequest({ status }: KluctlDeployment, verb: RequestVerb, now: number): number {
  const { endTime, startTime, request: answered } = status[`${verb}RequestResult`] ?? {}
  const { requestValue = '' } = answered ?? {}
  const asked = requestValue.startsWith(ownValue) ? Number(requestValue.slice(ownValue.length)) : Number.NaN
  return Math.max(...[Date.parse(endTime ?? startTime ?? ''), asked].filter(time => time <= now))
}

/** Takes away requests in a form that breaks every reconcile of the kluctl controller, whoever made them. */
export async function mendRequests(context: BackendContext, deployment: KluctlDeployment): Promise<boolean> {
  const all = Object.entries(deployment.object.metadata.annotations ?? {})
  const broken = all.filter(([name, value]) => name.startsWith(prefix) && !isRequest(value)).map(([name]) => name)
  if (broken.length === 0) return false
  await patchAnnotations(context, deployment, Object.fromEntries(broken.map(name => [name, null])))
  context.log.warn({ annotations: broken }, 'removed malformed requests from a KluctlDeployment')
  return true
}

function isRequest(text: string): boolean {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return false
  }
  if (typeof value !== 'object' || value === null) return false
  const { requestValue, overridesPatch: _, ...others } = value as Record<string, unknown>
  return typeof requestValue === 'string' && requestValue !== '' && Object.keys(others).length === 0
}

async function patchAnnotations(
  context: BackendContext,
  { object }: KluctlDeployment,
  annotations: Record<string, string | null>,
): Promise<void> {
  const { uid } = object.metadata
  const patch = { metadata: { annotations, ...(uid === undefined ? {} : { uid }) } }
  await context.kube.patch(deploymentKey(context), patch, { type: 'merge', fieldManager, signal: context.signal })
}
