import { annotations, type ReviewEnvironment } from '../../api/index.ts'
import { isLabelValue } from '../../environment/names.ts'
import type { KubeObject } from '../../kube/types.ts'

/** Most discriminators that an environment may have had (its limit in the ReviewEnvironment's schema). */
export const maxDiscriminators = 50

/** Something that has a discriminator: objects that carry it may be its. */
export interface Holder {
  kind: 'ReviewEnvironment' | 'KluctlDeployment'
  namespace: string
  name: string
}

/** Who asks for a discriminator. */
export interface Claimant {
  namespace: string
  /** Name of the ReviewEnvironment. */
  environment: string
  /** Name of its KluctlDeployment; empty when it is deployed otherwise. */
  deployment: string
  /** Whether the claimant has recorded the discriminator already. */
  recorded: boolean
}

/** Knows every discriminator of the cluster. */
export interface Discriminators {
  /**
   * Who else has the discriminator. When nobody has, it is the claimant's from this moment on, for others that ask
   * through the same object.
   */
  claim(discriminator: string, claimant: Claimant): Promise<readonly Holder[]> | readonly Holder[]
}

/** The facts about one KluctlDeployment that decide who has a discriminator. */
export interface KnownDeployment extends Holder {
  /** Whether Offshoot made it. */
  offshoot: boolean
}

/** What a KluctlDeployment holds; undefined while it has no discriminator. */
export function deploymentHolding(
  object: KubeObject,
): { discriminator: string; deployment: KnownDeployment } | undefined {
  const status = object.status as { targetKey?: { discriminator?: unknown } } | undefined
  const discriminator = status?.targetKey?.discriminator
  if (typeof discriminator !== 'string' || discriminator === '') return undefined
  const { namespace = '', name = '' } = object.metadata
  const offshoot = object.metadata.annotations?.[annotations.owner] !== undefined
  return { discriminator, deployment: { kind: 'KluctlDeployment', namespace, name, offshoot } }
}

/** What an environment holds: everything it ever recorded. */
export function environmentHolding({ metadata, status }: ReviewEnvironment): {
  holder: Holder
  all: readonly string[]
} {
  const holder: Holder = { kind: 'ReviewEnvironment', namespace: metadata.namespace, name: metadata.name }
  return { holder, all: status?.discriminators ?? [] }
}

/**
 * Whether a KluctlDeployment with the same discriminator stands in the claimant's way. What Offshoot itself wrote
 * deploys only with what its environment recorded; one that tells something else is stopped, and is no reason to stop
 * an environment that had the discriminator before.
 */
export function standsInTheWay(deployment: KnownDeployment, claimant: Claimant): boolean {
  if (deployment.namespace === claimant.namespace && deployment.name === claimant.deployment) return false
  return !deployment.offshoot || !claimant.recorded
}

/** Whether an environment that recorded the discriminator is another one than the claimant's. */
export function isOther(holder: Holder, claimant: Claimant): boolean {
  return holder.namespace !== claimant.namespace || holder.name !== claimant.environment
}

/** Whether an environment may deploy with a discriminator. */
export type Verdict = { ok: true; discriminator: string } | { ok: false; reason: string; message: string }

/** Judges a discriminator. Pure. */
export function judgeDiscriminator(
  discriminator: string,
  recorded: readonly string[],
  others: readonly Holder[],
  namespace: string,
): Verdict {
  const refuse = (reason: string, message: string): Verdict => ({ ok: false, reason, message })
  if (discriminator === '') {
    return refuse(
      'DiscriminatorEmpty',
      'the Kluctl project has no discriminator: add one to .kluctl.yaml that uses an argument which differs per environment',
    )
  }
  if (!isLabelValue(discriminator)) {
    return refuse(
      'DiscriminatorInvalid',
      `the discriminator ${JSON.stringify(discriminator.slice(0, 80))} cannot be a label: expected at most 63 letters, digits, dashes, dots and underscores`,
    )
  }
  const other = others[0]
  if (other !== undefined) {
    const who = other.namespace === namespace ? `${other.kind} ${other.name}` : `a ${other.kind} of another namespace`
    return refuse(
      'DiscriminatorTaken',
      `the discriminator "${discriminator}" belongs to ${who}: nothing is deployed, because pruning one would destroy the other. Let the project's discriminator use an argument that differs per environment`,
    )
  }
  if (!recorded.includes(discriminator) && recorded.length >= maxDiscriminators) {
    return refuse(
      'TooManyDiscriminators',
      `this environment has had ${recorded.length} discriminators: expected one that stays the same from commit to commit. Delete the environment to begin anew`,
    )
  }
  return { ok: true, discriminator }
}
