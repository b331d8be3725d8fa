import { findCondition, type ReviewEnvironment } from '../api/index.ts'
import { maskFor } from '../feedback/index.ts'
import type { ControllerContext } from './context.ts'

const mask = maskFor()

/** States that every environment passes through, and that end by themselves: worth a line in the log, no event. */
const passing: ReadonlySet<string> = new Set(['Pending', 'Deploying', 'Deleting'])

/** Tells of a change of state by a line in the log, and by a Kubernetes Event where somebody may want to know. */
export function tellTransition(context: ControllerContext, before: ReviewEnvironment, after: ReviewEnvironment): void {
  const { state } = after.status ?? {}
  const ready = findCondition(after.status?.conditions, 'Ready')
  const old = findCondition(before.status?.conditions, 'Ready')
  const same = before.status?.state === state && old?.reason === ready?.reason
  if (state === undefined || (same && before.status?.deployedRevision === after.status?.deployedRevision)) return
  const warning = state === 'Failed' || state === 'Blocked'
  const reason = warning ? (ready?.reason ?? state) : state
  const note = mask(noteOf(after, state, ready?.message ?? ''))
  if (!passing.has(state)) context.event(after, { type: warning ? 'Warning' : 'Normal', reason, note })
  const { namespace, name } = after.metadata
  context.log.info({ environment: `${namespace}/${name}`, state, reason: ready?.reason }, 'environment state')
}

function noteOf(environment: ReviewEnvironment, state: string, message: string): string {
  const { url, deployedRevision, namespace } = environment.status ?? {}
  if (state !== 'Ready') return message === '' ? state : message
  const where = url === undefined ? `in namespace ${namespace}` : `at ${url}`
  return `commit ${deployedRevision?.slice(0, 12)} is ready ${where}`
}
