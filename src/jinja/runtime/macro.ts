import { typeError } from '../errors.ts'
import { quote } from '../python/quote.ts'
import { type ContextView, type Kwargs, Markup, PyCallable, PyDict, PyTuple, type Value } from '../values.ts'
import type { Context } from './context.ts'

/** A macro's parameters and what else it takes. */
export interface MacroSignature {
  readonly name: string | undefined
  readonly params: readonly string[]
  readonly catchKwargs: boolean
  readonly catchVarargs: boolean
  /** The body uses `caller` without declaring it as a parameter. */
  readonly usesCaller: boolean
  /** `caller` is one of the parameters. */
  readonly explicitCaller: boolean
}

/** The values a macro's body starts with; an absent parameter is undefined. */
export interface MacroInput {
  readonly args: readonly (Value | undefined)[]
  readonly caller: Value | undefined
  readonly kwargs: PyDict | undefined
  readonly varargs: PyTuple | undefined
}

/** A macro, or the body of a call block, as a callable value. */
export class Macro extends PyCallable {
  private readonly signature: MacroSignature
  private readonly home: Context
  private readonly run: (input: MacroInput) => string

  constructor(signature: MacroSignature, home: Context, run: (input: MacroInput) => string) {
    super()
    this.signature = signature
    this.home = home
    this.run = run
  }

  get typeName(): string {
    return 'Macro'
  }

  override attribute(name: string): Value | undefined {
    const { signature } = this
    switch (name) {
      case 'name':
        return signature.name ?? null
      case 'arguments':
        return new PyTuple(signature.params)
      case 'catch_kwargs':
        return signature.catchKwargs
      case 'catch_varargs':
        return signature.catchVarargs
      case 'caller':
        return signature.usesCaller
      case 'explicit_caller':
        return signature.explicitCaller
      default:
        return undefined
    }
  }

  override invoke(context: ContextView, args: Value[], kwargs: Kwargs): Value {
    const { state } = this.home
    state.enter()
    const text = this.run(this.bind(args, new Map(kwargs)))
    state.leave()
    return context.autoescape ? new Markup(text) : text
  }

  private bind(args: readonly Value[], kwargs: Map<string, Value>): MacroInput {
    const { signature } = this
    const { params } = signature
    const bound: (Value | undefined)[] = args.slice(0, params.length)
    let foundCaller = bound.length === params.length && signature.explicitCaller
    for (const name of params.slice(bound.length)) {
      if (name === 'caller') foundCaller = true
      bound.push(kwargs.get(name))
      kwargs.delete(name)
    }
    let caller: Value | undefined
    if (signature.usesCaller && !foundCaller) {
      caller = kwargs.get('caller') ?? this.home.undefinedHint('No caller defined', 'caller')
      kwargs.delete('caller')
    }
    if (!signature.catchKwargs) this.refuseKwargs(kwargs)
    if (!signature.catchVarargs && args.length > params.length) {
      throw typeError(`macro ${this.shown()} takes not more than ${params.length} argument(s)`)
    }
    return {
      args: bound,
      caller,
      kwargs: signature.catchKwargs ? PyDict.of(kwargs) : undefined,
      varargs: signature.catchVarargs ? new PyTuple(args.slice(params.length)) : undefined,
    }
  }

  private refuseKwargs(kwargs: ReadonlyMap<string, Value>): void {
    const [first] = kwargs.keys()
    if (first === undefined) return
    if (kwargs.has('caller')) {
      throw typeError(
        `macro ${this.shown()} was invoked with two values for the special caller argument. This is most likely a bug.`,
      )
    }
    throw typeError(`macro ${this.shown()} takes no keyword argument ${quote(first)}`)
  }

  private shown(): string {
    return this.signature.name === undefined ? 'None' : quote(this.signature.name)
  }

  override display(): string {
    return `<Macro ${this.signature.name === undefined ? 'anonymous' : quote(this.signature.name)}>`
  }
}
