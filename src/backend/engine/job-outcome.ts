import { z } from 'zod'
import { presentable } from '../mask.ts'
import type { EngineOutcome } from './outcome.ts'

/** Most bytes of a container's termination message; Kubernetes cuts it there. */
const maxMessage = 4096
/** Most of them that tell the order of the deployment; one that takes more is removed without it. */
const maxStages = 1500

const count = z.int().min(0)
const problems = z.array(z.string().max(1024)).max(50)
const Outcome = z.strictObject({
  objects: count,
  changed: count,
  deleted: count,
  stages: z
    .array(z.array(z.string().max(253)).max(50))
    .max(20)
    .optional(),
  errors: problems,
  warnings: problems,
  unready: problems.optional(),
  failing: problems.optional(),
  result: z.string().max(64).optional(),
})

/** An outcome as a termination message: credentials masked, and what does not fit is counted. */
export function encodeOutcome(outcome: EngineOutcome): string {
  const { objects, changed, deleted, result } = outcome
  const { stages } = JSON.stringify(outcome.stages ?? []).length <= maxStages ? outcome : {}
  for (const [most, length] of sizes) {
    const errors = some(outcome.errors, most, length)
    const health = troubleOf(outcome, Math.min(most, 5), Math.min(length, 256))
    // Errors first: warnings get what is left.
    for (const warnings of [some(outcome.warnings, most, length), some(outcome.warnings, 1, 128)]) {
      const text = JSON.stringify({ objects, changed, deleted, stages, errors, warnings, ...health, result })
      if (Buffer.byteLength(text) <= maxMessage) return text
    }
  }
  const least = { errors: some(outcome.errors, 1, 16), warnings: [], ...troubleOf(outcome, 1, 16) }
  return JSON.stringify({ objects, changed, deleted, ...least, result })
}

/** What is not ready, if anything is not. */
function troubleOf({ unready = [], failing = [] }: EngineOutcome, most: number, length: number) {
  return {
    ...(unready.length === 0 ? {} : { unready: some(unready, most, length) }),
    ...(failing.length === 0 ? {} : { failing: some(failing, most, length) }),
  }
}

/** How many problems of how many characters are tried. */
const sizes = [
  [20, 512],
  [20, 256],
  [10, 256],
  [5, 256],
  [3, 128],
] as const

/** The outcome in a termination message; undefined when it holds none. */
export function decodeOutcome(text: string): EngineOutcome | undefined {
  try {
    return Outcome.safeParse(JSON.parse(text)).data
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

function some(all: readonly string[], most: number, length: number): string[] {
  const kept = all.slice(0, most).map(problem => presentable(problem, length))
  const left = all.length - most
  return left > 0 ? [...kept.slice(0, -1), `and ${left + 1} more`] : kept
}
