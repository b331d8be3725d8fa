import { BudgetError, PythonError, typeError } from '../errors.ts'
import { Markup, PyBytes, PyFloat, PyTuple } from './basic.ts'
import { PyObject, type Value } from './object.ts'
import { Undefined, type UndefinedKind } from './undefined.ts'

interface Entry {
  readonly key: Value
  value: Value
}

const identities = new WeakMap<PyObject, number>()
let lastIdentity = 0

/** A number that is this object's for as long as it lives, like Python's `id`. */
export function identityOf(object: PyObject): number {
  let identity = identities.get(object)
  if (identity === undefined) {
    identity = ++lastIdentity
    identities.set(object, identity)
  }
  return identity
}

type Key = null | string | number | bigint | PyObject

/** Mapping in insertion order whose keys are equal as Python's are: `1 == 1.0 == True`, tuples by content. */
export class PyDict extends PyObject {
  private readonly map = new Map<Key, Entry>()
  private tuples: Map<string, PyObject> | undefined

  /** A dict of the given pairs; a later pair wins over an earlier one with the same key. */
  static of(pairs: Iterable<readonly [Value, Value]>): PyDict {
    const dict = new PyDict()
    for (const [key, value] of pairs) dict.set(key, value)
    return dict
  }

  get typeName(): string {
    return 'dict'
  }

  get size(): number {
    return this.map.size
  }

  override iterate(): Iterator<Value, unknown> {
    return this.keys()
  }

  override count(): number {
    return this.map.size
  }

  /** The value of a key, or undefined. Throws TypeError for a key that Python cannot hash. */
  get(key: Value): Value | undefined {
    return this.map.get(typeof key === 'string' ? key : this.keyOf(key))?.value
  }

  has(key: Value): boolean {
    return this.map.has(typeof key === 'string' ? key : this.keyOf(key))
  }

  set(key: Value, value: Value): this {
    const at = typeof key === 'string' ? key : this.keyOf(key)
    const entry = this.map.get(at)
    if (entry === undefined) this.map.set(at, { key, value })
    else entry.value = value
    return this
  }

  delete(key: Value): boolean {
    return this.map.delete(typeof key === 'string' ? key : this.keyOf(key))
  }

  clear(): void {
    this.map.clear()
    this.tuples = undefined
  }

  *keys(): Generator<Value, undefined> {
    for (const entry of this.each()) yield entry.key
  }

  *values(): Generator<Value, undefined> {
    for (const entry of this.each()) yield entry.value
  }

  /** Keys and values in insertion order. */
  *entries(): Generator<[Value, Value], undefined> {
    for (const entry of this.each()) yield [entry.key, entry.value]
  }

  /** The entries; adding or removing keys meanwhile is Python's RuntimeError. */
  private *each(): Generator<Entry, undefined> {
    const { size } = this.map
    for (const entry of this.map.values()) {
      if (this.map.size !== size) throw new PythonError('RuntimeError', 'dictionary changed size during iteration')
      yield entry
    }
  }

  /** A new dict with the same pairs. */
  copy(): PyDict {
    return PyDict.of(this.entries())
  }

  private keyOf(key: Value): Key {
    const plain = plainKey(key)
    if (plain !== undefined) return plain
    const text = hashText(key)
    this.tuples ??= new Map()
    const known = this.tuples.get(text)
    if (known !== undefined) return known
    this.tuples.set(text, key as PyObject)
    return key as PyObject
  }
}

function plainKey(key: Value): Key | undefined {
  if (typeof key === 'boolean') return key ? 1 : 0
  if (typeof key !== 'object' || key === null) return key
  if (key instanceof PyFloat) return numberKey(key.value)
  if (key instanceof Markup) return key.text
  if (key instanceof PyTuple || key instanceof PyBytes) return undefined
  if (key instanceof Undefined) return undefinedKeys[key.kind]
  if (Array.isArray(key)) throw typeError("unhashable type: 'list'")
  if (key instanceof PyDict) throw typeError("unhashable type: 'dict'")
  return key
}

function numberKey(value: number): number | bigint {
  return Number.isInteger(value) && !Number.isSafeInteger(value) ? BigInt(value) : value
}

const maxHashedParts = 10_000

/** Text that is the same for two hashable values exactly when Python holds them equal. Throws TypeError if unhashable. */
export function hashText(value: Value): string {
  const parts: string[] = []
  hashInto(value, parts)
  return parts.join('')
}

function hashInto(value: Value, parts: string[]): void {
  if (parts.length > maxHashedParts) throw new BudgetError('valueBytes', maxHashedParts)
  if (value instanceof PyTuple) {
    parts.push('(')
    for (const item of value.items) hashInto(item, parts)
    parts.push(')')
  } else if (value instanceof PyBytes) parts.push(`b${value.bytes.join(' ')};`)
  else parts.push(keyText(plainKey(value) ?? null))
}

function keyText(key: Key): string {
  if (key === null) return 'None;'
  if (typeof key === 'string') return `s${key.length}:${key}`
  return typeof key === 'object' ? `o${identityOf(key)};` : `n${key};`
}

/** All undefined values of one kind are the same key. */
const undefinedKeys: Record<UndefinedKind, PyObject> = {
  default: new PyTuple([]),
  chainable: new PyTuple([]),
  debug: new PyTuple([]),
  strict: new PyTuple([]),
}
