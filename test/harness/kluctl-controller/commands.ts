import type { KubeClient } from '../../../src/kube/client.ts'
import { KubeError } from '../../../src/kube/errors.ts'
import { health } from '../../../src/kube/health.ts'
import { type GroupVersionKind, type KubeObject, keyOf, splitApiVersion } from '../../../src/kube/types.ts'
import { messageOf } from '../../../src/util/errors.ts'

export interface CommandProblem {
  ref?: { group?: string; version: string; kind: string; name: string; namespace?: string }
  message: string
}

/** What a deploy, prune or delete did. */
export interface CommandOutcome {
  newObjects: number
  changedObjects: number
  deletedObjects: number
  appliedObjects: number
  errors: CommandProblem[]
  warnings: CommandProblem[]
}

/** Kinds that are searched by discriminator, besides those the project renders. */
const searched: GroupVersionKind[] = [
  ...['ConfigMap', 'Secret', 'Service', 'ServiceAccount', 'PersistentVolumeClaim'].map(kind => ({
    apiVersion: 'v1',
    kind,
  })),
  ...['Deployment', 'StatefulSet', 'DaemonSet'].map(kind => ({ apiVersion: 'apps/v1', kind })),
  ...['Job', 'CronJob'].map(kind => ({ apiVersion: 'batch/v1', kind })),
  { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress' },
]

export function emptyOutcome(): CommandOutcome {
  return { newObjects: 0, changedObjects: 0, deletedObjects: 0, appliedObjects: 0, errors: [], warnings: [] }
}

/** The cluster's id, by the uid of `kube-system`: an account that may not read it gets nothing done (K13). */
export async function clusterId(kube: KubeClient): Promise<string> {
  const namespace = await kube.get({ apiVersion: 'v1', kind: 'Namespace', name: 'kube-system' })
  return namespace?.metadata.uid ?? ''
}

/** Applies in order; errors of one object do not stop the others. With `prune`, deletes what is not rendered any more. */
export async function deploy(
  kube: KubeClient,
  objects: readonly KubeObject[],
  discriminator: string,
  options: { dryRun: boolean; prune: boolean },
): Promise<CommandOutcome> {
  const outcome = emptyOutcome()
  for (const object of objects) await applyOne(kube, object, options.dryRun, outcome)
  if (!options.prune) return outcome
  if (discriminator === '') {
    outcome.errors.push({ message: 'pruning without a discriminator is not supported' })
    return outcome
  }
  const wanted = new Set(objects.map(idOf))
  const found = await findByDiscriminator(kube, discriminator, objects, outcome)
  for (const object of found.filter(live => !wanted.has(idOf(live)))) {
    await deleteOne(kube, object, options.dryRun, outcome)
  }
  return outcome
}

/** Deletes everything with the discriminator that the account can see in the whole cluster: nothing for one namespace's account (K13). */
export async function deleteAll(kube: KubeClient, discriminator: string, dryRun: boolean): Promise<CommandOutcome> {
  const outcome = emptyOutcome()
  for (const object of await findByDiscriminator(kube, discriminator, [], outcome)) {
    await deleteOne(kube, object, dryRun, outcome)
  }
  return outcome
}

/** Looks once at every object (K2). */
export async function validate(kube: KubeClient, objects: readonly KubeObject[]): Promise<CommandProblem[]> {
  const problems: CommandProblem[] = []
  for (const object of objects) {
    const live = await kube.get<KubeObject>(keyOf(object)).catch((error: unknown) => messageOf(error))
    const message = typeof live === 'string' ? live : unreadiness(live)
    if (message !== undefined) problems.push({ ref: refOf(object), message })
  }
  return problems
}

function unreadiness(live: KubeObject | undefined): string | undefined {
  if (live === undefined) return 'object not found'
  const { status, message } = health(live)
  if (status === 'Current') return undefined
  return live.kind === 'Deployment' ? 'readyReplicas field not in status or empty' : message
}

async function applyOne(kube: KubeClient, object: KubeObject, dryRun: boolean, outcome: CommandOutcome): Promise<void> {
  try {
    const before = await kube.get<KubeObject>(keyOf(object))
    const after = await kube.apply<KubeObject>(object, { fieldManager: 'kluctl', force: true, dryRun })
    outcome.appliedObjects++
    if (before === undefined) outcome.newObjects++
    else if (before.metadata.resourceVersion !== after.metadata.resourceVersion) outcome.changedObjects++
  } catch (error) {
    outcome.errors.push({ ref: refOf(object), message: messageOf(error) })
  }
}

async function deleteOne(
  kube: KubeClient,
  object: KubeObject,
  dryRun: boolean,
  outcome: CommandOutcome,
): Promise<void> {
  try {
    await kube.delete(keyOf(object), { propagation: 'Background', dryRun })
    outcome.deletedObjects++
  } catch (error) {
    outcome.errors.push({ ref: refOf(object), message: messageOf(error) })
  }
}

/** In the whole cluster if the account may, else only in namespaces the project has objects in. */
async function findByDiscriminator(
  kube: KubeClient,
  discriminator: string,
  objects: readonly KubeObject[],
  outcome: CommandOutcome,
): Promise<KubeObject[]> {
  const kinds = new Map(
    [...searched, ...objects].map(({ apiVersion, kind }) => [`${apiVersion}/${kind}`, { apiVersion, kind }]),
  )
  const namespaces = [...new Set(objects.map(object => object.metadata.namespace).filter(name => name !== undefined))]
  const labelSelector = `kluctl.io/discriminator=${discriminator}`
  const found: KubeObject[] = []
  for (const kind of kinds.values()) {
    const everywhere = await listOrNothing(kube, kind, { labelSelector })
    if (everywhere === undefined)
      outcome.warnings.push({ message: `${kind.kind}: not permitted to list in all namespaces` })
    const lists = everywhere
      ? [everywhere]
      : await Promise.all(namespaces.map(namespace => listOrNothing(kube, kind, { labelSelector, namespace })))
    found.push(...lists.flatMap(list => list ?? []))
  }
  return found
}

async function listOrNothing(
  kube: KubeClient,
  kind: GroupVersionKind,
  options: { labelSelector: string; namespace?: string },
): Promise<KubeObject[] | undefined> {
  try {
    return (await kube.list<KubeObject>(kind, options)).items
  } catch (error) {
    if (error instanceof KubeError && (error.isForbidden || error.isNotFound)) return undefined
    throw error
  }
}

function idOf({ apiVersion, kind, metadata }: KubeObject): string {
  return [splitApiVersion(apiVersion)[0], kind, metadata.namespace ?? '', metadata.name].join('/')
}

function refOf({ apiVersion, kind, metadata }: KubeObject): NonNullable<CommandProblem['ref']> {
  const [group, version] = splitApiVersion(apiVersion)
  const { name = '', namespace } = metadata
  return { ...(group === '' ? {} : { group }), version, kind, name, ...(namespace === undefined ? {} : { namespace }) }
}
