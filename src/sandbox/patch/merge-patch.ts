import { isRecord } from '../schema/schema.ts'

const maxDepth = 200

/** RFC 7386: null removes a field, objects merge, everything else replaces. */
export function applyMergePatch(target: unknown, patch: unknown, depth = 0): unknown {
  if (!isRecord(patch) || depth > maxDepth) return patch
  const result: Record<string, unknown> = isRecord(target) ? { ...target } : {}
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete result[name]
    else result[name] = applyMergePatch(result[name], value, depth + 1)
  }
  return result
}
