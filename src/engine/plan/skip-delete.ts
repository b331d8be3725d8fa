import type { Manifest } from '../item.ts'
import { annotationOf, isAnnotated } from './refs.ts'

/** Whether an object says that it must not be deleted: by Kluctl's annotation, or by that of Helm. */
export function isSkipDelete(object: Manifest): boolean {
  return isAnnotated(object, 'kluctl.io/skip-delete') || annotationOf(object, 'helm.sh/resource-policy') === 'keep'
}
