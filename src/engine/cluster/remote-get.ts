import { KubeError } from '../../kube/errors.ts'
import { parallel } from '../../util/parallel.ts'
import type { Manifest } from '../item.ts'
import { noObject } from '../plan/refs.ts'
import type { ObjectRef } from '../plan/types.ts'
import { keyOfRef } from './follow.ts'
import { isRefusal, requestsAtOnce } from './remote-list.ts'
import { Retrier } from './retrying.ts'
import type { ClusterContext } from './types.ts'

/** Milliseconds for an object with its retries. */
const retryDeadline = 15_000

const notAllowed =
  'at least one permission error was encountered while gathering known objects. This might result in orphan object ' +
  'detection and diffs to not work properly'

/**
 * The objects that exist of those named, whole. What cannot be read is an error about that object; what may not be read
 * counts as absent, with a warning. @throws the signal's reason when aborted
 */
export async function getByName(context: ClusterContext, refs: readonly ObjectRef[]): Promise<Manifest[]> {
  if (refs.length === 0) return []
  const { kube, signal, problems, progress } = context
  const end = progress.start(`Getting ${refs.length} additional remote objects`)
  const retrier = new Retrier(context, retryDeadline)
  let forbidden = false
  try {
    const absent = await absentNamespaces(context, refs)
    const candidates = refs.filter(({ namespace = '' }) => !absent.has(namespace))
    const found = await parallel(candidates, requestsAtOnce, async ref => {
      try {
        return await retrier.run(() => kube.get(keyOfRef(ref), { signal }), signal)
      } catch (error) {
        signal.throwIfAborted()
        if (error instanceof KubeError && error.isNotFound) return undefined
        if (isRefusal(error)) forbidden = true
        else problems.addError(ref, error)
        return undefined
      }
    })
    if (forbidden) problems.addWarning(noObject, notAllowed)
    end('done')
    return found.filter(object => object !== undefined) as unknown as Manifest[]
  } catch (error) {
    end('failed')
    throw error
  }
}

/** Namespaces that several of the objects would be in, and that are known not to exist: nothing is in them. */
async function absentNamespaces(
  { kube, signal }: ClusterContext,
  refs: readonly ObjectRef[],
): Promise<ReadonlySet<string>> {
  const counts = new Map<string, number>()
  for (const { namespace } of refs) {
    if (namespace !== undefined) counts.set(namespace, (counts.get(namespace) ?? 0) + 1)
  }
  const several = [...counts].filter(([, count]) => count > 1).map(([name]) => name)
  const absent = new Set<string>()
  await parallel(several, requestsAtOnce, async name => {
    try {
      if ((await kube.getMetadata({ apiVersion: 'v1', kind: 'Namespace', name }, { signal })) === undefined) {
        absent.add(name)
      }
    } catch {
      // An account that may not ask for namespaces asks for the objects themselves.
      signal.throwIfAborted()
    }
  })
  return absent
}
