import { typeError } from '../errors.ts'
import { same } from '../python/compare.ts'
import { fromIterator, iterate, lengthOf } from '../python/iterate.ts'
import { type ContextView, type Kwargs, Markup, PyCallable, PyObject, PyTuple, type Value } from '../values.ts'
import type { Context } from './context.ts'

type Recurse = (items: Value, depth: number) => string

/** The `loop` of a for loop. */
export class LoopContext extends PyCallable {
  current: Value = null
  private index0 = -1
  private previous: Value | undefined
  private next: IteratorResult<Value, unknown> | undefined
  private known: number | undefined
  private lastChanged: readonly Value[] | undefined
  private iterator: Iterator<Value, unknown>
  private readonly context: Context
  private readonly depth0: number
  private readonly recurse: Recurse | undefined

  constructor(context: Context, items: Value | Iterable<Value>, depth0: number, recurse: Recurse | undefined) {
    super()
    this.context = context
    this.depth0 = depth0
    this.recurse = recurse
    const isValue = typeof items !== 'object' || items === null || Array.isArray(items) || items instanceof PyObject
    this.known = isValue ? lengthOf(items) : undefined
    this.iterator = (isValue ? iterate(items) : items)[Symbol.iterator]()
  }

  get typeName(): string {
    return 'LoopContext'
  }

  /** Moves on to the next item, if there is one. */
  advance(): boolean {
    const step = this.peek()
    this.next = undefined
    if (step.done === true) return false
    if (this.index0 >= 0) this.previous = this.current
    this.current = step.value
    this.index0++
    return true
  }

  private peek(): IteratorResult<Value, unknown> {
    this.next ??= this.iterator.next()
    return this.next
  }

  /** The number of items; reads the rest of them ahead when the source does not know. */
  private length(): number {
    if (this.known !== undefined) return this.known
    const rest: Value[] = []
    for (let step = this.peek(); step.done !== true; step = this.iterator.next()) {
      this.context.state.step(1)
      rest.push(step.value)
    }
    this.iterator = rest[Symbol.iterator]()
    this.next = undefined
    this.known = rest.length + this.index0 + 1
    return this.known
  }

  override attribute(name: string): Value | undefined {
    switch (name) {
      case 'index':
        return this.index0 + 1
      case 'index0':
        return this.index0
      case 'revindex':
        return this.length() - this.index0
      case 'revindex0':
        return this.length() - this.index0 - 1
      case 'first':
        return this.index0 === 0
      case 'last':
        return this.peek().done === true
      case 'length':
        return this.length()
      case 'depth':
        return this.depth0 + 1
      case 'depth0':
        return this.depth0
      default:
        return this.otherAttribute(name)
    }
  }

  private otherAttribute(name: string): Value | undefined {
    if (name === 'previtem')
      return this.previous === undefined ? this.absent('there is no previous item') : this.previous
    if (name === 'nextitem') {
      const step = this.peek()
      return step.done === true ? this.absent('there is no next item') : step.value
    }
    if (name === 'cycle') return new LoopMethod('cycle', args => this.cycle(args))
    if (name === 'changed') return new LoopMethod('changed', args => this.changed(args))
    return undefined
  }

  private absent(hint: string): Value {
    return this.context.undefinedHint(hint)
  }

  private cycle(args: readonly Value[]): Value {
    if (args.length === 0) throw typeError('no items for cycling given')
    return args[this.index0 % args.length] ?? null
  }

  private changed(args: readonly Value[]): boolean {
    const before = this.lastChanged
    if (before !== undefined && sameItems(this.context, before, args)) return false
    this.lastChanged = args
    return true
  }

  override invoke(_context: ContextView, args: Value[], kwargs: Kwargs): Value {
    if (this.recurse === undefined) throw typeError("The loop must have the 'recursive' marker to be called.")
    const items = args[0] ?? kwargs.get('iterable')
    if (items === undefined)
      throw typeError("LoopContext.__call__() missing 1 required positional argument: 'iterable'")
    const text = this.recurse(items, this.depth0 + 1)
    return this.context.autoescape ? new Markup(text) : text
  }

  override iterate(): Iterator<Value, unknown> {
    return this.pairs()
  }

  private *pairs(): Generator<Value, undefined> {
    for (const item of fromIterator(this.iterator)) yield new PyTuple([item, this])
  }

  override count(): number {
    return this.length()
  }

  override display(): string {
    return `<LoopContext ${this.index0 + 1}/${this.length()}>`
  }
}

function sameItems(context: Context, a: readonly Value[], b: readonly Value[]): boolean {
  return a.length === b.length && a.every((item, index) => same(context, item, b[index] ?? null))
}

class LoopMethod extends PyCallable {
  private readonly name: string
  private readonly run: (args: readonly Value[]) => Value

  constructor(name: string, run: (args: readonly Value[]) => Value) {
    super()
    this.name = name
    this.run = run
  }

  get typeName(): string {
    return 'method'
  }

  override invoke(_context: ContextView, args: Value[]): Value {
    return this.run(args)
  }

  override display(): string {
    return `<bound method LoopContext.${this.name}>`
  }
}
