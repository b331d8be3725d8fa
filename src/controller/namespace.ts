import { annotations } from '../api/index.ts'
import type { DesiredEnvironment } from '../environment/desired.ts'
import { KubeError } from '../kube/errors.ts'
import type { KubeObject } from '../kube/types.ts'
import { OffshootError, TerminalError } from '../util/errors.ts'
import type { ControllerContext } from './context.ts'
import { isOwnedBy, ownerText, ownMetadata } from './ownership.ts'
import { mergePatch } from './patch.ts'
import type { StatusDraft } from './status-draft.ts'

/** The environment's namespace is going away although the environment is not; it is made again after that. */
export class NamespaceTerminating extends OffshootError {
  override readonly name = 'NamespaceTerminating'
}

/**
 * Whether a namespace of the name that the status records was made for this environment, so that the name cannot change
 * any more, whatever the template says later. `rendered`: what it says now.
 */
export async function isNameFixed(
  context: ControllerContext,
  draft: StatusDraft,
  rendered: string,
  signal: AbortSignal,
): Promise<boolean> {
  const { namespace } = draft.status
  if (namespace === undefined || namespace === rendered) return false
  // Recorded, and perhaps created just before a crash.
  const found = await liveNamespace(context, namespace, signal)
  return found !== undefined && isOwnedBy(found, draft.environment)
}

/**
 * Makes the namespace, or finds the one made before, and keeps its labels and annotations. Whether it was made now.
 * @throws TerminalError `NamespaceTaken` when one exists that is not this environment's; it is left alone
 */
export async function ensureNamespace(
  context: ControllerContext,
  draft: StatusDraft,
  name: string,
  desired: DesiredEnvironment,
  signal: AbortSignal,
): Promise<boolean> {
  const known = context.stores.namespaces.get(undefined, name)
  const wanted = wantedMetadata(draft, desired)
  const created = known === undefined ? await createNamespace(context, name, wanted, signal) : undefined
  const existing = created ?? known ?? (await existingNamespace(context, name, signal))
  if (!isOwnedBy(existing, draft.environment)) {
    const message = `namespace ${name} exists and is left alone: ${ownerText(existing)}; choose another spec.environment.namespace.name`
    throw new TerminalError('NamespaceTaken', message)
  }
  if (existing.metadata.deletionTimestamp !== undefined) {
    throw new NamespaceTerminating(`namespace ${name} is being deleted; it is made again when it is gone`)
  }
  if (draft.status.times?.namespaceCreated === undefined) draft.stamp('namespaceCreated')
  await keepMetadata(context, existing, wanted, signal)
  return created !== undefined
}

/** The namespace as the API server has it now; metadata only. */
export function liveNamespace(
  context: ControllerContext,
  name: string,
  signal: AbortSignal,
): Promise<KubeObject | undefined> {
  return context.kube.getMetadata({ apiVersion: 'v1', kind: 'Namespace', name }, { signal })
}

interface Metadata {
  labels: Record<string, string>
  annotations: Record<string, string>
}

/** Our own labels and annotations win over the project's. */
function wantedMetadata(draft: StatusDraft, { namespace }: DesiredEnvironment): Metadata {
  const own = ownMetadata(draft.environment)
  return {
    labels: { ...namespace.labels, ...own.labels },
    annotations: { ...namespace.annotations, ...own.annotations },
  }
}

/** Creates it; undefined when one of that name is there already. */
async function createNamespace(
  context: ControllerContext,
  name: string,
  metadata: Metadata,
  signal: AbortSignal,
): Promise<KubeObject | undefined> {
  try {
    const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name, ...metadata } }
    const created = await context.kube.create<KubeObject>(namespace, { signal })
    context.stores.namespaces.assume({ ...created, spec: undefined, status: undefined })
    return created
  } catch (error) {
    if (!(error instanceof KubeError && error.isAlreadyExists)) throw error
    return undefined
  }
}

async function existingNamespace(context: ControllerContext, name: string, signal: AbortSignal): Promise<KubeObject> {
  const live = await liveNamespace(context, name, signal)
  if (live === undefined) throw new NamespaceTerminating(`namespace ${name} has just gone; it is made again`)
  return live
}

/** Labels and annotations that the project asks for are put back; those that others added stay. */
async function keepMetadata(
  context: ControllerContext,
  existing: KubeObject,
  wanted: Metadata,
  signal: AbortSignal,
): Promise<void> {
  const { labels = {}, annotations: found = {}, uid, name = '' } = existing.metadata
  const before = { labels, annotations: found }
  const after = { labels: { ...labels, ...wanted.labels }, annotations: { ...found, ...wanted.annotations } }
  const patch = mergePatch(before, after)
  if (patch === undefined) return
  const key = { apiVersion: 'v1', kind: 'Namespace', name }
  const patched = await context.kube.patch<KubeObject>(key, { metadata: { uid, ...patch } }, { type: 'merge', signal })
  if (patched.metadata.annotations?.[annotations.owner] !== undefined) {
    context.stores.namespaces.assume({ ...patched, spec: undefined, status: undefined })
  }
}
