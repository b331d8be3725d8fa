import { z } from 'zod'
import type { ReviewEnvironment } from '../../api/index.ts'
import { kluctlDeploymentName } from '../../environment/names.ts'
import type { KubeObject, ObjectKey } from '../../kube/types.ts'
import { OffshootError } from '../../util/errors.ts'
import type { BackendContext } from '../backend.ts'

/** The kind that the kluctl controller carries out. */
export const kluctlDeploymentKind = { apiVersion: 'gitops.kluctl.io/v1beta1', kind: 'KluctlDeployment' } as const

const Condition = z.looseObject({
  type: z.string(),
  status: z.string(),
  reason: z.string().optional(),
  message: z.string().optional(),
  observedGeneration: z.int().optional(),
})

const ObjectRef = z.looseObject({
  group: z.string().optional(),
  version: z.string().optional(),
  kind: z.string(),
  name: z.string(),
  namespace: z.string().optional(),
})

const Problem = z.looseObject({ ref: ObjectRef.optional(), message: z.string() })
export type KluctlProblem = z.infer<typeof Problem>

const RequestResult = z
  .looseObject({
    request: z.looseObject({ requestValue: z.string().optional() }).optional(),
    startTime: z.string().optional(),
    endTime: z.string().optional(),
    commandError: z.string().optional(),
  })
  .optional()

/** The part of a KluctlDeployment's status that Offshoot reads (kluctl 2.28, `api/v1beta1`). */
export const KluctlStatus = z.looseObject({
  observedGeneration: z.int().optional(),
  observedCommit: z.string().optional(),
  conditions: z.array(Condition).optional(),
  lastPrepareError: z.string().optional(),
  targetKey: z.looseObject({ discriminator: z.string().optional() }).optional(),
  lastDeployResult: z
    .looseObject({
      commandInfo: z.looseObject({ dryRun: z.boolean().optional(), endTime: z.string().optional() }).optional(),
      errors: z.array(Problem).optional(),
    })
    .optional(),
  lastValidateResult: z
    .looseObject({
      ready: z.boolean().optional(),
      errors: z.array(Problem).optional(),
      endTime: z.string().optional(),
    })
    .optional(),
  reconcileRequestResult: RequestResult,
  deployRequestResult: RequestResult,
  validateRequestResult: RequestResult,
})
export type KluctlStatus = z.infer<typeof KluctlStatus>

/** A KluctlDeployment as the API server has it. */
export interface KluctlDeployment {
  object: KubeObject
  spec: Record<string, unknown>
  status: KluctlStatus
}

/** Where an environment's KluctlDeployment is: in the project's namespace, beside the environment. */
export function deploymentKey({ environment }: BackendContext): ObjectKey {
  const { namespace, name } = environment.metadata
  return { ...kluctlDeploymentKind, namespace, name: kluctlDeploymentName(name) }
}

/** Reads the environment's KluctlDeployment; undefined when there is none. */
export async function readDeployment(context: BackendContext): Promise<KluctlDeployment | undefined> {
  const object = await context.kube.get<KubeObject>(deploymentKey(context), { signal: context.signal })
  return object && parseDeployment(object)
}

/** The commit that the spec pins. */
export function commitOf({ spec }: KluctlDeployment): string | undefined {
  const { git } = (spec.source ?? {}) as { git?: { ref?: { commit?: unknown } } }
  const commit = git?.ref?.commit
  return typeof commit === 'string' ? commit : undefined
}

/**
 * Whether kluctl tells a discriminator that was never proven to be this environment's: somebody edited the object, or
 * the project's template says something else each time. What it deploys, prunes or deletes with that is not known.
 */
export function isStrange({ status }: KluctlDeployment, environment: ReviewEnvironment): boolean {
  const discriminator = status.targetKey?.discriminator
  return discriminator !== undefined && !(environment.status?.discriminators ?? []).includes(discriminator)
}

/** @throws OffshootError for a status of another shape, naming the field */
export function parseDeployment(object: KubeObject): KluctlDeployment {
  const status = KluctlStatus.safeParse(object.status ?? {})
  if (!status.success) {
    throw new OffshootError(`KluctlDeployment ${object.metadata.name} has a status of an unknown shape`, {
      cause: new Error(z.prettifyError(status.error)),
    })
  }
  return { object, spec: (object.spec ?? {}) as Record<string, unknown>, status: status.data }
}

/** How far the kluctl controller is with the spec as it stands. */
export type Progress =
  | { at: 'working'; message: string }
  | { at: 'prepareFailed'; message: string }
  | { at: 'done'; ready: boolean; reason: string; message: string }

/**
 * Reads the conditions. Their answer counts only when it speaks of the current generation in both places (the
 * condition is written before the rest of the status), while nothing is in progress, and of the wanted commit.
 */
export function progressOf({ object, status }: KluctlDeployment, commit: string | undefined): Progress {
  const { generation } = object.metadata
  const ready = status.conditions?.find(({ type }) => type === 'Ready')
  const reconciling = status.conditions?.find(({ type }) => type === 'Reconciling')
  if (reconciling?.status === 'True') return { at: 'working', message: reconciling.message ?? 'reconciling' }
  if (ready === undefined || ready.observedGeneration !== generation || status.observedGeneration !== generation) {
    return { at: 'working', message: 'waiting for the kluctl controller' }
  }
  if (ready.status === 'Unknown') return { at: 'working', message: ready.message ?? 'reconciling' }
  if (ready.reason === 'PrepareFailed') {
    return { at: 'prepareFailed', message: status.lastPrepareError || ready.message || 'prepare failed' }
  }
  if (commit !== undefined && status.observedCommit !== commit) {
    return { at: 'working', message: 'waiting for kluctl to see the commit' }
  }
  return { at: 'done', ready: ready.status === 'True', reason: ready.reason ?? '', message: ready.message ?? '' }
}
