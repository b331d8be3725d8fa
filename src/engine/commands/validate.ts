import { validateObject } from '../cluster/readiness.ts'
import type { RemoteObjects } from '../cluster/remote-objects.ts'
import { StatusRequirements } from '../cluster/status-requirement.ts'
import type { EngineHost } from '../host.ts'
import type { Manifest } from '../item.ts'
import { hookOf, isExpectedAfterwards } from '../plan/hooks.ts'
import { Problems } from '../plan/problems.ts'
import { isAnnotated, refOf } from '../plan/refs.ts'
import { maskedValidation, maskOf } from '../result/mask.ts'
import { validateResult } from '../result/new-result.ts'
import type { ValidateResult, ValidateResultEntry } from '../result/types.ts'
import { ClusterRun, type OriginOf, withClusterRun } from './on-cluster.ts'
import type { RenderFlags } from './run.ts'

/** Flags of `validate`. */
export interface ValidateFlags extends RenderFlags {
  /** Milliseconds that are waited for a target to get valid; none by default. */
  readonly wait?: number | undefined
  /** Milliseconds between two attempts. */
  readonly sleep: number
}

/** Takes the result of every attempt, and gives whether it is good enough. */
export type Judge = (result: ValidateResult) => Promise<boolean>

/**
 * Checks that what a target renders is on the cluster and ready, again and again until `judge` is content or the time
 * to wait is over. Gives whether it was content at last.
 * @throws EngineError when the target cannot be rendered; the signal's reason when aborted
 */
export async function validate(
  host: EngineHost,
  flags: ValidateFlags,
  signal: AbortSignal,
  judge: Judge,
): Promise<boolean> {
  const until = host.clock.now() + (flags.wait ?? 0)
  return withClusterRun(host, flags, signal, async (one, origin) => {
    for (;;) {
      if (await judge(await attempt(one, origin))) return true
      const left = until - host.clock.now()
      if (left <= 0) return false
      // The last attempt is when the time is up: a time shorter than the sleep is waited too.
      await host.clock.sleep(Math.min(flags.sleep, left), signal)
    }
  })
}

async function attempt(before: ClusterRun, origin: OriginOf): Promise<ValidateResult> {
  const one = new ClusterRun(before.run, { ...before.context, problems: new Problems() }, before.flags)
  const remote = await one.findRemote({ onlyUsedKinds: true })
  const requirements = new StatusRequirements(one.context)
  const results: ValidateResultEntry[] = []
  let ready = true
  for (const object of one.objects) {
    const found = await check(one, remote, requirements, object)
    if (found === undefined) continue
    const ref = refOf(object)
    if (!found.ready) ready = false
    for (const error of found.errors) one.problems.addError(ref, error)
    for (const warning of found.warnings) one.problems.addWarning(ref, warning)
    results.push(...found.results.map(result => ({ ref, ...result })))
  }
  const facts = await origin(one.problems)
  const { errors, warnings } = one.problems
  return maskedValidation(validateResult(facts, { ready, errors, warnings, results }), maskOf(one.run))
}

const missing = { ready: true, warnings: [], results: [] }

/** How an object is; undefined for those that are not expected to be there, and are not. */
async function check(
  { context }: ClusterRun,
  remote: RemoteObjects,
  requirements: StatusRequirements,
  object: Manifest,
) {
  const found = remote.get(refOf(object))
  if (isAnnotated(object, 'kluctl.io/delete')) {
    if (found === undefined) return undefined
    return { ...missing, errors: ['object is marked for deletion but still exists on the target cluster'] }
  }
  const hook = hookOf(object)
  if (hook !== undefined && !isExpectedAfterwards(hook)) return undefined
  return found === undefined
    ? { ...missing, errors: ['object not found'] }
    : validateObject(context, found, requirements)
}
