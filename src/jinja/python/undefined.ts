import { PythonError } from '../errors.ts'
import { failUndefined } from '../runtime/context.ts'
import { PyFloat, PyTuple, Undefined, type Value } from '../values.ts'
import { floatRepr } from './float.ts'
import { quote } from './quote.ts'
import { typeName } from './types.ts'

/** The message that using an undefined value fails with; `asElement` is how debug undefined prints it. */
export function undefinedMessage(value: Undefined, asElement = false): string {
  if (value.hint !== undefined) return value.hint
  const { key, object } = value
  if (object === undefined) return `${keyText(key)} is undefined`
  const owner = ownerName(object)
  if (asElement) return `no such element: ${owner}[${keyText(key)}]`
  return typeof key === 'string'
    ? `'${owner}' has no attribute ${quote(key)}`
    : `${owner} has no element ${keyText(key)}`
}

function keyText(key: Value): string {
  if (typeof key === 'string') return quote(key)
  if (key instanceof PyFloat) return floatRepr(key.value)
  if (key === null) return 'None'
  if (typeof key === 'boolean') return key ? 'True' : 'False'
  if (key instanceof PyTuple) return tupleText(key.items)
  return typeof key === 'object' ? `<${typeName(key)}>` : String(key)
}

function tupleText(items: readonly Value[]): string {
  const shown = items.slice(0, 100).map(keyText).join(', ')
  return items.length === 1 ? `(${shown},)` : `(${shown})`
}

const moduleOf: Record<string, string> = {
  Namespace: 'jinja2.utils.',
  LoopContext: 'jinja2.runtime.',
  Macro: 'jinja2.runtime.',
  TemplateReference: 'jinja2.runtime.',
  BlockReference: 'jinja2.runtime.',
  TemplateModule: 'jinja2.environment.',
  Cycler: 'jinja2.utils.',
  Joiner: 'jinja2.utils.',
  Markup: 'markupsafe.',
}

function ownerName(object: Value): string {
  if (object === null) return 'None'
  const name = typeName(object)
  return `${moduleOf[name] ?? ''}${name} object`
}

/** Throws what using the value is: UndefinedError, or SecurityError when the sandbox refused it. */
export function failUse(value: Undefined): never {
  return failUndefined(value, undefinedMessage(value))
}

/** Throws what `value.name` is for a value without that attribute: AttributeError, UndefinedError for an undefined one. */
export function failAttribute(value: Value, name: string): never {
  refuseUndefined(value)
  throw new PythonError('AttributeError', `'${typeName(value)}' object has no attribute '${name}'`)
}

/** Throws if the value is a strict undefined, which cannot be hashed: no key of a dict and no member of a set. */
export function refuseStrict(value: Value): void {
  if (value instanceof Undefined && value.kind === 'strict') failUse(value)
}

/** Throws if the value is undefined and of any kind, as arithmetic does. */
export function refuseUndefined(value: Value): void {
  if (value instanceof Undefined) failUse(value)
}
