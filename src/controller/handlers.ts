import { annotations, changeKey, type ReviewEnvironment, type ReviewProject } from '../api/index.ts'
import { shownState } from '../feedback/index.ts'
import type { InformerHandler } from '../kube/informer.ts'
import type { KubeObject } from '../kube/types.ts'
import type { ControllerContext } from './context.ts'
import type { Place } from './keys.ts'
import { parseOwner } from './ownership.ts'
import { sameJson } from './patch.ts'
import { changeIndex, environmentsOf, findProject, isSettled, projectOf } from './stores.ts'

/** Counts of a project are written at most once in this many milliseconds. */
const countsDelay = 1_000

/** States that pass by within moments are told of only when they last this long, in milliseconds. */
const passing = 2_000

/** An environment of ours has its facts a moment after it is made; this long after, somebody has to look. */
const factsDelay = 3_000

/**
 * Lets informers ask for work: adding the handlers asks for everything there is, so that every term of leadership
 * begins with a look at every object. Gives what takes them off again.
 */
export function watchCluster(context: ControllerContext): () => void {
  const { projects, environments, namespaces, bindings } = context.stores
  const removers = [
    projects.addHandler(projectHandler(context)),
    environments.addHandler(environmentHandler(context)),
    namespaces.addHandler(ownedHandler(context)),
    bindings.addHandler(ownedHandler(context)),
  ]
  return () => {
    for (const remove of removers) remove()
  }
}

/** What a new or edited project asks for. */
const asked = ['project', 'listing', 'admission', 'credential'] as const

function projectHandler({ enqueue, stores }: ControllerContext): InformerHandler<ReviewProject> {
  return {
    onAdd(project) {
      for (const kind of asked) enqueue.now({ kind, ...placeIn(project.metadata) })
      for (const environment of environmentsOf(stores, project)) {
        const work = { kind: 'environment', ...placeIn(environment.metadata) } as const
        // At the beginning of a term these are all there are: changes would wait behind them.
        if (isSettled(environment)) enqueue.look(work)
        else enqueue.now(work)
      }
    },
    onUpdate(project, old) {
      const place = placeIn(project.metadata)
      const edited = project.metadata.generation !== old.metadata.generation
      if (edited || wasAsked(project, old) || isLeaving(project, old)) {
        for (const kind of asked) enqueue.now({ kind, ...place })
      }
      if (!edited) return
      for (const { metadata } of environmentsOf(stores, project)) {
        enqueue.now({ kind: 'environment', ...placeIn(metadata) })
      }
    },
  }
}

function environmentHandler(context: ControllerContext): InformerHandler<ReviewEnvironment> {
  const { enqueue } = context
  return {
    onAdd(environment) {
      const work = { kind: 'environment', ...placeIn(environment.metadata) } as const
      const { deletionTimestamp } = environment.metadata
      const ours = environment.spec.origin === 'automatic' && deletionTimestamp === undefined
      if (ours && environment.status?.change === undefined) enqueue.after(work, factsDelay)
      else if (isSettled(environment)) enqueue.look(work)
      else enqueue.now(work)
      if (environment.status?.state !== undefined) tell(context, environment)
    },
    onUpdate(environment, old) {
      if (concernsReconciler(environment, old)) {
        enqueue.now({ kind: 'environment', ...placeIn(environment.metadata) })
      }
      if (wasAsked(environment, old) || wasRedirected(environment, old)) askForge(context, environment)
      if (!sameJson(told(environment), told(old))) tell(context, environment)
      if (environment.status?.state !== old.status?.state) countSoon(context, environment)
      // Who leaves makes room at once, also when its teardown is stuck.
      if (isLeaving(environment, old)) askForPlaces(context, environment)
    },
    onDelete(environment) {
      context.looked.delete(environment.metadata.uid ?? '')
      askForPlaces(context, environment)
      const place = { namespace: environment.metadata.namespace, name: environment.spec.projectRef.name }
      const project = findProject(context.stores, environment)
      if (project?.metadata.deletionTimestamp === undefined) countSoon(context, environment)
      else enqueue.now({ kind: 'project', ...place })
      const change = changeKey(environment.spec.change)
      if (context.wantedAgain.delete(changeIndex(projectOf(environment), change))) {
        enqueue.now({ kind: 'change', ...place, change })
      }
    },
  }
}

