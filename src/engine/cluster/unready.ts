import type { Manifest } from '../item.ts'
import { hookOf } from '../plan/hooks.ts'
import { isAnnotated, refOf } from '../plan/refs.ts'
import type { ObjectRef, RemoteView } from '../plan/types.ts'
import { judgeObject } from './readiness.ts'
import { StatusRequirements } from './status-requirement.ts'
import type { ClusterContext } from './types.ts'

/** An object that a deployment has and that is not ready. */
export interface Unready {
  readonly ref: ObjectRef
  readonly message: string
  /** Waiting does not make it ready. */
  readonly failed: boolean
}

/** What of a deployed target is not ready now, by the rules that it was waited for with, hooks aside. @throws KubeError */
export async function unreadyObjects(
  context: Pick<ClusterContext, 'kube' | 'clock' | 'signal'>,
  rendered: readonly Manifest[],
  remote: RemoteView,
): Promise<Unready[]> {
  const requirements = new StatusRequirements(context)
  const unready: Unready[] = []
  for (const object of rendered) {
    if (hookOf(object) !== undefined || isAnnotated(object, 'kluctl.io/delete')) continue
    const ref = refOf(object)
    const found = remote.get(ref)
    // What is missing differs from the project, and counts as such.
    if (found === undefined) continue
    const { judgement } = await judgeObject(requirements, context.clock, found, { waiting: true, hook: false })
    if (judgement.ready) continue
    const { errors, reasons } = judgement
    unready.push({ ref, message: [...errors, ...reasons].join('; '), failed: errors.length > 0 })
  }
  return unready
}
