import { isTelling, keepUnlessKnown, maxBytes, withFewProblems } from '../backend/engine/keep-result.ts'
import type { EngineHost } from '../engine/host.ts'
import { ResultStore } from '../engine/result/store.ts'
import type { CommandResult } from '../engine/result/types.ts'
import { messageOf } from '../util/errors.ts'

/** Milliseconds for keeping a result; it is kept even when the command's own time is up. */
const deadline = 30_000

/**
 * Keeps the result of a deployment by hand in the environment's namespace, as its account and by the controller's rules.
 * What cannot be kept is warned of: the deployment itself is done.
 */
export async function keepByHand(
  { cluster, clock, progress }: EngineHost,
  { namespace, keep }: { namespace: string; keep: number },
  result: CommandResult,
): Promise<void> {
  if (cluster === undefined || keep === 0 || !isTelling(result)) return
  const counts = { keepCommandResults: keep, keepValidateResults: 0 }
  const store = new ResultStore(cluster, { namespace, ...counts, maxBytes, ofEnvironment: true, clock, progress })
  try {
    await keepUnlessKnown(store, withFewProblems(result), AbortSignal.timeout(deadline))
  } catch (error) {
    progress.warn(`the result of the deployment is not kept: ${messageOf(error)}`)
  }
}
