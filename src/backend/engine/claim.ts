import type { BackendContext, Observation } from '../backend.ts'
import { type Discriminators, judgeDiscriminator } from '../kluctl/discriminators.ts'

/** Why a discriminator may not be used. */
export type Refusal = Pick<Observation, 'reason' | 'message'>

/** Judges a discriminator, and records it before anything carries it. Gives why it may not be used. */
export async function claimDiscriminator(
  context: BackendContext,
  discriminators: Discriminators,
  discriminator: string,
): Promise<Refusal | undefined> {
  const { metadata, status } = context.environment
  const { namespace, name } = metadata
  const all = status?.discriminators ?? []
  const recorded = all.includes(discriminator)
  const claimant = { namespace, environment: name, deployment: '', recorded }
  const others = await discriminators.claim(discriminator, claimant)
  const verdict = judgeDiscriminator(discriminator, all, others, namespace)
  if (!verdict.ok) return { reason: verdict.reason, message: verdict.message }
  if (!recorded) await context.record({ discriminators: [...all, discriminator] })
  return undefined
}
