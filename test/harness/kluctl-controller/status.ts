import { createHash } from 'node:crypto'
import type { Condition, KubeObject } from '../../../src/kube/types.ts'
import { timestamp } from '../../../src/util/clock.ts'
import type { CommandOutcome, CommandProblem } from './commands.ts'
import type { GitCredentialEntry } from './credentials.ts'
import type { Rendered } from './project.ts'
import type { Checkout, GitSource } from './source.ts'

/** `spec` of a KluctlDeployment, with the server's defaults. */
export interface Spec {
  args?: Record<string, unknown>
  target?: string
  dryRun: boolean
  prune: boolean
  delete: boolean
  validate: boolean
  suspend?: boolean
  serviceAccountName?: string
  interval: string
  retryInterval?: string
  validateInterval?: string
  context?: string
  source: { git: GitSource }
  credentials?: { git?: GitCredentialEntry[] }
}

export type Status = Record<string, unknown> & {
  conditions?: Condition[]
  observedGeneration?: number
  lastObjectsHash?: string
  lastPrepareError?: string
  lastDeployResult?: { errors?: CommandProblem[]; warnings?: CommandProblem[] }
  lastValidateResult?: { errors?: CommandProblem[] }
  projectKey?: { repoKey: string; subDir: string }
  targetKey?: { discriminator?: string; targetName?: string; clusterId: string }
}

export interface Deployment extends KubeObject {
  spec: Spec
  status?: Status
}

export const now = (): string => timestamp(Date.now())

/** What every result of one reconcile says about where it ran. */
export interface ResultContext {
  deployment: Deployment
  rendered: Rendered
  checkout: Checkout
  cluster: string
  reconcileId: string
  started: string
}

export function objectsHash(objects: readonly KubeObject[]): string {
  return createHash('sha256').update(JSON.stringify(objects)).digest('hex')
}

export function projectKeyOf({ spec }: Deployment): { repoKey: string; subDir: string } {
  return { repoKey: spec.source.git.url.replace(/\.git$/, ''), subDir: spec.source.git.path ?? '' }
}

export function targetKeyOf(rendered: Rendered, cluster: string) {
  const { discriminator, targetName } = rendered
  return { clusterId: cluster, ...(discriminator === '' ? {} : { discriminator }), targetName }
}

function shared({ deployment, rendered, cluster, reconcileId }: ResultContext) {
  const { name, namespace } = deployment.metadata
  return {
    id: crypto.randomUUID(),
    kluctlDeployment: { clusterId: cluster, name, namespace },
    projectKey: projectKeyOf(deployment),
    reconcileId,
    renderedObjectsHash: objectsHash(rendered.objects),
    targetKey: targetKeyOf(rendered, cluster),
  }
}

/** `status.lastDeployResult`. */
export function deployResult(context: ResultContext, outcome: CommandOutcome) {
  const { deployment, rendered, checkout, cluster, started } = context
  const { spec } = deployment
  const { errors, warnings, ...counts } = outcome
  return {
    ...shared(context),
    ...counts,
    appliedHookObjects: 0,
    clusterInfo: { clusterId: cluster },
    commandInfo: {
      args: spec.args ?? {},
      command: 'deploy',
      ...(spec.dryRun ? { dryRun: true } : {}),
      endTime: now(),
      initiator: 'KluctlDeployment',
      startTime: started,
    },
    ...(errors.length === 0 ? {} : { errors }),
    ...(warnings.length === 0 ? {} : { warnings }),
    gitInfo: {
      commit: checkout.commit,
      dirty: false,
      ...(checkout.branch === undefined ? {} : { ref: { branch: checkout.branch } }),
      subDir: spec.source.git.path ?? '',
      url: spec.source.git.url,
    },
    orphanObjects: 0,
    remoteObjects: 0,
    renderedObjects: rendered.objects.length,
    target: {
      args: rendered.targetArgs,
      aws: {},
      context: spec.context ?? 'default',
      discriminator: rendered.discriminator,
      name: rendered.targetName,
    },
    totalChanges: outcome.changedObjects,
  }
}

/** `status.lastValidateResult`. */
export function validateResult(context: ResultContext, errors: CommandProblem[]) {
  return {
    ...shared(context),
    startTime: context.started,
    endTime: now(),
    ready: errors.length === 0,
    ...(errors.length === 0 ? {} : { errors }),
  }
}

/** `status.lastDriftDetectionResult`: the stand-in never sees drift. */
export function driftResult(context: ResultContext) {
  return { ...shared(context), startTime: context.started, endTime: now() }
}

/** Reason and message of `Ready` after a whole reconcile, from the last results, whenever they were. */
export function finalReady(spec: Spec, status: Status): { reason: string; message: string } {
  const deployed = status.lastDeployResult as (Partial<CommandOutcome> & { errors?: CommandProblem[] }) | undefined
  if (deployed === undefined) return { reason: 'DeployFailed', message: 'deployment status unknown' }
  const parts = [base('deploy', deployed.errors, deployed.warnings)]
  if (deployed.newObjects) parts.push(`${deployed.newObjects} new objects.`)
  if (deployed.changedObjects) parts.push(`${deployed.changedObjects} changed objects.`)
  if (deployed.deletedObjects) parts.push(`${deployed.deletedObjects} deleted objects.`)
  if (spec.validate) {
    if (status.lastValidateResult === undefined) {
      return { reason: 'ValidateFailed', message: `${parts.join(' ')} Validation status unknown.` }
    }
    parts.push(base('validate', status.lastValidateResult.errors, deployed.warnings))
  }
  const message = parts.join(' ')
  if (deployed.errors?.length) return { reason: 'DeployFailed', message }
  if (status.lastValidateResult?.errors?.length) return { reason: 'ValidateFailed', message }
  return { reason: 'ReconciliationSucceeded', message }
}

function base(command: string, errors: CommandProblem[] = [], warnings: CommandProblem[] = []): string {
  const counts = [
    ...(errors.length ? [`${errors.length} errors`] : []),
    ...(warnings.length ? [`${warnings.length} warnings`] : []),
  ]
  const verb = errors.length === 0 ? 'succeeded' : 'failed'
  return counts.length === 0 ? `${command} ${verb}.` : `${command} ${verb} with ${counts.join(' and ')}.`
}

/** `conditions` with one of them set; its time moves when its status does. */
export function withCondition(
  conditions: readonly Condition[],
  next: Omit<Condition, 'lastTransitionTime'>,
): Condition[] {
  const before = conditions.find(({ type }) => type === next.type)
  const time = before?.status === next.status ? before.lastTransitionTime : undefined
  const changed = { ...next, lastTransitionTime: time ?? now() }
  return before ? conditions.map(old => (old.type === next.type ? changed : old)) : [...conditions, changed]
}
