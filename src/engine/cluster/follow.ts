import { KubeConnectionError, KubeError } from '../../kube/errors.ts'
import { resourcePath } from '../../kube/paths.ts'
import { jitter } from '../../kube/retry.ts'
import type { KubeObject, ObjectKey } from '../../kube/types.ts'
import { apiVersionOf } from '../plan/refs.ts'
import type { ObjectRef } from '../plan/types.ts'
import { isTransient } from './retrying.ts'
import type { ClusterContext } from './types.ts'

type Follower = Pick<ClusterContext, 'kube' | 'clock' | 'random'>

/** Milliseconds between looks where a watch is not allowed, or the kind does not exist. */
const pollInterval = 500
const maxDelay = 5_000

/** What the API server calls an object. */
export function keyOfRef(ref: ObjectRef): ObjectKey {
  const { kind, name, namespace } = ref
  return { apiVersion: apiVersionOf(ref), kind, name, ...(namespace === undefined ? {} : { namespace }) }
}

/**
 * Shows an object as it is and each time it changes (undefined while it does not exist), until `look` says that it has
 * seen enough. By a watch; by polling where the account may only get the object. Failures that may pass are outlasted:
 * the signal is what ends it.
 * @throws KubeError for a refusal; OffshootError for a namespaced object without a namespace; the signal's reason
 */
export async function follow(
  follower: Follower,
  ref: ObjectRef,
  look: (object: KubeObject | undefined) => boolean | Promise<boolean>,
  signal: AbortSignal,
): Promise<void> {
  let canWatch = true
  for (let failures = 0; ; ) {
    signal.throwIfAborted()
    try {
      if (canWatch ? await watchOnce(follower, ref, look, signal) : await look(await get(follower, ref, signal))) return
      failures = 0
      if (!canWatch) await follower.clock.sleep(pollInterval, signal)
    } catch (error) {
      if (signal.aborted) throw error
      if (canWatch && error instanceof KubeError && (error.isForbidden || error.status === 405)) canWatch = false
      else if (error instanceof KubeError && error.isKindMissing) {
        if (await look(undefined)) return
        await follower.clock.sleep(pollInterval, signal)
      } else if (mayPass(error, failures)) {
        const delay = jitter(Math.min(maxDelay, 100 * 2 ** Math.min(failures++, 10)), follower.random)
        await follower.clock.sleep(delay, signal)
      } else {
        throw error
      }
    }
  }
}

function mayPass(error: unknown, failures: number): boolean {
  // A token that ran out is renewed for the next request.
  if (error instanceof KubeError && error.isUnauthorized) return failures === 0
  return error instanceof KubeConnectionError || isTransient(error)
}

async function get({ kube }: Follower, ref: ObjectRef, signal: AbortSignal): Promise<KubeObject | undefined> {
  return kube.get(keyOfRef(ref), { signal })
}

/** The object by a list, then its changes until the server ends the watch; true when enough was seen. */
async function watchOnce(
  { kube }: Follower,
  ref: ObjectRef,
  look: (object: KubeObject | undefined) => boolean | Promise<boolean>,
  signal: AbortSignal,
): Promise<boolean> {
  const kind = { apiVersion: apiVersionOf(ref), kind: ref.kind }
  // Without its namespace, objects of that name in any would be meant.
  resourcePath(await kube.resourceFor(kind, { signal }), ref)
  const selector = { namespace: ref.namespace, fieldSelector: `metadata.name=${ref.name}` }
  const { items, resourceVersion } = await kube.list(kind, { ...selector, signal })
  if (await look(items[0])) return true
  // Ends the watch's connection, whatever ends this.
  const over = new AbortController()
  try {
    const until = AbortSignal.any([signal, over.signal])
    for await (const { type, object } of await kube.watch(kind, { ...selector, resourceVersion, signal: until })) {
      if (type !== 'BOOKMARK' && (await look(type === 'DELETED' ? undefined : object))) return true
    }
  } finally {
    over.abort()
  }
  return false
}
