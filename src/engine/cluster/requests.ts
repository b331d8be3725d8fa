import type { KubeObject } from '../../kube/types.ts'
import type { Manifest } from '../item.ts'
import type { ObjectRef } from '../plan/types.ts'
import { clone, emptyObject, isObject } from '../values.ts'
import { keyOfRef } from './follow.ts'
import type { ItemRun } from './item-run.ts'

/** Field manager of all that is applied: kluctl's, so that both tools can take turns on one target. */
const fieldManager = 'kluctl'

/**
 * Sends one server-side apply; by `force`, fields of other managers are taken over.
 * @throws KubeError, KubeConnectionError
 */
export async function sendApply(item: ItemRun, ref: ObjectRef, form: Manifest, force = false): Promise<Manifest> {
  const { run } = item
  const { kube } = run.context
  const isForced = force || run.options.forceApply === true
  const answer = await run.send(() => kube.apply(toKube(form), { ...writeOptions(item, ref), force: isForced }))
  return fromKube(answer)
}

/**
 * Replaces an object that exists, whatever its version is by then.
 * @throws KubeError, KubeConnectionError
 */
export async function sendReplace(item: ItemRun, ref: ObjectRef, form: Manifest, remote: Manifest): Promise<Manifest> {
  const { kube, signal } = item.run.context
  let version = versionOf(toKube(remote))
  const answer = await item.run.send(async () => {
    // Custom resources cannot be replaced without a version, and the one that is known may be an old one.
    version ??= versionOf(await kube.get(keyOfRef(ref), { signal }))
    const copy = clone(form)
    const metadata = isObject(copy.metadata) ? copy.metadata : emptyObject()
    copy.metadata = metadata
    if (version !== undefined) metadata.resourceVersion = version
    version = undefined
    return kube.replace(toKube(copy), writeOptions(item, ref))
  })
  return fromKube(answer)
}

/** The object as it is now; undefined when there is none. @throws KubeError, KubeConnectionError */
export async function fetchObject({ run }: ItemRun, ref: ObjectRef): Promise<Manifest | undefined> {
  const { kube, signal } = run.context
  const found = await run.send(() => kube.get(keyOfRef(ref), { signal }))
  return found === undefined ? undefined : fromKube(found)
}

function writeOptions(item: ItemRun, ref: ObjectRef) {
  const { dryRun, context } = item.run
  const onWarning = (warning: string) => item.warn(ref, warning)
  return { fieldManager, dryRun, signal: context.signal, onWarning }
}

function versionOf(object: KubeObject | undefined): string | undefined {
  return object?.metadata.resourceVersion
}

function toKube(object: Manifest): KubeObject {
  return object as unknown as KubeObject
}

function fromKube(object: KubeObject): Manifest {
  return object as unknown as Manifest
}
