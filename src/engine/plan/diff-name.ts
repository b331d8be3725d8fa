import type { Manifest } from '../item.ts'
import { getPath } from '../values.ts'
import { annotationOf, refKey, refOf } from './refs.ts'
import type { ObjectRef } from './types.ts'

/**
 * The reference that an object has in diffs: with the name of `kluctl.io/diff-name`, so that an object whose name
 * changes with its contents is compared with the one before.
 */
export function diffRefOf(object: Manifest): ObjectRef {
  const name = annotationOf(object, 'kluctl.io/diff-name')
  return name === undefined ? refOf(object) : { ...refOf(object), name }
}

/**
 * Objects by the `refKey` of their reference in diffs. Of several with the same one the youngest counts; of those made
 * in the same second the one whose name is last.
 */
export function byDiffRef(objects: readonly Manifest[]): Map<string, Manifest> {
  const result = new Map<string, Manifest>()
  for (const object of objects) {
    const key = refKey(diffRefOf(object))
    const other = result.get(key)
    if (other === undefined || isAfter(object, other)) result.set(key, object)
  }
  return result
}

function isAfter(object: Manifest, other: Manifest): boolean {
  const [time, otherTime] = [createdAt(object), createdAt(other)]
  return time === otherTime ? refOf(object).name > refOf(other).name : time > otherTime
}

/** Milliseconds; 0 when unknown. */
function createdAt(object: Manifest): number {
  const value = getPath(object, ['metadata', 'creationTimestamp'])
  return (typeof value === 'string' && Date.parse(value)) || 0
}
