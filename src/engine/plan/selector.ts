import { RE2JS, RE2JSException } from 're2js'
import { messageOf } from '../../util/errors.ts'
import { EngineError } from '../errors.ts'
import type { ObjectRef } from './types.ts'

/** Which objects an entry of `ignoreForDiff` or `conflictResolution` is about; absent fields are for all. */
export interface ObjectSelector {
  readonly group?: string | undefined
  readonly kind?: string | undefined
  readonly namespace?: string | undefined
  readonly name?: string | undefined
}

/** Whether an entry is about the object. As in kluctl, what an object does not have (a namespace) fits anything. */
export function selects(selector: ObjectSelector, ref: ObjectRef): boolean {
  const fits = (value: string | undefined, wanted: string | undefined) =>
    value === undefined || value === '' || wanted === undefined || value === wanted
  return (
    fits(ref.group, selector.group) &&
    fits(ref.kind, selector.kind) &&
    fits(ref.namespace, selector.namespace) &&
    fits(ref.name, selector.name)
  )
}

/** A test for texts that a regular expression in Go's syntax finds something in. @throws EngineError */
export function regexTest(pattern: string): (text: string) => boolean {
  try {
    const compiled = RE2JS.compile(pattern)
    return text => compiled.matcher(text).find()
  } catch (error) {
    if (!(error instanceof RE2JSException)) throw error
    throw new EngineError(`invalid regular expression ${pattern}: ${messageOf(error)}`, { cause: error })
  }
}
