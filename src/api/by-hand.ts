import { z } from 'zod'
import { Sha } from './change.ts'
import { annotations } from './meta.ts'

/** Value of the annotation `byHand`, as JSON: somebody deployed into the environment from their own working tree. */
export const ByHand = z.strictObject({
  by: z.string().min(1).max(512),
  at: z.iso.datetime(),
  /** The change's commit at that time: the next one takes over. */
  revision: Sha,
  state: z.enum(['deploying', 'succeeded', 'failed']),
  /** What the objects carry. The controller records it, or says that it may not be had. */
  discriminator: z.string().max(1024).optional(),
})
export type ByHand = z.infer<typeof ByHand>

/** Reason of the condition `Ready` while somebody deploys by hand, for whom the controller has stepped aside. */
export const deployingByHand = 'DeployingByHand'

/** What the controller's answer to a mark holds, and to no other. */
export function sinceOf({ at }: Pick<ByHand, 'at'>): string {
  return `deploys by hand since ${at}`
}

/** Who deployed into an environment by hand, if its wanted commit is still the same. What cannot be read says nothing. */
export function byHandOf(environment: {
  metadata: { annotations?: Record<string, string> | undefined }
  spec: { revision?: string | undefined }
}): ByHand | undefined {
  const text = environment.metadata.annotations?.[annotations.byHand]
  if (text === undefined) return undefined
  try {
    const { data } = ByHand.safeParse(JSON.parse(text))
    return data?.revision === environment.spec.revision ? data : undefined
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}
