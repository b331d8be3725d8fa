import type { Manifest } from '../item.ts'
import { clone, getPath, isObject, type Json, type JsonObject } from '../values.ts'

/**
 * A copy of an object as it is sent to the API server. Server-side apply wants some fields that other ways of writing
 * leave to defaults, since they are keys of lists (the protocol of a port), or that it compares as they were written
 * (quantities). kluctl fills in the same ones, and what is sent is what is owned afterwards.
 */
export function applyForm(object: Manifest): Manifest {
  const copy = clone(object)
  const containers = mapsAt(copy, ['spec', 'template', 'spec', 'containers'])
  for (const list of [copy.spec, ...containers].map(owner => mapsAt(owner, ['ports']))) {
    for (const port of list) port.protocol ??= 'TCP'
  }
  for (const { resources } of containers) {
    for (const field of ['limits', 'requests']) quoteCpu(getPath(resources, [field]))
  }
  for (const limit of mapsAt(copy, ['spec', 'limits'])) {
    for (const field of ['default', 'defaultRequest']) quoteCpu(limit[field])
  }
  return copy
}

function quoteCpu(quantities: Json | undefined): void {
  if (isObject(quantities) && typeof quantities.cpu === 'number') quantities.cpu = String(quantities.cpu)
}

/** The maps of a list; none when something in it is no map, as then it is something else than what is looked for. */
function mapsAt(value: Json | undefined, path: readonly string[]): JsonObject[] {
  const list = getPath(value, path)
  return Array.isArray(list) && list.every(isObject) ? list : []
}
