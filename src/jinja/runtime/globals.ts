import { PythonError, typeError, valueError } from '../errors.ts'
import { updateDict } from '../methods/dict.ts'
import { BoundMethod } from '../methods/method.ts'
import { methodOf } from '../methods/tables.ts'
import { isInt } from '../python/arith.ts'
import { repr } from '../python/display.ts'
import { PyRange } from '../python/range.ts'
import { typeName } from '../python/types.ts'
import { refuseUndefined } from '../python/undefined.ts'
import {
  type ContextView,
  HostFunction,
  type Kwargs,
  PyCallable,
  PyDict,
  PyObject,
  PyTuple,
  type Value,
} from '../values.ts'
import type { Context } from './context.ts'
import { lipsum } from './lipsum.ts'
import { Namespace } from './namespace.ts'

function rangeBound(value: Value): number {
  refuseUndefined(value)
  if (!isInt(value)) throw typeError(`'${typeName(value)}' object cannot be interpreted as an integer`)
  const bound = Number(value)
  return Math.max(-Number.MAX_SAFE_INTEGER, Math.min(Number.MAX_SAFE_INTEGER, bound))
}

function range(view: ContextView, args: Value[], kwargs: Kwargs): Value {
  if (kwargs.size > 0) throw typeError('range() takes no keyword arguments')
  const [first, second, third] = args.map(rangeBound)
  if (first === undefined) throw typeError('range expected at least 1 argument, got 0')
  if (args.length > 3) throw typeError(`range expected at most 3 arguments, got ${args.length}`)
  if (third === 0) throw valueError('range() arg 3 must not be zero')
  const made = second === undefined ? new PyRange(0, first, 1) : new PyRange(first, second, third ?? 1)
  const { maxRange } = (view as Context).engine
  if (made.length > maxRange) {
    throw new PythonError(
      'OverflowError',
      `Range too big. The sandbox blocks ranges larger than MAX_RANGE (${maxRange}).`,
    )
  }
  return made
}

function dict(view: ContextView, args: Value[], kwargs: Kwargs): Value {
  if (args.length > 1) throw typeError(`dict expected at most 1 argument, got ${args.length}`)
  const made = new PyDict()
  updateDict(view as Context, made, args[0], kwargs)
  return made
}

function namespace(view: ContextView, args: Value[], kwargs: Kwargs): Value {
  const values = new Map<string, Value>()
  const made = dict(view, args, kwargs) as PyDict
  for (const [key, value] of made.entries()) if (typeof key === 'string') values.set(key, value)
  return new Namespace(values, shown => repr(view as Context, PyDict.of(shown)))
}

/** `cycler(…)`: goes round its items. */
class Cycler extends PyObject {
  private readonly items: readonly Value[]
  private at = 0

  constructor(items: readonly Value[]) {
    super()
    this.items = items
  }

  get typeName(): string {
    return 'Cycler'
  }

  override attribute(name: string): Value | undefined {
    switch (name) {
      case 'next':
        return new HostFunction('next', () => this.next())
      case 'reset':
        return new HostFunction('reset', () => {
          this.at = 0
          return null
        })
      case 'current':
        return this.items[this.at] ?? null
      case 'items':
        return new PyTuple(this.items)
      case 'pos':
        return this.at
      default:
        return undefined
    }
  }

  private next(): Value {
    const item = this.items[this.at] ?? null
    this.at = (this.at + 1) % this.items.length
    return item
  }
}

/** `joiner(sep)`: nothing the first time it is called, then the separator. */
class Joiner extends PyCallable {
  private readonly separator: Value
  private used = false

  constructor(separator: Value) {
    super()
    this.separator = separator
  }

  get typeName(): string {
    return 'Joiner'
  }

  override attribute(name: string): Value | undefined {
    if (name === 'sep') return this.separator
    return name === 'used' ? this.used : undefined
  }

  override invoke(): Value {
    if (this.used) return this.separator
    this.used = true
    return ''
  }
}

function cycler(_context: ContextView, args: Value[], kwargs: Kwargs): Value {
  if (kwargs.size > 0) throw typeError('Cycler.__init__() takes no keyword arguments')
  if (args.length === 0) throw new PythonError('RuntimeError', 'at least one item has to be provided')
  return new Cycler(args)
}

function joiner(_context: ContextView, args: Value[], kwargs: Kwargs): Value {
  return new Joiner(args[0] ?? kwargs.get('sep') ?? ', ')
}

/** A built-in type used as a function; prints as a class. */
class TypeFunction extends HostFunction {
  override attribute(name: string): Value | undefined {
    const method = this.name === 'dict' && name === 'fromkeys' ? methodOf(new PyDict(), name) : undefined
    return method === undefined ? undefined : new BoundMethod(new PyDict(), name, method)
  }

  override get typeName(): string {
    return 'type'
  }

  override display(): string {
    return this.name === 'range' || this.name === 'dict'
      ? `<class '${this.name}'>`
      : `<class 'jinja2.utils.${this.name}'>`
  }
}

/** Jinja2's globals by name. */
export const builtinGlobals: ReadonlyMap<string, Value> = new Map<string, Value>([
  ['range', new TypeFunction('range', range)],
  ['dict', new TypeFunction('dict', dict)],
  ['namespace', new TypeFunction('Namespace', namespace)],
  ['cycler', new TypeFunction('Cycler', cycler)],
  ['joiner', new TypeFunction('Joiner', joiner)],
  ['lipsum', new HostFunction('generate_lorem_ipsum', lipsum)],
])