/** Whether something changed that the environment's reconciler does not write itself. */
function concernsReconciler(environment: ReviewEnvironment, old: ReviewEnvironment): boolean {
  return (
    environment.metadata.generation !== old.metadata.generation ||
    isLeaving(environment, old) ||
    wasAsked(environment, old) ||
    environment.metadata.annotations?.[annotations.byHand] !== old.metadata.annotations?.[annotations.byHand] ||
    !sameJson(environment.status?.change, old.status?.change) ||
    !sameJson(environment.status?.admission, old.status?.admission)
  )
}

/** What people are told of; a change of anything else is no reason to send. */
function told(environment: ReviewEnvironment): unknown {
  const { status } = environment
  const state = status?.state && shownState(environment)
  const { url, name, change, deployedRevision, conditions, admission, blockers, blockerCount } = status ?? {}
  const shown = conditions?.filter(({ type }) => type === 'Ready' || type === 'Stalled')
  const words = shown?.map(({ type, reason, message }) => ({ type, reason, message }))
  return { state, url, name, deployedRevision, words, admission, blockers, blockerCount, revision: change?.sha }
}

function tell({ enqueue }: ControllerContext, environment: ReviewEnvironment): void {
  const work = { kind: 'feedback', ...placeIn(environment.metadata) } as const
  const state = shownState(environment)
  if (state === 'Ready' || state === 'Failed' || state === 'Blocked') enqueue.now(work)
  else enqueue.after(work, passing)
}

function countSoon({ enqueue }: ControllerContext, environment: ReviewEnvironment): void {
  const { namespace } = environment.metadata
  enqueue.after({ kind: 'project', namespace, name: environment.spec.projectRef.name }, countsDelay)
}

function askForge({ enqueue }: ControllerContext, environment: ReviewEnvironment): void {
  const { namespace } = environment.metadata
  const change = changeKey(environment.spec.change)
  enqueue.now({ kind: 'change', namespace, name: environment.spec.projectRef.name, change })
}

function askForPlaces({ enqueue }: ControllerContext, environment: ReviewEnvironment): void {
  const { namespace } = environment.metadata
  enqueue.now({ kind: 'admission', namespace, name: environment.spec.projectRef.name })
}

/** Namespaces and bindings of environments: what goes or changes is looked at by the environment that owns it. */
function ownedHandler<T extends KubeObject>({ enqueue }: ControllerContext): InformerHandler<T> {
  const ask = (object: T) => {
    const owner = parseOwner(object)
    if (owner !== undefined) enqueue.now({ kind: 'environment', namespace: owner.namespace, name: owner.name })
  }
  // A namespace on its way out tells of itself again and again; only what we know of it counts.
  return { onUpdate: (object, old) => void (sameJson(essence(object), essence(old)) || ask(object)), onDelete: ask }
}

/** The object without its version. */
function essence(object: KubeObject): unknown {
  return { ...object, metadata: { ...object.metadata, resourceVersion: undefined } }
}

function isLeaving(object: KubeObject, old: KubeObject): boolean {
  return object.metadata.deletionTimestamp !== undefined && old.metadata.deletionTimestamp === undefined
}

function wasAsked(object: KubeObject, old: KubeObject): boolean {
  const value = ({ metadata }: KubeObject) => metadata.annotations?.[annotations.requestedAt]
  return value(object) !== value(old)
}

/** Whether somebody else than the controller, which writes the forge's head, set another commit. */
function wasRedirected({ spec, status }: ReviewEnvironment, old: ReviewEnvironment): boolean {
  return spec.revision !== old.spec.revision && spec.revision !== status?.change?.sha
}

function placeIn({ namespace = '', name = '' }: { namespace?: string; name?: string }): Place {
  return { namespace, name }
}
