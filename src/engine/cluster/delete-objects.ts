import { parallel } from '../../util/parallel.ts'
import { refKey } from '../plan/refs.ts'
import type { ObjectRef } from '../plan/types.ts'
import { deleteObject } from './delete-object.ts'
import { Retrier } from './retrying.ts'
import type { ClusterContext } from './types.ts'

/** How objects are deleted. */
export interface DeleteOptions {
  /** Comes back when they are gone, and says meanwhile what holds those that stay. */
  readonly wait: boolean
  readonly dryRun?: boolean | undefined
}

/** Deletions at a time, as kluctl. */
const width = 8

/**
 * Deletes objects: namespaces first, then in the given order what was in none of them. Gives those that were deleted or
 * were gone already; what went wrong with the others is in the context's `problems`. Never throws.
 */
export async function deleteObjects(
  context: ClusterContext,
  refs: readonly ObjectRef[],
  options: DeleteOptions,
): Promise<ObjectRef[]> {
  const retrier = new Retrier(context)
  const deleted = new Map<string, ObjectRef>()
  const remove = async (ref: ObjectRef) => {
    const purpose = {
      retrier,
      wait: options.wait,
      dryRun: options.dryRun === true,
      remind: (what: string) => context.progress.info(what),
      onWarning: (warning: string) => context.problems.addWarning(ref, warning),
    }
    try {
      await deleteObject(context, ref, purpose)
      deleted.set(refKey(ref), ref)
    } catch (error) {
      context.problems.addError(ref, error)
    }
  }
  await parallel(refs.filter(isNamespace), width, remove)
  // A namespace that may not be deleted takes nothing with it: then all in it is deleted one by one.
  const gone = new Set([...deleted.values()].map(ref => ref.name))
  const others = refs.filter(ref => !isNamespace(ref) && !(ref.namespace !== undefined && gone.has(ref.namespace)))
  await parallel(others, width, remove)
  return refs.filter(ref => deleted.has(refKey(ref)))
}

function isNamespace({ group = '', kind }: ObjectRef): boolean {
  return group === '' && kind === 'Namespace'
}
