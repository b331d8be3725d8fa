import type { KubeObject } from '../../../src/kube/types.ts'

export const requestPrefix = 'kluctl.io/request-'
export type Verb = 'reconcile' | 'deploy' | 'validate'

/** A request in an annotation; `broken` when its JSON is not what kluctl takes (K3). */
export interface ManualRequest {
  verb: Verb
  value: string
  broken?: string
}

/** Requests of an object, in the order in which kluctl looks for them. */
export function requestsOf({ metadata }: KubeObject): ManualRequest[] {
  return (['deploy', 'validate', 'reconcile'] as const).flatMap(verb => {
    const text = metadata.annotations?.[requestPrefix + verb]
    return text === undefined ? [] : [{ verb, ...parseRequest(text) }]
  })
}

function parseRequest(text: string): { value: string; broken?: string } {
  try {
    const value = JSON.parse(text) as Record<string, unknown>
    const unknown = Object.keys(value).find(key => key !== 'requestValue' && key !== 'overridesPatch')
    if (unknown !== undefined) return { value: '', broken: `error unmarshaling JSON: json: unknown field "${unknown}"` }
    if (typeof value.requestValue !== 'string' || value.requestValue === '') {
      return { value: '', broken: 'missing requestValue in manual request annotation' }
    }
    return { value: value.requestValue }
  } catch (error) {
    return { value: '', broken: `error unmarshaling JSON: ${(error as Error).message}` }
  }
}
