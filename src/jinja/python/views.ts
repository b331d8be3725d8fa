import type { Context } from '../runtime/context.ts'
import { type PyDict, PyObject, PyTuple, type Value } from '../values.ts'
import { same } from './compare.ts'
import { repr } from './display.ts'

type ViewKind = 'keys' | 'values' | 'items'

/** What `dict.keys()`, `.values()` and `.items()` give: a live view. */
export class DictView extends PyObject {
  readonly dict: PyDict
  private readonly kind: ViewKind
  private readonly context: Context

  constructor(dict: PyDict, kind: ViewKind, context: Context) {
    super()
    this.dict = dict
    this.kind = kind
    this.context = context
  }

  get typeName(): string {
    return `dict_${this.kind}`
  }

  override iterate(): Iterator<Value, unknown> {
    if (this.kind === 'keys') return this.dict.keys()
    return this.kind === 'values' ? this.dict.values() : this.items()
  }

  private *items(): Generator<Value, undefined> {
    for (const pair of this.dict.entries()) yield new PyTuple(pair)
  }

  /** Keys and items compare as sets do. */
  override equals(other: Value): boolean | undefined {
    if (!(other instanceof DictView) || this.kind === 'values' || other.kind !== this.kind) return undefined
    if (this.dict.size !== other.dict.size) return false
    for (const [key, value] of this.dict.entries()) {
      const match = other.dict.get(key)
      if (match === undefined || (this.kind === 'items' && !same(this.context, value, match))) return false
    }
    return true
  }

  override count(): number {
    return this.dict.size
  }

  override display(): string {
    return `${this.typeName}(${repr(this.context, Array.from({ [Symbol.iterator]: () => this.iterate() as Iterator<Value> }))})`
  }
}
