import { BudgetError, JinjaError, TemplateAssertionError } from '../errors.ts'
import type { Meter } from '../meter.ts'
import type { Stmt } from '../parser/ast.ts'
import type { BlockCode, Engine } from '../runtime/context.ts'
import type { Exec, Frame } from '../runtime/frame.ts'
import type { Value } from '../values.ts'
import { Activation, readRef, Symbols } from './symbols.ts'

/** What the parts of one template's compilation share. */
export interface Unit {
  readonly engine: Engine
  /** Counts the compiler's work. */
  readonly meter: Meter
  readonly name: string | undefined
  readonly source: string
  /** Whether an `{% extends %}` stands anywhere, so that output may have to be held back. */
  readonly hasExtends: boolean
  /** Whether an `{% extends %}` that always runs has been compiled. */
  extendsForSure: boolean
  /** How many `{% extends %}` have been compiled. */
  extendsSoFar: number
  readonly blocks: Map<string, BlockCode>
  /** Compiles statements; here so that the statements' files need not import each other. */
  body(nodes: readonly Stmt[], scope: Scope): Exec
}

/** Where a statement stands: its names and what surrounds it. */
export class Scope {
  readonly unit: Unit
  readonly symbols: Symbols
  /** Directly in the template, maybe inside an `if`: assignments are exported. */
  readonly toplevel: boolean
  /** Directly in the template and not inside anything. */
  readonly rootlevel: boolean
  /** Inside an `if`, where an unknown filter is an error only when it runs. */
  readonly soft: boolean
  /** Output has to be held back once a parent template is known. */
  readonly outputCheck: boolean
  /** Whether output is escaped; undefined when only the running template knows. */
  readonly autoescape: boolean | undefined
  /** The choice last known at compile time, by which constants are escaped. */
  readonly constantEscape: boolean
  readonly inLoop: boolean
  /** Names assigned so far in this loop body or block; host functions that are called here see them. */
  readonly tracked: Set<string> | undefined

  constructor(unit: Unit, symbols: Symbols, options: ScopeOptions) {
    this.unit = unit
    this.symbols = symbols
    this.toplevel = options.toplevel ?? false
    this.rootlevel = options.rootlevel ?? false
    this.soft = options.soft ?? false
    this.outputCheck = options.outputCheck ?? false
    this.autoescape = options.autoescape
    this.constantEscape = options.autoescape ?? options.constantEscape ?? false
    this.inLoop = options.inLoop ?? false
    this.tracked = options.tracked
  }

  /** A scope of its own inside this one. */
  inner(options: Partial<ScopeOptions> = {}): Scope {
    const { autoescape, outputCheck, inLoop, constantEscape } = this
    const symbols = new Symbols(this.symbols.activation, this.symbols)
    return new Scope(this.unit, symbols, { autoescape, constantEscape, outputCheck, inLoop, ...options })
  }

  /** A scope inside this one whose variables live in an activation of their own. */
  innerActivation(options: Partial<ScopeOptions> = {}): Scope {
    const symbols = new Symbols(new Activation(this.symbols.activation, this.unit.meter), this.symbols)
    return new Scope(this.unit, symbols, {
      autoescape: this.autoescape,
      constantEscape: this.constantEscape,
      outputCheck: false,
      ...options,
    })
  }

  /** The same scope inside an `if`. */
  softened(): Scope {
    const { toplevel, outputCheck, autoescape, constantEscape, inLoop, tracked } = this
    const options = { toplevel, outputCheck, autoescape, constantEscape, inLoop, tracked }
    return new Scope(this.unit, this.symbols, { ...options, rootlevel: false, soft: true })
  }

  /** Reads a name's slot; undefined while nothing is assigned. */
  reader(name: string): (frame: Frame) => Value | undefined {
    const ref = this.symbols.find(name)
    if (ref === undefined) return frame => frame.context.lookup(name)
    return readRef(ref, this.symbols.activation)
  }

  /** The slot in which this scope keeps a name it assigns. */
  slotOf(name: string): number {
    const ref = this.symbols.find(name)
    if (ref === undefined || ref.activation !== this.symbols.activation) {
      throw new TypeError(`the compiler has no slot for ${name}`)
    }
    return ref.slot
  }

  /** Throws TemplateAssertionError. */
  fail(message: string, line: number): never {
    throw new TemplateAssertionError(message, line, this.unit.name)
  }

  /** What templates included from here may see of the local variables. */
  localsReader(): (frame: Frame) => Map<string, Value> {
    const readers: [string, (frame: Frame) => Value | undefined][] = []
    for (const [name, ref] of this.symbols.visibleStores()) {
      readers.push([name, readRef(ref, this.symbols.activation)])
    }
    return frame => {
      const locals = new Map<string, Value>()
      for (const [name, read] of readers) {
        const value = read(frame)
        if (value !== undefined) locals.set(name, value)
      }
      return locals
    }
  }
}

/** What a scope is made with; see the fields of `Scope`. */
export interface ScopeOptions {
  readonly toplevel?: boolean
  readonly rootlevel?: boolean
  readonly soft?: boolean
  readonly outputCheck?: boolean
  readonly autoescape: boolean | undefined
  readonly constantEscape?: boolean
  readonly inLoop?: boolean
  readonly tracked?: Set<string> | undefined
}

/** Adds to an error where it happened; JavaScript's own limits become budget errors. */
export function locate(thrown: unknown, unit: Unit, line: number): unknown {
  const error = asJinjaError(thrown)
  if (!(error instanceof JinjaError)) return error
  if (error.line === undefined) {
    error.line = line
    error.templateName = unit.name
    error.sourceLine = unit.source.split(/\r\n|\r|\n/)[line - 1]
    return error
  }
  const last = error.includeChain.at(-1)
  const from = last === undefined ? error.templateName : last.template
  if (from !== unit.name && error.includeChain.length < 50) error.includeChain.push({ template: unit.name, line })
  return error
}

/** JavaScript's stack overflow and oversized strings as the budget errors they stand for. */
export function asJinjaError(thrown: unknown): unknown {
  if (!(thrown instanceof RangeError)) return thrown
  const deep = thrown.message.includes('call stack')
  return new BudgetError(deep ? 'depth' : 'valueBytes', deep ? 1000 : 2 ** 29)
}
