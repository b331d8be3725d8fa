import {
  annotations,
  apiVersion,
  changeKey,
  type EnvironmentState,
  labels,
  managedByValue,
  type ReviewEnvironment,
  type ReviewProject,
} from '../api/index.ts'
import { labelValue } from '../environment/names.ts'
import { repositoryKeys } from '../forge/index.ts'
import type { KubeClient } from '../kube/client.ts'
import { Informer, type InformerOptions } from '../kube/informer.ts'
import type { KubeObject } from '../kube/types.ts'
import type { Clock } from '../util/clock.ts'
import { InvalidInputError } from '../util/errors.ts'
import type { Logger } from '../util/log.ts'
import { placeOf } from './keys.ts'
import { ScopedInformer } from './scoped-informer.ts'

/** A RoleBinding as far as it is compared. */
export type RoleBinding = KubeObject & {
  roleRef: { apiGroup: string; kind: string; name: string }
  subjects?: { kind: string; name: string; namespace?: string; apiGroup?: string }[]
}

/** What the controller sees of the cluster; all of it is read from memory. */
export interface Stores {
  projects: ScopedInformer<ReviewProject>
  environments: ScopedInformer<ReviewEnvironment>
  /** Namespaces with our label; metadata only. */
  namespaces: Informer<KubeObject>
  /** RoleBindings with our label. */
  bindings: Informer<RoleBinding>
}

/** Selects what Offshoot made for projects in these namespaces; none: in all. */
export function ownSelector(namespaces: readonly string[]): string {
  const own = `${labels.managedBy}=${managedByValue}`
  if (namespaces.length === 0) return own
  return `${own},${labels.projectNamespace} in (${namespaces.map(labelValue).join(',')})`
}

/** What informers are made with. */
export interface StoreOptions {
  /** Namespaces whose projects are looked after; none: all. Nothing of other projects is even seen. */
  namespaces: readonly string[]
  clock: Clock
  log: Logger
  random: () => number
}

/** Informers of everything the reconcilers look up; not started yet. */
export function createStores(kube: KubeClient, { namespaces, ...options }: StoreOptions): Stores {
  const scoped = <T extends KubeObject>(what: InformerOptions<T>) =>
    new ScopedInformer<T>(kube, namespaces, { ...options, ...what })
  const informer = <T extends KubeObject>(what: InformerOptions<T>) =>
    new Informer<T>(kube, { ...options, labelSelector: ownSelector(namespaces), ...what })
  return {
    projects: scoped<ReviewProject>({
      apiVersion,
      kind: 'ReviewProject',
      indexes: { repository: repositoryIndex },
      transform: keepSpecs(),
    }),
    environments: scoped<ReviewEnvironment>({
      apiVersion,
      kind: 'ReviewEnvironment',
      indexes: {
        project: environment => [projectOf(environment)],
        change: environment => [changeIndex(projectOf(environment), changeKey(environment.spec.change))],
        uid: ({ metadata }) => (metadata.uid === undefined ? [] : [metadata.uid]),
        alive: environment => (isLeaving(environment) ? [] : [projectOf(environment)]),
        queued: environment => (waitsForPlace(environment) ? [projectOf(environment)] : []),
        state: environment => [stateIndex(projectOf(environment), environment.status?.state ?? 'Pending')],
      },
      transform: withoutClaim,
    }),
    namespaces: informer<KubeObject>({
      apiVersion: 'v1',
      kind: 'Namespace',
      metadataOnly: true,
      transform: slim,
    }),
    bindings: informer<RoleBinding>({
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'RoleBinding',
      transform: slim,
    }),
  }
}

/** `namespace/name` of an environment's project. */
export function projectOf(environment: ReviewEnvironment): string {
  return `${environment.metadata.namespace}/${environment.spec.projectRef.name}`
}

/** Value of the index `change`. */
export function changeIndex(project: string, change: string): string {
  return `${project}|${change}`
}

/** Value of the index `state`. */
export function stateIndex(project: string, state: EnvironmentState): string {
  return `${project}|${state}`
}

/** The project of an environment, if it exists. */
export function findProject(stores: Stores, environment: ReviewEnvironment): ReviewProject | undefined {
  return stores.projects.get(environment.metadata.namespace, environment.spec.projectRef.name)
}

/** All environments of a project. */
export function environmentsOf(stores: Stores, project: ReviewProject): ReviewEnvironment[] {
  return stores.environments.byIndex('project', placeOf(project))
}

/** Whether it was ready when it was last looked at, and is wanted as it was then. */
export function isSettled({ metadata, status }: ReviewEnvironment): boolean {
  const isSeen = status?.observedGeneration === metadata.generation
  return status?.state === 'Ready' && isSeen && metadata.deletionTimestamp === undefined
}

function isLeaving({ metadata }: KubeObject): boolean {
  return metadata.deletionTimestamp !== undefined
}

/** Who wants a place within the limit and has none; without facts about the change nobody is asked yet. */
function waitsForPlace(environment: ReviewEnvironment): boolean {
  const { change, admission } = environment.status ?? {}
  return !isLeaving(environment) && change !== undefined && admission?.admitted !== true
}

/** Repository keys of a project; none while its URL cannot be read, which the project's status says. */
function repositoryIndex(project: ReviewProject): string[] {
  try {
    return repositoryKeys(project.spec.source.url)
  } catch (error) {
    if (error instanceof InvalidInputError) return []
    throw error
  }
}

/** Without what is big and never read: field ownership and kubectl's copy of the whole object. */
function slim<T extends KubeObject>(object: T): T {
  const { managedFields: _, annotations, ...metadata } = object.metadata
  const kept = Object.entries(annotations ?? {}).filter(([key]) => !key.startsWith('kubectl.kubernetes.io/'))
  return { ...object, metadata: { ...metadata, ...(kept.length > 0 ? { annotations: Object.fromEntries(kept) } : {}) } }
}

/** As `slim`, and without a claim that its status has taken over. */
function withoutClaim(environment: ReviewEnvironment): ReviewEnvironment {
  const slimmed = slim(environment)
  if (environment.status?.namespace === undefined) return slimmed
  const { [annotations.claim]: _, ...kept } = slimmed.metadata.annotations ?? {}
  return { ...slimmed, metadata: { ...slimmed.metadata, annotations: kept } }
}

/**
 * As `slim`, and a project whose generation is the same keeps its very spec object: what is compiled from a spec is
 * compiled once, not at every write of the project's status.
 */
function keepSpecs(): (project: ReviewProject) => ReviewProject {
  const known = new Map<string, { uid: string | undefined; generation: number; spec: ReviewProject['spec'] }>()
  return project => {
    const { uid, generation } = project.metadata
    const before = known.get(placeOf(project))
    if (generation === undefined) return slim(project)
    if (before?.uid === uid && before?.generation === generation) return { ...slim(project), spec: before.spec }
    known.set(placeOf(project), { uid, generation, spec: project.spec })
    return slim(project)
  }
}
