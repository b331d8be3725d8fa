import type { KubeError } from '../../kube/errors.ts'
import { EngineError } from '../errors.ts'
import type { Manifest } from '../item.ts'
import { conflictRules, resolveConflicts } from '../plan/conflicts.ts'
import { formatRef, refOf } from '../plan/refs.ts'
import { isSkipDelete } from '../plan/skip-delete.ts'
import type { ObjectRef } from '../plan/types.ts'
import { deleteInItem } from './delete-in-item.ts'
import type { ItemRun } from './item-run.ts'
import { fetchObject, sendApply, sendReplace } from './requests.ts'
import { isFieldConflict } from './retrying.ts'

/** An object that could not be applied as it is. */
interface Refused {
  readonly ref: ObjectRef
  readonly form: Manifest
  readonly hook: boolean
  /** As the cluster has it. */
  readonly remote: Manifest | undefined
}

/**
 * Goes on after an apply that failed: by resolving conflicts, and, where the options allow it, by replacing the object,
 * or by deleting it and creating it anew.
 * @throws what went wrong last
 */
export async function applyAgain(item: ItemRun, form: Manifest, hook: boolean, error: unknown): Promise<void> {
  const ref = refOf(form)
  const { run } = item
  const mayReplace = run.options.replaceOnError === true || run.options.forceReplaceOnError === true
  if (!isFieldConflict(error) && !mayReplace) throw patchError(ref, error)
  const remote = run.remote.get(ref) ?? (await fetchObject(item, ref))
  const refused: Refused = { ref, form, hook, remote }
  if (isFieldConflict(error)) await applyResolved(item, refused, error as KubeError)
  else await replace(item, refused, patchError(ref, error))
}

async function applyResolved(item: ItemRun, refused: Refused, conflict: KubeError): Promise<void> {
  const { ref, form, hook, remote } = refused
  if (remote === undefined) throw patchError(ref, conflict)
  const rules = conflictRules(item.plan.item.project)
  const { object, lost } = resolveConflicts(form, remote, conflict.details.causes ?? [], rules)
  for (const { field, message } of lost) {
    item.warn(ref, `${message}. Not updating field '${field}' as we lost field ownership`)
  }
  try {
    item.took(await sendApply(item, ref, object, true), hook)
  } catch (error) {
    item.run.context.signal.throwIfAborted()
    await recreate(item, refused, patchError(ref, error))
  }
}

async function replace(item: ItemRun, refused: Refused, cause: unknown): Promise<void> {
  const { ref, form, hook, remote } = refused
  if (remote === undefined) throw cause
  announce(item, ref, `patching ${formatRef(ref)} failed, retrying with replace instead of patch`)
  try {
    item.took(await sendReplace(item, ref, form, remote), hook)
  } catch (error) {
    item.run.context.signal.throwIfAborted()
    await recreate(item, refused, error)
  }
}

async function recreate(item: ItemRun, { ref, form, hook, remote }: Refused, cause: unknown): Promise<void> {
  const { run } = item
  if (run.options.forceReplaceOnError !== true) throw cause
  if (isSkipDelete(form) || (remote !== undefined && isSkipDelete(remote))) {
    run.context.progress.warn(`skipped forced replace of ${formatRef(ref)}`)
    throw cause
  }
  announce(item, ref, `patching ${formatRef(ref)} failed, retrying by deleting and re-applying`)
  if ((await deleteInItem(item, ref, hook)) === 'failed') return
  item.took(run.dryRun ? form : await sendApply(item, ref, form), hook)
}

function announce(item: ItemRun, ref: ObjectRef, warning: string): void {
  item.warn(ref, warning)
  item.run.context.progress.warn(warning)
}

function patchError(ref: ObjectRef, cause: unknown): EngineError {
  return new EngineError(`failed to patch ${formatRef(ref)}`, { cause })
}
