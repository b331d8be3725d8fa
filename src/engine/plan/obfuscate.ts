import type { Manifest } from '../item.ts'
import { emptyObject, isObject, type Json } from '../values.ts'
import { makeChange } from './diff.ts'
import { type FieldPath, formatPath, leaves } from './field-path.ts'
import { SensitiveTexts } from './sensitive.ts'
import type { Change, DeploymentError, ObjectRef } from './types.ts'

const hidden = '*****'
const hiddenText = '***** (obfuscated)'
// Different on both sides, so that what differs still shows as a difference.
const hiddenBefore = '*****b'
const hiddenAfter = '*****a'

const lastApplied = 'kubectl.kubernetes.io/last-applied-configuration'

/**
 * Hides what must not be printed or stored: the data of Secrets, in kluctl's form, and texts of sensitive variables
 * wherever they turn up. Keys stay, so that a diff still says what changed.
 */
export class Obfuscator {
  readonly #texts: SensitiveTexts

  constructor(texts: SensitiveTexts = new SensitiveTexts()) {
    this.#texts = texts
  }

  /** The changes with hidden values and diffs. */
  changes(ref: ObjectRef, changes: readonly Change[]): Change[] {
    return changes.map(change => {
      if (isSecret(ref) && /^(?:data|stringData)(?:$|[.[])/.test(change.jsonPath)) return hideAll(change, hideValues)
      const isSensitive = this.#holds(change.oldValue) || this.#holds(change.newValue)
      return isSensitive ? hideAll(change, hideLeaves) : change
    })
  }

  /**
   * A copy of the object with hidden values; the object itself when there is nothing to hide. Where one of its other
   * versions holds something sensitive, it is hidden too: what was secret before is not known any more.
   */
  object(object: Manifest, versions: readonly Manifest[] = []): Manifest {
    const places = new Set(versions.flatMap(version => [...this.#places(version)]))
    if (!isSecret(object)) {
      return places.size > 0 || this.#holds(object) ? this.#withoutTexts(object, places) : object
    }
    const copy = this.#withoutTexts(object, places)
    const encoded = Buffer.from(hidden).toString('base64')
    if (isPresent(copy.data)) copy.data = hideValues(copy.data, encoded)
    if (isPresent(copy.stringData)) copy.stringData = hideValues(copy.stringData, hidden)
    return copy
  }

  /** Errors or warnings with hidden texts. */
  problems(problems: readonly DeploymentError[]): DeploymentError[] {
    return problems.map(({ ref, message }) => ({ ref, message: this.text(message) }))
  }

  /** A text with what is sensitive in it hidden. */
  text(text: string): string {
    return this.#texts.mask(text, hidden)
  }

  #holds(value: Json | undefined): boolean {
    if (this.#texts.isEmpty) return false
    if (isShown(value)) return this.#texts.isIn(String(value))
    if (Array.isArray(value)) return value.some(item => this.#holds(item))
    return isObject(value) && Object.values(value).some(inner => this.#holds(inner))
  }

  /** Where texts to hide are. */
  *#places(object: Manifest): Generator<string> {
    if (this.#texts.isEmpty) return
    for (const [path, value] of leaves(object)) {
      if (isShown(value) && this.#texts.isIn(String(value))) yield placeOf(path)
    }
  }

  #withoutTexts(object: Manifest, places: ReadonlySet<string>): Manifest {
    const hide = (value: Json, path: FieldPath): Json => {
      if (isNaming(path)) return value
      const isHidden = isShown(value) && (this.#texts.isIn(String(value)) || places.has(placeOf(path)))
      // The last applied configuration repeats the whole object.
      if (isHidden || path[2] === lastApplied) return hidden
      return mapInner(value, (inner, key) => hide(inner, [...path, key]))
    }
    return hide(object, []) as Manifest
  }
}

/** Texts and numbers: what a template writes may become either. */
function isShown(value: Json | undefined): value is string | number | bigint {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'bigint'
}

/** The same for all items of a list, as they change places. */
function placeOf(path: FieldPath): string {
  return formatPath(path.map(key => (typeof key === 'number' ? 0 : key)))
}

/** What tells which object it is, and what kluctl itself has set, is no secret and needed to read the rest. */
function isNaming([first, second, third = '']: FieldPath): boolean {
  if (first === 'apiVersion' || first === 'kind') return true
  if (first !== 'metadata' || second === undefined) return false
  if (second !== 'labels' && second !== 'annotations') return true
  return String(third).startsWith('kluctl.io/')
}

function isSecret({ group, kind, apiVersion }: { group?: Json; kind?: Json; apiVersion?: Json }): boolean {
  return kind === 'Secret' && (group ?? '') === '' && (apiVersion === undefined || apiVersion === 'v1')
}

function isPresent(value: Json | undefined): value is Json {
  return value !== undefined && value !== null
}

function hideAll(change: Change, hide: (value: Json, by: string) => Json): Change {
  const { jsonPath, oldValue, newValue } = change
  const shown = makeChange(
    jsonPath,
    oldValue === undefined ? undefined : hide(oldValue, hiddenBefore),
    newValue === undefined ? undefined : hide(newValue, hiddenAfter),
  )
  const diff = (shown.unifiedDiff ?? '').replaceAll(hiddenAfter, hiddenText).replaceAll(hiddenBefore, hiddenText)
  return {
    type: change.type,
    jsonPath,
    ...(oldValue === undefined ? {} : { oldValue: hide(oldValue, hidden) }),
    ...(newValue === undefined ? {} : { newValue: hide(newValue, hidden) }),
    unifiedDiff: diff,
  }
}

/** The values of a map or list, or the value itself. */
function hideValues(value: Json, by: string): Json {
  return Array.isArray(value) || isObject(value) ? mapInner(value, () => by) : by
}

/** Every text and number, however deep: the old value may hold a secret that is not known any more. */
function hideLeaves(value: Json, by: string): Json {
  return Array.isArray(value) || isObject(value) ? mapInner(value, inner => hideLeaves(inner, by)) : by
}

function mapInner(value: Json, change: (inner: Json, key: string | number) => Json): Json {
  if (Array.isArray(value)) return value.map(change)
  if (!isObject(value)) return value
  const copy = emptyObject()
  for (const [key, inner] of Object.entries(value)) copy[key] = change(inner, key)
  return copy
}
