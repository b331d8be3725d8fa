import { apiVersion, type ReviewEnvironment } from '../api/index.ts'
import { type SentFeedback, sendFeedback, wantsFeedback } from '../feedback/index.ts'
import { messageOf } from '../util/errors.ts'
import type { ControllerContext } from './context.ts'
import type { Place } from './keys.ts'
import { mergePatch } from './patch.ts'
import { findProject } from './stores.ts'
import type { Outcome } from './workers.ts'

/** How long it is tried to say that an environment is gone, in milliseconds. */
const farewellGivenUp = 60 * 60_000

/**
 * Tells people how an environment stands. Runs apart from what deploys and removes, which never waits for it (except,
 * for half a minute, to say that all is gone).
 */
export async function reconcileFeedback(
  context: ControllerContext,
  { namespace, name }: Place,
  signal: AbortSignal,
): Promise<Outcome | undefined> {
  const place = `${namespace}/${name}`
  const live = context.stores.environments.get(namespace, name)
  const gone = farewellOf(context, place, live)
  const environment = gone ?? live
  const project = environment && findProject(context.stores, environment)
  if (environment === undefined || project === undefined || !wantsFeedback(environment, project)) {
    return farewellDone(context, { namespace, name }, live)
  }
  try {
    const { forge, credential, mask } = await context.forges.of(project)
    const { installation } = context
    // What was sent is newer in the live object than in a copy kept for the farewell.
    const newest =
      live === undefined ? environment : { ...environment, status: { ...environment.status, ...fed(live) } }
    const request = {
      environment: newest,
      project,
      forge,
      credential,
      gone: gone !== undefined,
      installation,
      mask,
      signal,
    }
    const result = await sendFeedback(request, context.budget, sent => keepSent(context, newest, live, sent, signal))
    if (result.again !== undefined) return { recheckAfter: result.again }
  } catch (error) {
    signal.throwIfAborted()
    context.forges.noteFailure(project, error)
    if (gone !== undefined && context.farewells.age(place) > farewellGivenUp) {
      context.log.warn({ environment: place, error: messageOf(error) }, 'nobody could be told that it is gone')
      return farewellDone(context, { namespace, name }, live)
    }
    throw error
  }
  return gone === undefined ? undefined : farewellDone(context, { namespace, name }, live)
}

/** The environment whose removal is proven, unless one of the same name lives again and has the comment to itself. */
function farewellOf(
  context: ControllerContext,
  place: string,
  live: ReviewEnvironment | undefined,
): ReviewEnvironment | undefined {
  const farewell = context.farewells.get(place)
  if (farewell === undefined || live === undefined || live.metadata.uid === farewell.metadata.uid) return farewell
  context.farewells.forget(place)
  return undefined
}

function farewellDone(context: ControllerContext, place: Place, live: ReviewEnvironment | undefined): undefined {
  const key = `${place.namespace}/${place.name}`
  if (context.farewells.get(key) === undefined) return undefined
  if (live === undefined) {
    context.farewells.forget(key)
    return undefined
  }
  context.farewells.told(key)
  context.enqueue.now({ kind: 'environment', ...place })
  return undefined
}

function fed({ status }: ReviewEnvironment): { feedback?: SentFeedback } {
  return status?.feedback === undefined ? {} : { feedback: status.feedback }
}

/** Remembers what was sent, so that it is not sent again, whoever leads by then. */
async function keepSent(
  context: ControllerContext,
  environment: ReviewEnvironment,
  live: ReviewEnvironment | undefined,
  sent: SentFeedback,
  signal: AbortSignal,
): Promise<void> {
  if (live === undefined) return
  const feedback = mergePatch(environment.status?.feedback, sent)
  if (feedback === undefined) return
  const { namespace, name, uid } = live.metadata
  const patched = await context.kube.patch<ReviewEnvironment>(
    { apiVersion, kind: 'ReviewEnvironment', namespace, name },
    { metadata: { uid }, status: { feedback } },
    { type: 'merge', subresource: 'status', signal },
  )
  context.stores.environments.assume(patched)
}
