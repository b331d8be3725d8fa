import type { Manifest } from '../item.ts'
import { clone, emptyObject, isObject, type Json } from '../values.ts'
import { makeChange } from './diff.ts'
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

  /** A copy of the object with hidden values; the object itself when there is nothing to hide. */
  object(object: Manifest): Manifest {
    if (!isSecret(object)) return this.#holds(object) ? this.#withoutTexts(object) : object
    const copy = this.#withoutTexts(object)
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
    if (typeof value === 'string') return this.#texts.isIn(value)
    if (Array.isArray(value)) return value.some(item => this.#holds(item))
    return isObject(value) && Object.values(value).some(inner => this.#holds(inner))
  }

  /** What names the object stays, and what kluctl itself has set. */
  #withoutTexts(object: Manifest): Manifest {
    const copy = emptyObject()
    for (const [key, value] of Object.entries(object)) {
      if (key === 'apiVersion' || key === 'kind') copy[key] = value
      else if (key === 'metadata' && isObject(value)) {
        copy[key] = clone(value)
        this.#hideMetadata(copy[key])
      } else copy[key] = this.#hideIn(value)
    }
    return copy
  }

  #hideMetadata(metadata: Json): void {
    if (!isObject(metadata)) return
    for (const entries of [metadata.labels, metadata.annotations]) {
      if (!isObject(entries)) continue
      for (const [key, value] of Object.entries(entries)) {
        // The last applied configuration repeats the whole object.
        if (key === lastApplied) entries[key] = hidden
        else if (!key.startsWith('kluctl.io/')) entries[key] = this.#hideIn(value)
      }
    }
  }

  #hideIn(value: Json): Json {
    if (typeof value === 'string') return this.#texts.isIn(value) ? hidden : value
    return mapInner(value, inner => this.#hideIn(inner))
  }
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

function mapInner(value: Json, change: (inner: Json) => Json): Json {
  if (Array.isArray(value)) return value.map(change)
  if (!isObject(value)) return value
  const copy = emptyObject()
  for (const [key, inner] of Object.entries(value)) copy[key] = change(inner)
  return copy
}
