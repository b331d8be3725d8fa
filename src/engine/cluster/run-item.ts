import { preferredKinds } from '../plan/api-kinds.ts'
import { resolveReference } from '../plan/deploy-plan.ts'
import { formatRef, noObject, refKey, refOf } from '../plan/refs.ts'
import type { ObjectRef } from '../plan/types.ts'
import type { ObjectReference } from '../project/schema/deployment.ts'
import { applyObject } from './apply.ts'
import { deleteInItem } from './delete-in-item.ts'
import type { ItemRun } from './item-run.ts'
import { runHooks } from './run-hooks.ts'
import { waitReady } from './wait-ready.ts'

/**
 * Works on one item of a deployment: deletions, hooks before, objects one after the other, waiting, hooks after.
 * Problems are noted, never thrown.
 */
export async function runItem(item: ItemRun): Promise<void> {
  try {
    await steps(item)
  } catch (error) {
    // Nothing of an object ends here: discovery failed, or there is a mistake in this program.
    item.fail(noObject, error)
  }
  item.end()
}

async function steps(item: ItemRun): Promise<void> {
  const { run, plan } = item
  if (run.stopped) return
  const deletions = unique([...(await resolve(item, plan.deleteSelectors)), ...plan.deletions])
  await deleteFirst(item, deletions)
  await runHooks(item, plan.hooksBefore)
  await applyObjects(item, new Set(deletions.map(refKey)))
  if (run.stopped) return
  if (run.options.noWait !== true) {
    const refs = unique([...(await resolve(item, plan.waitSelectors)), ...plan.waitFor])
    await waitReady(item, refs, { hook: false, timeout: undefined })
  }
  await runHooks(item, plan.hooksAfter)
}

async function deleteFirst(item: ItemRun, refs: readonly ObjectRef[]): Promise<void> {
  if (refs.length === 0) return
  item.tracker.line(`Deleting ${refs.length} objects`)
  await Promise.all(
    refs.map(async ref => {
      item.tracker.update(`Deleting object ${formatRef(ref)}`)
      await deleteInItem(item, ref, false)
    }),
  )
}

async function applyObjects(item: ItemRun, deleted: ReadonlySet<string>): Promise<void> {
  const objects = item.plan.objects.filter(object => !deleted.has(refKey(refOf(object))))
  if (objects.length === 0) return
  item.tracker.line(`Applying ${objects.length} objects`)
  // One after the other: an object may need those that stand before it, as a Pod does its ServiceAccount.
  for (const [index, object] of objects.entries()) {
    if (item.run.stopped) return
    item.tracker.update(`Applying object ${formatRef(refOf(object))} (${index + 1} of ${objects.length})`)
    await applyObject(item, object, { hook: false, replaced: false })
    item.tracker.advance()
  }
}

/** Objects named by kind or group, in every kind that fits and that the cluster has by now. */
async function resolve(item: ItemRun, references: readonly ObjectReference[]): Promise<ObjectRef[]> {
  if (references.length === 0) return []
  const found = await find(item, references)
  if (found.every(refs => refs.length > 0)) return found.flat()
  // CRDs may have come since the cluster was asked last.
  item.run.context.kube.invalidate()
  const again = await find(item, references)
  for (const [index, reference] of references.entries()) {
    if (again[index]?.length === 0) item.fail(noObject, unknownKind(reference))
  }
  return again.flat()
}

async function find({ run }: ItemRun, references: readonly ObjectReference[]): Promise<ObjectRef[][]> {
  const { kube, signal } = run.context
  const kinds = preferredKinds(await run.send(() => kube.allResources()))
  signal.throwIfAborted()
  return references.map(reference => resolveReference(reference, kinds))
}

function unknownKind({ group = '', kind = '', name, namespace }: ObjectReference): string {
  const what = namespace === undefined ? name : `${namespace}/${name}`
  return `${what} cannot be found: resource with group/kind ${group === '' ? kind : `${kind}.${group}`} not found`
}

function unique(refs: readonly ObjectRef[]): ObjectRef[] {
  return [...new Map(refs.map(ref => [refKey(ref), ref])).values()]
}
