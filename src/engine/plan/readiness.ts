import type { Manifest } from '../item.ts'
import { getPath, isObject } from '../values.ts'
import { Judgement, judgeHealth, NotYet, type ReadinessPurpose } from './judgement.ts'
import { kindRules } from './readiness-rules.ts'
import { annotationOf, groupKindOf, isAnnotated, parseBool, refOf } from './refs.ts'

/** How ready an object is, and why not. */
export interface Readiness {
  readonly ready: boolean
  /** Why it is not, or will never be. */
  readonly errors: readonly string[]
  readonly warnings: readonly string[]
  /** Its annotations `validate-result.kluctl.io/…`: whole name and value. */
  readonly results: readonly { readonly annotation: string; readonly message: string }[]
}

/**
 * Judges whether an object is ready: by its annotations, by kluctl's rules for the kinds that kluctl knows (its
 * pkg/validation), by those of kstatus and by the object's conditions for all others.
 */
export function judgeReadiness(object: Manifest, purpose: ReadinessPurpose): Judgement {
  const judgement = new Judgement()
  if (isAnnotated(object, 'kluctl.io/validate-ignore')) return judgement
  addResults(object, judgement)
  const said = parseBool(annotationOf(object, 'kluctl.io/is-ready') ?? '')
  if (said === false) judgement.notYet('kluctl.io/is-ready annotation is set to false')
  if (said !== undefined) return judgement
  if (!isObject(object.status)) {
    judgement.withoutStatus = true
    return judgement
  }
  try {
    judgeStatus(object, purpose, judgement)
  } catch (error) {
    if (!(error instanceof NotYet)) throw error
    judgement.notYet(error.message)
  }
  return judgement
}

function judgeStatus(object: Manifest, purpose: ReadinessPurpose, judgement: Judgement): void {
  const observed = getPath(object, ['status', 'observedGeneration'])
  const generation = getPath(object, ['metadata', 'generation'])
  if (typeof observed === 'number' && observed !== -1 && observed !== generation) {
    judgement.notYet('Waiting for reconciliation')
    return
  }
  const rule = kindRules.get(groupKindOf(refOf(object)))
  if (rule !== undefined) rule(object, judgement, purpose)
  else judgeHealth(object, judgement)
}

function addResults(object: Manifest, judgement: Judgement): void {
  const annotations = getPath(object, ['metadata', 'annotations'])
  if (!isObject(annotations)) return
  for (const [annotation, message] of Object.entries(annotations)) {
    if (!annotation.startsWith('validate-result.kluctl.io/') || typeof message !== 'string') continue
    judgement.results.push({ annotation, message })
  }
}

/** Whether objects of a kind have a status once their controller has seen them. */
export type StatusRequirement = 'yes' | 'no' | 'unknown'

/** Milliseconds after which an object whose kind has a status counts as ready without one: some never get it. */
export const statusPatience = 15_000

/** Judges an object that has no status; `age` in milliseconds. */
export function judgeWithoutStatus(requirement: StatusRequirement, age: number, judgement: Judgement): void {
  if (requirement === 'yes' && age <= statusPatience) judgement.notYet('no status available yet')
  if (requirement === 'unknown') {
    judgement.warnings.push(
      'unable to determine if a status is expected: that needs the permission to read CRDs or the status sub-resource',
    )
  }
}
