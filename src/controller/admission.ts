import { apiVersion, type ReviewEnvironment, type ReviewProject } from '../api/index.ts'
import { admit } from '../environment/admission.ts'
import { timestamp } from '../util/clock.ts'
import { parallel } from '../util/parallel.ts'
import type { ControllerContext } from './context.ts'
import { type Place, placeOf } from './keys.ts'
import { mergePatch } from './patch.ts'
import { environmentsOf } from './stores.ts'

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
  if (context.stores.environments.count('queued', placeOf(project)) === 0) return undefined
  const known = environmentsOf(context.stores, project).filter(({ status }) => status?.change !== undefined)
  const { admit: admitted, waiting } = admit(known, project.spec.environment.limit)
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

/**
 * Whether a place is free for an environment that was just created, and nobody waits for it; false: ask
 * `reconcileAdmission`. Reads memory only, and costs the same however many environments there are: whoever takes the
 * place puts that into the store before anything else can happen.
 */
export function hasFreePlace(
  context: ControllerContext,
  project: ReviewProject,
  { metadata: { namespace, name } }: ReviewEnvironment,
): boolean {
  const { environments } = context.stores
  const isCounted = environments.get(namespace, name) !== undefined
  const others = environments.count('alive', placeOf(project)) - (isCounted ? 1 : 0)
  return others < project.spec.environment.limit && environments.count('queued', placeOf(project)) === 0
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
