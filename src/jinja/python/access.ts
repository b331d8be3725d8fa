import { SecurityError } from '../errors.ts'
import { BoundMethod } from '../methods/method.ts'
import { methodOf } from '../methods/tables.ts'
import type { Context } from '../runtime/context.ts'
import { type Kwargs, Markup, PyBytes, PyDict, PyFloat, PyObject, PyTuple, Undefined, type Value } from '../values.ts'
import { isInt } from './arith.ts'
import { callValue } from './call.ts'
import { textOf } from './compare.ts'
import { isPlain, PyIterator } from './iterate.ts'
import { PyRange } from './range.ts'
import { typeName } from './types.ts'
import { failUse } from './undefined.ts'

const pythonInternals = new Set(
  `class init new doc dict repr str hash eq ne lt le gt ge reduce reduce_ex getattribute setattr delattr format sizeof
  dir subclasshook init_subclass module call func self globals code closure defaults name qualname len getitem setitem
  delitem iter next contains add radd mul rmul mod rmod sub rsub iadd imul bool int float abs neg pos invert truediv
  rtruediv floordiv rfloordiv pow rpow round trunc floor ceil index and or xor rand ror rxor lshift rshift reversed
  getnewargs getformat html class_getitem bases mro subclasses base weakref slots annotations divmod rdivmod getstate`
    .split(/\s+/)
    .map(name => `__${name}__`),
)
const listMutators = new Set(['append', 'clear', 'extend', 'insert', 'pop', 'remove', 'reverse', 'sort'])
const dictMutators = new Set(['clear', 'pop', 'popitem', 'setdefault', 'update'])
const frameAttributes = new Set(['gi_frame', 'gi_code'])

function unsafe(context: Context, object: Value, name: string): Undefined {
  const hint = `access to attribute '${name}' of '${typeName(object)}' object is unsafe.`
  return new Undefined(context.engine.undefinedKind, name, object, hint, true)
}

/** What the sandbox refuses of a value: Python's own internals, and private attributes of the engine's objects. */
function isRefused(context: Context, object: Value, name: string): boolean {
  if (name.charCodeAt(0) === 95) return pythonInternals.has(name) || isOpaque(object)
  if (context.engine.immutable && isMutator(object, name)) return true
  return object instanceof PyIterator && frameAttributes.has(name)
}

function isMutator(object: Value, name: string): boolean {
  if (Array.isArray(object)) return listMutators.has(name)
  return object instanceof PyDict && dictMutators.has(name)
}

function isOpaque(object: Value): boolean {
  if (!(object instanceof PyObject)) return false
  return !(
    object instanceof PyDict ||
    object instanceof PyTuple ||
    object instanceof PyFloat ||
    object instanceof Markup ||
    object instanceof PyBytes
  )
}

/** A readable attribute, or undefined: methods and the object's own list, nothing else. */
function attributeOf(object: Value, name: string): Value | undefined {
  if (name.charCodeAt(0) === 95) return undefined
  const method = methodOf(object, name)
  if (method !== undefined) return new BoundMethod(object, name, method)
  if (object instanceof PyObject && !(object instanceof PyFloat)) return object.attribute(name)
  return numberAttribute(object, name)
}

/** The data attributes of int, bool and float. */
function numberAttribute(object: Value, name: string): Value | undefined {
  const isFloat = object instanceof PyFloat
  if (!isFloat && !isInt(object)) return undefined
  const whole = typeof object === 'boolean' ? Number(object) : object
  if (name === 'real') return whole
  if (name === 'imag') return isFloat ? new PyFloat(0) : 0
  if (isFloat) return undefined
  if (name === 'numerator') return whole
  return name === 'denominator' ? 1 : undefined
}

