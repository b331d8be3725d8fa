import { apiVersion, type ReviewEnvironment, type ReviewProject } from '../api/index.ts'
import { admit } from '../environment/admission.ts'
import { timestamp } from '../util/clock.ts'
import { parallel } from '../util/parallel.ts'
import type { ControllerContext } from './context.ts'
import type { Place } from './keys.ts'
import { mergePatch } from './patch.ts'
import { environmentsOf, projectOf } from './stores.ts'

type Admission = NonNullable<NonNullable<ReviewEnvironment['status']>['admission']>

/** Writes at a time; a project's places change together. */
const writesAtATime = 8

/**
 * Gives the free places of one project to the oldest changes and tells the others where they stand. One key per
 * project, so this never runs twice at a time for one; it writes only what changed.
 */
export async function reconcileAdmission(
  context: ControllerContext,
  { namespace, name }: Place,
  signal: AbortSignal,
): Promise<undefined> {
  const project = context.stores.projects.get(namespace, name)
  if (project === undefined || project.metadata.deletionTimestamp !== undefined) return undefined
  const known = environmentsOf(context.stores, project).filter(({ status }) => status?.change !== undefined)
  const counted = environmentsOf(context.stores, project)
    .filter(environment => environment.status?.change !== undefined || context.reservations.has(environment))
    .map(environment => withReservation(context, environment))
  const { admit: admitted, waiting } = admit(counted, project.spec.environment.limit)
  const wanted = new Map<string, Admission>([
    ...admitted.map(each => [each, { admitted: true }] as const),
    ...waiting.map(({ name: each, position, ahead }) => [each, { admitted: false, position, ahead }] as const),
  ])
  await parallel(known, writesAtATime, async environment => {
    const admission = wanted.get(environment.metadata.name)
    if (admission !== undefined) await write(context, environment, admission, signal)
  })
  return undefined
}

/** Places that were given and are not in the status yet: uids by project. */
export class Reservations {
  readonly #byProject = new Map<string, Set<string>>()

  has(environment: ReviewEnvironment): boolean {
    return this.#byProject.get(projectOf(environment))?.has(environment.metadata.uid ?? '') ?? false
  }

  add(environment: ReviewEnvironment): void {
    const known = this.#byProject.get(projectOf(environment)) ?? new Set()
    this.#byProject.set(projectOf(environment), known.add(environment.metadata.uid ?? ''))
  }

  /** The status says it now, or never will. */
  release(environment: ReviewEnvironment): void {
    const known = this.#byProject.get(projectOf(environment))
    known?.delete(environment.metadata.uid ?? '')
    if (known?.size === 0) this.#byProject.delete(projectOf(environment))
  }
}

/**
 * Reserves a place for an environment that was just created, if one is free and nobody waits for it; false: ask
 * `reconcileAdmission`. Reads memory only, so that what follows it at once sees the reservation.
 */
export function reservePlace(
  context: ControllerContext,
  project: ReviewProject,
  environment: ReviewEnvironment,
): boolean {
  const { uid } = environment.metadata
  const others = environmentsOf(context.stores, project).filter(
    ({ metadata }) => metadata.uid !== uid && metadata.deletionTimestamp === undefined,
  )
  const waits = others.some(other => !holdsPlace(context, other))
  if (waits || others.length >= project.spec.environment.limit) return false
  context.reservations.add(environment)
  return true
}

function holdsPlace(context: ControllerContext, environment: ReviewEnvironment): boolean {
  return environment.status?.admission?.admitted === true || context.reservations.has(environment)
}

/** A reserved place counts as given. */
function withReservation(context: ControllerContext, environment: ReviewEnvironment): ReviewEnvironment {
  if (!context.reservations.has(environment)) return environment
  return { ...environment, status: { ...environment.status, admission: { admitted: true } } }
}

async function write(
  context: ControllerContext,
  environment: ReviewEnvironment,
  admission: Admission,
  signal: AbortSignal,
): Promise<void> {
  const { status, metadata } = environment
  const times = admission.admitted ? { ...status?.times, admitted: timestamp(context.clock.now()) } : status?.times
  const patch = mergePatch(status, { ...status, admission, ...(times === undefined ? {} : { times }) })
  if (patch === undefined) return
  const { namespace, name, uid } = metadata
  const patched = await context.kube.patch<ReviewEnvironment>(
    { apiVersion, kind: 'ReviewEnvironment', namespace, name },
    { metadata: { uid }, status: patch },
    { type: 'merge', subresource: 'status', signal },
  )
  context.stores.environments.assume(patched)
}
