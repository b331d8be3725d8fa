import { annotations } from '../../api/index.ts'
import { health } from '../../kube/health.ts'
import { formatKey, type KubeObject } from '../../kube/types.ts'
import type { BackendContext, Observation } from '../backend.ts'
import { presentable } from '../mask.ts'
import { recheckStarting } from '../waiting.ts'
import { identityOf } from './identity.ts'
import type { Look } from './plan.ts'
import type { PreparedObject } from './prepare.ts'

/** How often a ready environment is looked at again, in milliseconds: nobody tells when its objects fail later. */
const recheckReady = 15 * 60_000
/** How long a new custom resource without any status counts as not looked at, in milliseconds. */
const reportGrace = 60_000
/** Most objects that a message names. */
const maxNamed = 5

interface Judgement {
  verdict: 'ready' | 'waiting' | 'failed'
  message: string
}

/** How the objects stand, by kstatus rules. Pure but for the clock. */
export function observeObjects(
  context: BackendContext,
  revision: string,
  wanted: readonly PreparedObject[],
  looks: ReadonlyMap<string, Look>,
): Observation {
  const now = context.clock.now()
  const judged = wanted.map(prepared => judge(prepared, looks.get(prepared.id) ?? {}, now))
  const failed = judged.filter(({ verdict }) => verdict === 'failed')
  const waiting = judged.filter(({ verdict }) => verdict === 'waiting')
  const recheck = recheckStarting(ageOf(context))
  if (failed.length > 0) {
    return { phase: 'failed', reason: 'ObjectsFailed', message: summary(failed), revision, recheckAfter: recheck }
  }
  if (waiting.length > 0) {
    return { phase: 'deploying', reason: 'ObjectsNotReady', message: summary(waiting), revision, recheckAfter: recheck }
  }
  const ids = new Set(wanted.map(({ id }) => id))
  const leaving = (context.environment.status?.inventory ?? []).filter(entry => !ids.has(identityOf(entry)))
  const gone = leaving.length === 0 ? '' : `; ${leaving.length} that left the template are being deleted`
  return {
    phase: 'ready',
    reason: 'ObjectsReady',
    message: `${wanted.length} objects are ready${gone}`,
    revision,
    recheckAfter: leaving.length === 0 ? recheckReady : recheck,
  }
}

function judge({ key, digest, reports }: PreparedObject, look: Look, now: number): Judgement {
  const name = formatKey(key)
  if ('refusal' in look) return { verdict: 'failed', message: `${name}: ${look.refusal.message}` }
  const { live } = look
  if (live === undefined) return { verdict: 'waiting', message: `${name} does not exist yet` }
  if (live.metadata.deletionTimestamp !== undefined) {
    return { verdict: 'waiting', message: `${name} is being deleted and will be made anew` }
  }
  if (live.metadata.annotations?.[annotations.digest] !== digest) {
    return { verdict: 'waiting', message: `${name} is still as before` }
  }
  if (reports && !hasReported(live, now)) {
    return { verdict: 'waiting', message: `${name}: its controller has not reported yet` }
  }
  const { status, message } = health(live)
  if (status === 'Current') return { verdict: 'ready', message: '' }
  return { verdict: status === 'Failed' ? 'failed' : 'waiting', message: presentable(`${name}: ${message}`, 300) }
}

/** kstatus calls what has no status ready; right after its creation that only means that nobody has looked at it. */
function hasReported({ metadata, status }: KubeObject, now: number): boolean {
  if (typeof status === 'object' && status !== null && Object.keys(status).length > 0) return true
  // Far in the future is as good as long ago: the clocks differ, and nobody can tell how old it is.
  return Math.abs(now - Date.parse(metadata.creationTimestamp ?? '')) > reportGrace
}

function summary(judged: readonly Judgement[]): string {
  const more = judged.length > maxNamed ? [`and ${judged.length - maxNamed} more`] : []
  return [...judged.slice(0, maxNamed).map(({ message }) => message), ...more].join('; ')
}

/** Since when the wanted commit is being deployed, as age in milliseconds. */
function ageOf({ environment, clock }: BackendContext): number {
  const { applied, requested } = environment.status?.times ?? {}
  const since = applied ?? requested ?? environment.metadata.creationTimestamp
  return since === undefined ? 0 : Math.max(0, clock.now() - Date.parse(since))
}
