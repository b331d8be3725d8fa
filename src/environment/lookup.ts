import type { ChangeFacts } from '../api/change.ts'

/**
 * What a forge knows of one change; has the shape of the forges' own `Lookup`.
 * Only `closed` and `absent` are evidence that a change has ended; `unknown` never is.
 */
export type ChangeLookup =
  | { state: 'open'; change: ChangeFacts }
  | { state: 'closed'; merged: boolean; change: ChangeFacts }
  | { state: 'absent'; evidence: string }
  | { state: 'unknown'; reason: string }

/** A listing of open changes; has the shape of the forges' own `Listing`. */
export interface ChangeListing {
  pullRequests: readonly ChangeFacts[]
  branches: readonly ChangeFacts[]
  complete: boolean
  incompleteReason?: string
}
