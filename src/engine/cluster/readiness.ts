import type { Clock } from '../../util/clock.ts'
import { type Manifest, text } from '../item.ts'
import type { Judgement, ReadinessPurpose } from '../plan/judgement.ts'
import { judgeReadiness, judgeWithoutStatus, type Readiness, statusPatience } from '../plan/readiness.ts'
import { refOf } from '../plan/refs.ts'
import { getPath } from '../values.ts'
import { StatusRequirements } from './status-requirement.ts'
import type { ClusterContext } from './types.ts'

/** What is thought of an object now, and when time alone makes it ready. */
export interface Verdict {
  readonly judgement: Judgement
  /** Milliseconds since the epoch; undefined when only a change of the object can. */
  readonly readyAt: number | undefined
}

/** Judges an object, asking the cluster whether it needs a status where it has none. @throws KubeError */
export async function judgeObject(
  requirements: StatusRequirements,
  clock: Clock,
  object: Manifest,
  purpose: ReadinessPurpose,
): Promise<Verdict> {
  const judgement = judgeReadiness(object, purpose)
  if (!judgement.withoutStatus) return { judgement, readyAt: undefined }
  const created = Date.parse(text(getPath(object, ['metadata', 'creationTimestamp'])))
  const now = clock.now()
  // Far in the future is as good as long ago: the clocks differ, and nobody can tell how old it is.
  judgeWithoutStatus(await requirements.of(refOf(object)), Math.abs(now - created), judgement)
  return { judgement, readyAt: judgement.ready ? undefined : Math.min(created, now) + statusPatience + 1 }
}

/**
 * How ready a deployed object is, for `validate`: what waiting would mend is an error there.
 * @throws KubeError, KubeConnectionError
 */
export async function validateObject(
  context: Pick<ClusterContext, 'kube' | 'clock' | 'signal'>,
  object: Manifest,
  requirements = new StatusRequirements(context),
): Promise<Readiness> {
  const purpose = { waiting: false, hook: false }
  const { judgement } = await judgeObject(requirements, context.clock, object, purpose)
  const { ready, errors, reasons, warnings, results } = judgement
  return { ready, errors: [...errors, ...reasons], warnings, results }
}
