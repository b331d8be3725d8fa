import { asRecord, conditionOf } from '../../kube/conditions.ts'
import { KubeError } from '../../kube/errors.ts'
import { type GroupVersionKind, type KubeObject, splitApiVersion } from '../../kube/types.ts'
import type { DeployRun } from './run.ts'

const crdKind = { apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition' }

/** Milliseconds that the API server gets from a CRD's creation until it serves and lists the kind. */
const servedWithin = 30_000
const pollInterval = 100

/**
 * Whether the cluster has a kind that it did not have before; comes back when objects of it can be applied. False when
 * there is no CRD for it yet: what defines a kind has to come before its objects, behind a barrier.
 */
export async function kindAppeared({ context }: Pick<DeployRun, 'context'>, kind: GroupVersionKind): Promise<boolean> {
  const { kube, clock, signal } = context
  const end = clock.now() + servedWithin
  // Asked first and once, so that an object that comes too early is found out, as in kluctl, and not only when it is slow.
  const isComing = await isDefined(kube, kind, signal)
  for (;;) {
    kube.invalidate()
    if (await isServed(kube, kind, signal)) return true
    if (!isComing || clock.now() >= end) return false
    await clock.sleep(pollInterval, signal)
  }
}

type Kube = DeployRun['context']['kube']

async function isServed(kube: Kube, kind: GroupVersionKind, signal: AbortSignal): Promise<boolean> {
  try {
    await kube.resourceFor(kind, { signal })
    return true
  } catch (error) {
    if (error instanceof KubeError && error.isKindMissing) return false
    throw error
  }
}

/** Whether there is a CRD for the kind, with names that nobody else has. */
async function isDefined(kube: Kube, kind: GroupVersionKind, signal: AbortSignal): Promise<boolean> {
  const [group, version] = splitApiVersion(kind.apiVersion)
  try {
    const { items } = await kube.list(crdKind, { metadataOnly: true, signal })
    const names = items.flatMap(({ metadata: { name } }) => (name?.endsWith(`.${group}`) === true ? [name] : []))
    const crds = await Promise.all(names.map(name => kube.get({ ...crdKind, name }, { signal })))
    return crds.some(crd => crd !== undefined && defines(crd, group, version, kind.kind))
  } catch (error) {
    // Without the right to read CRDs, what discovery says is all there is.
    if (error instanceof KubeError && error.isForbidden) return false
    throw error
  }
}

function defines(crd: KubeObject, group: string, version: string, kind: string): boolean {
  const spec = asRecord(crd.spec)
  const versions = Array.isArray(spec.versions) ? spec.versions.map(asRecord) : []
  return (
    spec.group === group &&
    asRecord(spec.names).kind === kind &&
    versions.some(({ name, served }) => name === version && served !== false) &&
    conditionOf(crd, 'NamesAccepted')?.status !== 'False'
  )
}
