import { z } from 'zod'

/** Condition types of both custom resources (design: kstatus plus Approved and Asleep). */
export const conditionTypes = ['Ready', 'Reconciling', 'Stalled', 'Approved', 'Asleep'] as const
export type ConditionType = (typeof conditionTypes)[number]

/** Reason of `Ready` while a deployment takes so long that its message, what it does, is worth telling on the change. */
export const longDeploying = 'Progressing'

/** Longest message a condition carries, in characters: room for some thirty mistakes of a project. */
const maxMessage = 8192

/** A `metav1.Condition`. */
export const Condition = z
  .strictObject({
    type: z.string().max(316),
    status: z.enum(['True', 'False', 'Unknown']),
    reason: z.string().min(1).max(1024),
    message: z.string().max(maxMessage),
    observedGeneration: z.int().min(0).optional(),
    lastTransitionTime: z.iso.datetime(),
  })
  .describe('One observation of the state, as metav1.Condition')
export type Condition = z.infer<typeof Condition>

/** A condition before it has a transition time. */
export type ConditionInput = Omit<Condition, 'lastTransitionTime' | 'type'> & { type: ConditionType }

/**
 * `conditions` with `next` in it; the transition time moves only when the status changes, and the very same array
 * comes back when nothing changed.
 */
export function withCondition(conditions: readonly Condition[], next: ConditionInput, now: string): Condition[] {
  const message = fitMessage(next.message)
  const before = conditions.find(condition => condition.type === next.type)
  const changed = {
    ...next,
    message,
    lastTransitionTime: before?.status === next.status ? before.lastTransitionTime : now,
  }
  if (before && sameCondition(before, changed)) return conditions as Condition[]
  return before
    ? conditions.map(condition => (condition.type === next.type ? changed : condition))
    : [...conditions, changed]
}

/** The message, or as many whole lines of it as there is room for and the number of those left out. */
function fitMessage(message: string): string {
  if (message.length <= maxMessage) return message
  const lines = message.split('\n')
  const tail = (kept: number) => `\nand ${lines.length - kept} more`
  let kept = 0
  for (let length = 0; kept < lines.length; kept++) {
    length += (lines[kept]?.length ?? 0) + 1
    if (length + tail(kept).length > maxMessage) break
  }
  if (kept === 0) return `${message.slice(0, maxMessage - 1).toWellFormed()}…`
  return lines.slice(0, kept).join('\n') + tail(kept)
}

function sameCondition(a: Condition, b: Condition): boolean {
  return (['status', 'reason', 'message', 'observedGeneration'] as const).every(field => a[field] === b[field])
}

/** `conditions` without the given type. */
export function withoutCondition(conditions: readonly Condition[], type: ConditionType): Condition[] {
  return conditions.filter(condition => condition.type !== type)
}

/** The condition of a type, if it is there. */
export function findCondition(
  conditions: readonly Condition[] | undefined,
  type: ConditionType,
): Condition | undefined {
  return conditions?.find(condition => condition.type === type)
}
