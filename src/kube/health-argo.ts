import { asRecord, specOf, statusOf } from './conditions.ts'
import type { Health } from './health-types.ts'
import type { KubeObject } from './types.ts'

/**
 * An Argo CD Application: in sync and healthy, for the source that its spec names now (`status.sync.comparedTo`; it
 * has no observedGeneration). Argo CD documentation, "Resource Health" and the Application CRD.
 */
export function argoApplication(object: KubeObject): Health {
  const status = statusOf(object)
  const sync = asRecord(status.sync)
  const state = asRecord(status.health)
  if (sync.status === undefined || state.status === undefined) {
    return { status: 'InProgress', message: 'Argo CD has not reported yet' }
  }
  const compared = asRecord(asRecord(sync.comparedTo).source)
  const source = asRecord(specOf(object).source)
  const differs = ['repoURL', 'path', 'targetRevision'].some(
    field => compared[field] !== undefined && compared[field] !== source[field],
  )
  if (differs) return { status: 'InProgress', message: 'Argo CD has not looked at the new source yet' }
  const message = `${text(state.status)} and ${text(sync.status)}${detailOf(object)}`
  if (state.status === 'Degraded') return { status: 'Failed', message }
  return { status: state.status === 'Healthy' && sync.status === 'Synced' ? 'Current' : 'InProgress', message }
}

/** Why, where Argo CD says so: its own message, or its first condition. */
function detailOf(object: KubeObject): string {
  const { health, operationState, conditions } = statusOf(object)
  const first: unknown = Array.isArray(conditions) ? conditions[0] : undefined
  const messages = [health, operationState, first].map(part => asRecord(part).message)
  const message = messages.find(part => typeof part === 'string' && part !== '')
  return message === undefined ? '' : `: ${text(message)}`
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}
