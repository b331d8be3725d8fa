import { KubeError } from '../../kube/errors.ts'
import { EngineError } from '../errors.ts'
import type { Manifest } from '../item.ts'
import { applyForm } from '../plan/apply-form.ts'
import { type Renamed, underDryRunName } from '../plan/dry-run-name.ts'
import { apiVersionOf, formatRef, refKey, refOf } from '../plan/refs.ts'
import type { ObjectRef } from '../plan/types.ts'
import { getPath } from '../values.ts'
import { applyAgain } from './apply-again.ts'
import type { ItemRun } from './item-run.ts'
import { kindAppeared } from './new-kinds.ts'
import { sendApply } from './requests.ts'

/** How an object is applied. */
export interface ApplyPurpose {
  readonly hook: boolean
  /** The object was deleted before it is applied, or would have been. */
  readonly replaced: boolean
}

/** Applies an object, or finds out what applying it would give. What goes wrong is noted, never thrown. */
export async function applyObject(item: ItemRun, object: Manifest, purpose: ApplyPurpose): Promise<void> {
  const ref = refOf(object)
  try {
    await attempt(item, ref, applyForm(object), purpose)
  } catch (error) {
    item.fail(ref, error)
  }
}

async function attempt(item: ItemRun, ref: ObjectRef, form: Manifest, purpose: ApplyPurpose): Promise<void> {
  const { run } = item
  const remote = run.remote.get(ref)
  if (remote !== undefined && isUnchanged(item, ref, remote)) {
    item.took(remote, purpose.hook)
    return
  }
  const renamed = await disguise(item, ref, form, purpose)
  try {
    const answer = await sendApply(item, ref, renamed?.object ?? form)
    item.took(renamed?.restore(answer) ?? answer, purpose.hook)
  } catch (error) {
    if (run.context.signal.aborted) throw error
    if (!(error instanceof KubeError && error.isKindMissing)) await applyAgain(item, form, purpose.hook, error)
    else await applyToNewKind(item, ref, form, purpose.hook, error)
  }
}

function isUnchanged({ run }: ItemRun, ref: ObjectRef, remote: Manifest): boolean {
  const version = run.options.skipResourceVersions?.get(refKey(ref))
  return version !== undefined && version === getPath(remote, ['metadata', 'resourceVersion'])
}

/** Where a dry run cannot be sent as it is, because nothing of what comes before it has happened. */
async function disguise(
  { run }: ItemRun,
  ref: ObjectRef,
  form: Manifest,
  { replaced }: ApplyPurpose,
): Promise<Renamed | undefined> {
  if (!run.dryRun) return undefined
  if (replaced && run.remote.get(ref) !== undefined) return underDryRunName(form)
  const { namespace } = ref
  if (namespace === undefined || !run.plan.namespaces.has(namespace)) return undefined
  return (await run.hasNamespace(namespace)) ? undefined : underDryRunName(form, 'default')
}

async function applyToNewKind(
  item: ItemRun,
  ref: ObjectRef,
  form: Manifest,
  hook: boolean,
  cause: KubeError,
): Promise<void> {
  const { run } = item
  const kind = { apiVersion: apiVersionOf(ref), kind: ref.kind }
  if (run.dryRun && run.plan.definedKinds.has(`${kind.apiVersion} ${kind.kind}`)) {
    // Spelled as in kluctl, whose words scripts look for.
    const what = `the underyling custom resource definition for ${formatRef(ref)} has not been applied yet`
    item.warn(ref, `${what}: this is a dry run, which cannot tell whether the object will be accepted`)
    item.took(form, hook)
    return
  }
  if (run.dryRun || !(await kindAppeared(run, kind))) {
    const what = `no matches for kind "${ref.kind}" in version "${kind.apiVersion}"`
    throw new EngineError(`failed to patch ${formatRef(ref)}: ${what}`, { cause })
  }
  try {
    item.took(await sendApply(item, ref, form), hook)
  } catch (error) {
    if (run.context.signal.aborted) throw error
    await applyAgain(item, form, hook, error)
  }
}
