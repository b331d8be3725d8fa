import type { Tracker } from '../host.ts'
import { refKey, refOf } from '../plan/refs.ts'
import type { ObjectRef } from '../plan/types.ts'
import { judgeObject } from './readiness.ts'
import { StatusRequirements } from './status-requirement.ts'
import type { ClusterContext, DeployResult } from './types.ts'
import { waitAllReady } from './wait-ready.ts'

/** How a whole deployment is waited for. */
export interface WaitOptions {
  /** Milliseconds without any object getting ready after which waiting ends. */
  readonly timeout: number
  /** Hears how many are not ready, each time that changes. */
  readonly onProgress: (left: number) => void
}

/**
 * Waits until everything that a deployment applied is ready, hooks aside. What does not get ready is told to the
 * context's `problems`. Objects that were ready in the server's answer cost nothing.
 */
export async function waitUntilReady(
  context: ClusterContext,
  { applied, hooks }: DeployResult,
  { timeout, onProgress }: WaitOptions,
): Promise<void> {
  const requirements = new StatusRequirements(context)
  const objects = [...applied.values()].filter(object => !hooks.has(refKey(refOf(object))))
  const verdicts = await Promise.all(
    objects.map(async object => {
      const purpose = { waiting: true, hook: false }
      const { judgement } = await judgeObject(requirements, context.clock, object, purpose)
      return { ref: refOf(object), ready: judgement.ready }
    }),
  )
  const waiting = verdicts.filter(({ ready }) => !ready).map(({ ref }) => ref)
  const { problems } = context
  const waiter = {
    run: { context, requirements },
    tracker: silent,
    fail: (ref: ObjectRef, error: unknown) => problems.addError(ref, error),
    warn: (ref: ObjectRef, warning: string) => problems.addWarning(ref, warning),
  }
  let left = waiting.length
  if (left > 0) onProgress(left)
  await waitAllReady(waiter, waiting, { hook: false, timeout, onReady: () => onProgress(--left) })
}

const silent: Tracker = {
  update: () => undefined,
  line: () => undefined,
  advance: () => undefined,
  end: () => undefined,
}
