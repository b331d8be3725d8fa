import { reduceObject } from './compact.ts'
import type { CommandResult, ResultObject } from './types.ts'

/** What is kept of a result, from all of it to what always fits. */
export const resultForms: readonly { note: string; shorten: (result: CommandResult) => CommandResult }[] = [
  { note: '', shorten: result => result },
  {
    note: 'its objects are kept without their contents',
    shorten: result => ({ ...result, objects: result.objects.map(reducedObject) }),
  },
  { note: 'its objects are kept without contents and changes', shorten: bareResult },
  { note: 'it is kept without its objects', shorten: result => ({ ...bareResult(result), objects: [] }) },
]

/** A result that tells what happened to which object, and no more. */
export function bareResult({ deployment: _deployment, objects, ...result }: CommandResult): CommandResult {
  return { ...result, seenImages: [], objects: objects.map(bareObject) }
}

function bareObject(object: ResultObject): ResultObject {
  const { rendered: _rendered, remote: _remote, applied: _applied, changes: _changes, ...base } = object
  return base
}

/** An object with its versions reduced to what lists need. */
export function reducedObject({ rendered, remote, applied, ...base }: ResultObject): ResultObject {
  return {
    ...base,
    ...(rendered === undefined ? {} : { rendered: reduceObject(rendered) }),
    ...(remote === undefined ? {} : { remote: reduceObject(remote) }),
    ...(applied === undefined ? {} : { applied: reduceObject(applied) }),
  }
}
