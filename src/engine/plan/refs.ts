import { splitApiVersion } from '../../kube/types.ts'
import { type Manifest, text } from '../item.ts'
import { getPath } from '../values.ts'
import type { ObjectRef } from './types.ts'

/** What errors that belong to no object refer to. */
export const noObject: ObjectRef = { kind: '', name: '' }

/** Makes a reference; empty parts are left out. */
export function makeRef(group: string, version: string, kind: string, name: string, namespace = ''): ObjectRef {
  return {
    ...(group === '' ? {} : { group }),
    ...(version === '' ? {} : { version }),
    kind,
    name,
    ...(namespace === '' ? {} : { namespace }),
  }
}

/** The reference of an object. */
export function refOf(object: Manifest): ObjectRef {
  const [group, version] = splitApiVersion(text(object.apiVersion))
  const name = text(getPath(object, ['metadata', 'name']))
  return makeRef(group, version, text(object.kind), name, text(getPath(object, ['metadata', 'namespace'])))
}

/** A string that two references share exactly when they name the same object in the same version: for maps and sets. */
export function refKey(ref: ObjectRef): string {
  // None of the parts may hold a slash.
  return `${ref.group ?? ''}/${ref.version ?? ''}/${ref.kind}/${ref.namespace ?? ''}/${ref.name}`
}

/** A reference as kluctl prints it: `namespace/Kind/name`, `Kind/name`, or `Kind`. */
export function formatRef({ kind, name, namespace = '' }: ObjectRef): string {
  if (namespace !== '') return `${namespace}/${kind}/${name}`
  return name === '' ? kind : `${kind}/${name}`
}

/** `apps/v1`, or `v1` for core kinds. */
export function apiVersionOf({ group = '', version = '' }: ObjectRef): string {
  return group === '' ? version : `${group}/${version}`
}

/** `Deployment.apps`; `ConfigMap` for core kinds. */
export function groupKindOf({ group = '', kind }: Pick<ObjectRef, 'group' | 'kind'>): string {
  return group === '' ? kind : `${kind}.${group}`
}

/** The value of an annotation; undefined when it is not set. */
export function annotationOf(object: Manifest, name: string): string | undefined {
  const value = getPath(object, ['metadata', 'annotations', name])
  return typeof value === 'string' ? value : undefined
}

const trueWords = new Set(['1', 't', 'T', 'TRUE', 'true', 'True'])
const falseWords = new Set(['0', 'f', 'F', 'FALSE', 'false', 'False'])

/** Yes or no in the words of Go's `strconv.ParseBool`; undefined for others. */
export function parseBool(text: string): boolean | undefined {
  return trueWords.has(text) ? true : falseWords.has(text) ? false : undefined
}

/** Whether an annotation says yes; anything else than Go's words for it is no. */
export function isAnnotated(object: Manifest, name: string): boolean {
  return parseBool(annotationOf(object, name) ?? '') === true
}

/** Values of an annotation that may be set several times, as `name`, `name-1`, `name-2`, …; in the order of the names. */
export function numberedAnnotations(object: Manifest, name: string): string[] {
  const annotations = getPath(object, ['metadata', 'annotations'])
  if (typeof annotations !== 'object' || annotations === null || Array.isArray(annotations)) return []
  const matches = (key: string) =>
    key === name || (key.startsWith(`${name}-`) && /^\d*$/.test(key.slice(name.length + 1)))
  return Object.keys(annotations)
    .filter(matches)
    .sort()
    .flatMap(key => {
      const value = annotations[key]
      return typeof value === 'string' ? [value] : []
    })
}