/** `object.name`: attributes first, then items. Throws UndefinedError when the object is undefined. */
export function getAttribute(context: Context, object: Value, name: string): Value {
  if (object instanceof PyDict) {
    if (!isRefused(context, object, name)) {
      const method = methodOf(object, name)
      if (method !== undefined) return new BoundMethod(object, name, method)
      const item = object.get(name)
      return item === undefined ? context.undefinedMember(object, name) : item
    }
    return unsafe(context, object, name)
  }
  if (object instanceof Undefined) return attributeOfUndefined(context, object, name)
  if (isRefused(context, object, name)) return unsafe(context, object, name)
  const attribute = attributeOf(object, name)
  return attribute === undefined ? context.undefinedMember(object, name) : attribute
}

/** Only the attribute, never an item: what the `attr` filter gives. */
export function getOnlyAttribute(context: Context, object: Value, name: string): Value {
  if (object instanceof Undefined) return attributeOfUndefined(context, object, name)
  if (isRefused(context, object, name)) return unsafe(context, object, name)
  const attribute = attributeOf(object, name)
  return attribute === undefined ? context.undefinedMember(object, name) : attribute
}

/** Python's internals exist in an undefined value too, and are refused like any other's. */
function attributeOfUndefined(context: Context, object: Undefined, name: string): Value {
  if (!object.unsafe && pythonInternals.has(name)) return unsafe(context, object, name)
  return memberOfUndefined(object, name)
}

function memberOfUndefined(object: Undefined, name: Value): Value {
  if (object.kind !== 'chainable' || object.unsafe) return failUse(object)
  if (typeof name === 'string' && name.startsWith('__')) return failUse(object)
  return object
}

/** `object[key]`: items first, then attributes. Throws UndefinedError when the object is undefined. */
export function getItem(context: Context, object: Value, key: Value): Value {
  if (object instanceof Undefined) return memberOfUndefined(object, null)
  const item = itemOf(context, object, key)
  if (item !== undefined) return item
  const name = textOf(key)
  if (name !== undefined) {
    if (isRefused(context, object, name)) return unsafe(context, object, name)
    const attribute = attributeOf(object, name)
    if (attribute !== undefined) return attribute
  }
  return context.undefinedMember(object, key)
}

function itemOf(context: Context, object: Value, key: Value): Value | undefined {
  if (object instanceof PyDict) return isHashable(key) ? object.get(key) : undefined
  if (!isInt(key)) return undefined
  const index = Number(key)
  if (Array.isArray(object)) return object[index < 0 ? index + object.length : index]
  if (typeof object === 'string') return charAt(context, object, index)
  if (object instanceof PyTuple) return object.items[index < 0 ? index + object.items.length : index]
  if (object instanceof Markup) {
    const char = charAt(context, object.text, index)
    return char === undefined ? undefined : new Markup(char)
  }
  if (object instanceof PyBytes) return object.bytes[index < 0 ? index + object.bytes.length : index]
  if (object instanceof PyRange) {
    const at = index < 0 ? index + object.length : index
    return at >= 0 && at < object.length ? object.at(at) : undefined
  }
  return undefined
}

function isHashable(key: Value): boolean {
  if (Array.isArray(key) || key instanceof PyDict) return false
  if (key instanceof Undefined && key.kind === 'strict') failUse(key)
  return key instanceof PyTuple ? key.items.every(isHashable) : true
}

function charAt(context: Context, text: string, index: number): string | undefined {
  context.step(text.length >> 6)
  const chars = isPlain(text) ? text : Array.from(text)
  return chars[index < 0 ? index + chars.length : index]
}

/** `object.name(*args, **kwargs)` without making a bound method first. */
export function callMethod(context: Context, object: Value, name: string, args: Value[], kwargs: Kwargs): Value {
  const method = name.charCodeAt(0) === 95 ? undefined : methodOf(object, name)
  if (method !== undefined && !(context.engine.immutable && isMutator(object, name))) {
    context.state.step(1)
    return method(context, object, args, kwargs)
  }
  const callee = getAttribute(context, object, name)
  if (callee instanceof Undefined && callee.unsafe) throw new SecurityError(callee.hint ?? '')
  return callValue(context, callee, args, kwargs)
}
