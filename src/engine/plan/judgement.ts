import { health } from '../../kube/health.ts'
import type { KubeObject } from '../../kube/types.ts'
import type { Manifest } from '../item.ts'

/** Why readiness is asked for. */
export interface ReadinessPurpose {
  /** A deployment waits for the object: then a rollout that has begun must be through. `validate` is content with less. */
  readonly waiting: boolean
  /** The object is a hook: a Pod must run to its end. */
  readonly hook: boolean
}

/** What is found out about the readiness of one object. */
export class Judgement {
  /** What waiting does not mend. */
  readonly errors: string[] = []
  /** What waiting may mend. */
  readonly reasons: string[] = []
  readonly warnings: string[] = []
  readonly results: { readonly annotation: string; readonly message: string }[] = []
  /** The object has no status, and nothing else was said: whether it needs one depends on its kind. */
  withoutStatus = false

  get ready(): boolean {
    return this.errors.length === 0 && this.reasons.length === 0
  }

  error(message: string): void {
    this.errors.push(message)
  }

  notYet(reason: string): void {
    this.reasons.push(reason)
  }
}

/** Ends a rule: without what it misses, there is nothing more to say than that the object is not ready. */
export class NotYet extends Error {}

/** Judges by kstatus (src/kube/health.ts). */
export function judgeHealth(object: Manifest, judgement: Judgement): void {
  const { status, message } = health(object as unknown as KubeObject)
  if (status === 'Failed') judgement.error(message)
  else if (status !== 'Current') judgement.notYet(message)
}
