import { createHash } from 'node:crypto'
import type { Manifest } from '../item.ts'
import { clone, emptyObject, isObject, type Json } from '../values.ts'
import { refKey, refOf } from './refs.ts'

/** An object under another name, and the way back. */
export interface Renamed {
  readonly object: Manifest
  /** Gives what the server answered the name and the namespace that the object has in truth. */
  readonly restore: (answer: Manifest) => Manifest
}

/**
 * Renames an object for a dry run that would meet something else under its own name: what a real run would have
 * deleted before, or no namespace. The name is derived, so it is as good as unused and the same each time.
 */
export function underDryRunName(object: Manifest, namespace?: string): Renamed {
  const ref = refOf(object)
  const hash = createHash('sha256').update(refKey(ref)).digest('hex').slice(0, 8)
  const name = `${ref.name.slice(0, 63 - 1 - hash.length)}-${hash}`
  const copy = withIdentity(object, name, namespace ?? ref.namespace)
  return {
    object: copy,
    // The server copies names into other fields (labels, claims), so all of them go back.
    restore: answer => withIdentity(replaced(answer, name, ref.name) as Manifest, ref.name, ref.namespace),
  }
}

function withIdentity(object: Manifest, name: string, namespace: string | undefined): Manifest {
  const copy = clone(object)
  const metadata = isObject(copy.metadata) ? copy.metadata : emptyObject()
  copy.metadata = metadata
  metadata.name = name
  if (namespace === undefined) delete metadata.namespace
  else metadata.namespace = namespace
  return copy
}

/** Replaces a text wherever it is a whole key or value. */
function replaced(value: Json, from: string, to: string): Json {
  if (value === from) return to
  if (Array.isArray(value)) return value.map(item => replaced(item, from, to))
  if (!isObject(value)) return value
  const copy = emptyObject()
  for (const [key, inner] of Object.entries(value)) copy[key === from ? to : key] = replaced(inner, from, to)
  return copy
}
