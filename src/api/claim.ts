import { z } from 'zod'
import type { ReviewEnvironment } from './environment.ts'
import { annotations } from './meta.ts'
import { InventoryEntry } from './objects.ts'
import { backendNames } from './project-deploy.ts'

/**
 * Value of the annotation `claim`, as JSON: what an environment's first reconcile will make, written down with the
 * environment itself. It stands for the same fields of the status until that has a namespace.
 */
export const Claim = z
  .strictObject({
    namespace: z.string().min(1).max(63),
    backend: z.enum(backendNames),
    // As the environment's own account only: whoever writes a claim must not choose another.
    inventory: z
      .array(InventoryEntry.omit({ serviceAccountName: true }))
      .max(500)
      .optional(),
  })
  .refine(({ namespace, inventory = [] }) => inventory.every(entry => entry.namespace === namespace), {
    error: 'expected only objects of the environment’s own namespace',
  })
export type Claim = z.infer<typeof Claim>

/**
 * What an environment claimed when it was made and has not recorded in its status since; undefined when there is
 * nothing of that kind. What cannot be read says nothing: whoever wrote it, it was not Offshoot. Nothing is deleted by it
 * but what carries the environment's mark, or lies in a namespace that does.
 */
export function claimOf({ metadata, status }: Pick<ReviewEnvironment, 'metadata' | 'status'>): Claim | undefined {
  const text = metadata.annotations?.[annotations.claim]
  if (text === undefined || status?.namespace !== undefined) return undefined
  try {
    return Claim.safeParse(JSON.parse(text)).data
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}
