import { BudgetError, PythonError, typeError } from './errors.ts'

/**
 * A value as templates see it. None is `null`, str a string, int a safe integer or, outside that range, a bigint;
 * list an array; everything else is a class below. No JavaScript property of a value is ever read for a template.
 */
export type Value = null | boolean | string | number | bigint | Value[] | PyObject

/** Keyword arguments of a call. */
export type Kwargs = ReadonlyMap<string, Value>

/** The keyword arguments of a call that has none. */
export const noKwargs: Kwargs = new Map()

/** Base of every value that is not a JavaScript primitive or array. */
export abstract class PyObject {
  /** `type(x).__name__` in Python. */
  abstract get typeName(): string

  /** The attribute of that name which templates may read, or undefined. Never begins with an underscore. */
  attribute(_name: string): Value | undefined {
    return undefined
  }

  /** What a loop over it yields, or undefined when it cannot be looped over. */
  iterate(): Iterator<Value, unknown> | undefined {
    return undefined
  }

  /** `len(x)`, or undefined when it has none. */
  count(): number | undefined {
    return undefined
  }

  /** `x <operator> other`, or `other <operator> x` when reflected; undefined when it cannot. */
  operate(_operator: string, _other: Value, _reflected: boolean): Value | undefined {
    return undefined
  }

  /** `x == other` for objects that compare by content; undefined leaves it to identity. */
  equals(_other: Value): boolean | undefined {
    return undefined
  }

  /** Negative, zero or positive as `x` sorts before, with or after `other`; undefined when they have no order. */
  compareTo(_other: Value): number | undefined {
    return undefined
  }

  /** `str(x)` */
  display(): string {
    return `<${this.typeName} object>`
  }

  /** `repr(x)`, for objects whose repr is not their str. */
  displayRepr(): string {
    return this.display()
  }
}

/** A value that templates can call. */
export abstract class PyCallable extends PyObject {
  abstract invoke(context: ContextView, args: Value[], kwargs: Kwargs): Value
}

/** A Python float; kept apart from int, as `1.0` prints and divides differently. */
export class PyFloat extends PyObject {
  readonly value: number

  constructor(value: number) {
    super()
    this.value = value
  }

  get typeName(): string {
    return 'float'
  }
}

/** An immutable sequence. A named tuple also answers to attribute names. */
export class PyTuple extends PyObject {
  readonly items: readonly Value[]
  /** Field names of a named tuple, and its class name. */
  readonly fields: readonly string[] | undefined
  private readonly className: string

  constructor(items: readonly Value[], fields?: readonly string[], className = 'tuple') {
    super()
    this.items = items
    this.fields = fields
    this.className = className
  }

  override attribute(name: string): Value | undefined {
    return this.fields === undefined ? undefined : this.items[this.fields.indexOf(name)]
  }

  override iterate(): Iterator<Value, unknown> {
    return this.items[Symbol.iterator]()
  }

  override count(): number {
    return this.items.length
  }

  get typeName(): string {
    return this.className
  }
}

/** A str that is safe to put into HTML as it is. */
export class Markup extends PyObject {
  readonly text: string

  constructor(text: string) {
    super()
    this.text = text
  }

  get typeName(): string {
    return 'Markup'
  }
}

/** A Python bytes value, as `str.encode` gives. */
export class PyBytes extends PyObject {
  readonly bytes: Uint8Array

  constructor(bytes: Uint8Array) {
    super()
    this.bytes = bytes
  }

  override iterate(): Iterator<Value, unknown> {
    return this.bytes.values()
  }

  override count(): number {
    return this.bytes.length
  }

  get typeName(): string {
    return 'bytes'
  }
}

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

/** How an environment treats a name or attribute that does not exist. */
export type UndefinedKind = 'default' | 'chainable' | 'debug' | 'strict'

/** What a missing name, attribute or item evaluates to. */
export class Undefined extends PyObject {
  readonly kind: UndefinedKind
  /** The whole message when it is not made from the parts below. */
  readonly hint: string | undefined
  /** The object that lacks it; undefined when a variable is missing. */
  readonly object: Value | undefined
  readonly key: Value
  /** True when it was refused by the sandbox: using it is then a SecurityError. */
  readonly unsafe: boolean

  constructor(kind: UndefinedKind, key: Value, object?: Value, hint?: string, unsafe = false) {
    super()
    this.kind = kind
    this.key = key
    this.object = object
    this.hint = hint
    this.unsafe = unsafe
  }

  get typeName(): string {
    return undefinedNames[this.kind]
  }
}

const undefinedNames: Record<UndefinedKind, string> = {
  default: 'Undefined',
  chainable: 'ChainableUndefined',
  debug: 'DebugUndefined',
  strict: 'StrictUndefined',
}

/** What host code sees of a running template. */
export interface ContextView {
  /** Name of the running template; undefined for a nameless one. */
  readonly templateName: string | undefined
  /** Whether output is being escaped where the call stands. */
  readonly autoescape: boolean
  /** A variable as the template's top level sees it, or undefined. Loop variables are not among them. */
  lookup(name: string): Value | undefined
  /** All of Jinja2's `Context.get_all()`: globals, render variables, top-level assignments. Loop variables are not in it. */
  getAll(): Map<string, Value>
  /** Counts work that host code does for a template. Throws BudgetError past the limit, AbortedError when aborted. */
  step(count: number): void
  /** Announces a value of this many bytes before it is made. Throws BudgetError when that is too much. */
  allocate(bytes: number): void
  /** Renders another template with these variables, on this render's budget. Throws TemplateNotFound. */
  renderNamed(name: string, variables: ReadonlyMap<string, Value>): string
  /** Renders a source with these variables, on this render's budget. Throws TemplateSyntaxError. */
  renderSource(source: string, variables: ReadonlyMap<string, Value>): string
}

/** A function of the host as templates may call it. */
export type HostCall = (context: ContextView, args: Value[], kwargs: Kwargs) => Value

/** A host function made callable; what it returns must be a template value. */
export class HostFunction extends PyCallable {
  readonly name: string
  readonly call: HostCall

  constructor(name: string, call: HostCall) {
    super()
    this.name = name
    this.call = call
  }

  get typeName(): string {
    return 'function'
  }

  override invoke(context: ContextView, args: Value[], kwargs: Kwargs): Value {
    return this.call(context, args, kwargs)
  }

  override display(): string {
    return `<function ${this.name}>`
  }
}

/** A host object: templates see exactly the attributes in its map and nothing else. */
export class HostObject extends PyObject {
  readonly attributes: ReadonlyMap<string, Value>
  /** What printing it gives. */
  readonly text: string
  private readonly className: string

  constructor(className: string, attributes: ReadonlyMap<string, Value>, text = `<${className} object>`) {
    super()
    this.className = className
    this.attributes = attributes
    this.text = text
  }

  override attribute(name: string): Value | undefined {
    return this.attributes.get(name)
  }

  override display(): string {
    return this.text
  }

  get typeName(): string {
    return this.className
  }
}
