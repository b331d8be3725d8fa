import type { Condition, KubeObject } from './types.ts'

/** An object's status, empty when it has none. */
export function statusOf(object: KubeObject): Record<string, unknown> {
  return asRecord(object.status)
}

/** An object's spec, empty when it has none. */
export function specOf(object: KubeObject): Record<string, unknown> {
  return asRecord(object.spec)
}

/** The condition of a type, if the object has it. */
export function conditionOf(object: KubeObject, type: string): Condition | undefined {
  const { conditions } = statusOf(object)
  if (!Array.isArray(conditions)) return undefined
  return (conditions as unknown[]).map(asRecord).find(condition => condition.type === type) as Condition | undefined
}

/** `Reason: message` of a condition, or as much of it as there is. */
export function describeCondition(condition: Condition): string {
  const text = [condition.reason, condition.message].filter(part => part !== undefined && part !== '').join(': ')
  return text === '' ? `${condition.type} is ${condition.status}` : text
}

/** The value if it is an object or a list, else an empty object: what others wrote may be of any type. */
export function asRecord(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
}
