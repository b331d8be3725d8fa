import { SecurityError, UndefinedError } from '../errors.ts'
import type { Policies } from '../options.ts'
import { type ContextView, Undefined, type UndefinedKind, type Value } from '../values.ts'
import { type Layer, MapLayer } from './layers.ts'
import type { RenderState } from './state.ts'

/** A filter as the compiled template calls it. */
export type FilterFunction = (
  context: Context,
  value: Value,
  args: Value[],
  kwargs: ReadonlyMap<string, Value>,
) => Value
/** A test as the compiled template calls it. */
export type TestFunction = (
  context: Context,
  value: Value,
  args: Value[],
  kwargs: ReadonlyMap<string, Value>,
) => boolean

/** How templates reach into values; here so that the methods of str can use it without importing it. */
export interface Access {
  getAttribute(context: Context, object: Value, name: string): Value
  getItem(context: Context, object: Value, key: Value): Value
}

/** What running templates need of their environment. */
export interface Engine {
  readonly undefinedKind: UndefinedKind
  readonly filters: ReadonlyMap<string, FilterFunction>
  readonly tests: ReadonlyMap<string, TestFunction>
  readonly globalLayer: Layer
  readonly policies: Policies
  readonly newlineSequence: string
  readonly access: Access
  readonly finalize: ((value: Value, context: ContextView) => Value) | undefined
  readonly immutable: boolean
  readonly maxRange: number
  random(): number
  /** Throws TemplateNotFound. */
  loadTemplate(names: readonly string[], parent: string | null): TemplateCode
  /** Throws TemplateSyntaxError. */
  compileSource(source: string): TemplateCode
}

/** A block's code, as compiled in the template that holds it. */
export interface BlockCode {
  readonly name: string
  run(context: Context): void
}

/** A compiled template as other templates use it. */
export interface TemplateCode {
  readonly name: string | undefined
  readonly autoescape: boolean
  /** Steps that compiling it took. */
  readonly cost: number
  readonly blocks: ReadonlyMap<string, BlockCode>
  /** Writes the whole template. */
  run(context: Context): void
}

/** The variables and state of one running template; Jinja2's `Context`. */
export class Context implements ContextView {
  readonly engine: Engine
  readonly state: RenderState
  readonly templateName: string | undefined
  readonly layer: Layer
  /** Top-level assignments. */
  readonly vars = new Map<string, Value>()
  /** The names among them that importers see. */
  readonly exported = new Set<string>()
  /** Block overrides, most derived first. */
  readonly blocks: Map<string, BlockCode[]>
  /** Whether output is escaped, as `{% autoescape %}` last said. */
  autoescape: boolean
  /** The template that `{% extends %}` named, until it runs. */
  parentTemplate: TemplateCode | undefined

  constructor(
    engine: Engine,
    state: RenderState,
    template: { name: string | undefined; autoescape: boolean },
    layer: Layer,
    blocks: Map<string, BlockCode[]>,
  ) {
    this.engine = engine
    this.state = state
    this.templateName = template.name
    this.autoescape = template.autoescape
    this.layer = layer
    this.blocks = blocks
  }

  /** A context for another template, with its own blocks. */
  static forTemplate(template: TemplateCode, engine: Engine, state: RenderState, layer: Layer): Context {
    const blocks = new Map<string, BlockCode[]>()
    for (const [name, block] of template.blocks) blocks.set(name, [block])
    return new Context(engine, state, template, layer, blocks)
  }

  /** The same template's context with more variables on top. */
  derived(locals: ReadonlyMap<string, Value>): Context {
    const template = { name: this.templateName, autoescape: this.autoescape }
    return new Context(this.engine, this.state, template, this.snapshot(locals), this.blocks)
  }

  /** All that this context knows now, with more on top; later assignments here do not show in it. */
  snapshot(locals?: ReadonlyMap<string, Value>): Layer {
    let layer = this.vars.size === 0 ? this.layer : new MapLayer(new Map(this.vars), this.layer)
    if (locals !== undefined && locals.size > 0) layer = new MapLayer(locals, layer)
    return layer
  }

  lookup(name: string): Value | undefined {
    const own = this.vars.get(name)
    return own === undefined ? this.layer.get(name) : own
  }

  getAll(): Map<string, Value> {
    const all = new Map<string, Value>()
    this.snapshot().addTo(all)
    return all
  }

  step(count: number): void {
    this.state.step(count)
  }

  allocate(bytes: number): void {
    this.state.allocate(bytes)
  }

  renderNamed(name: string, variables: ReadonlyMap<string, Value>): string {
    return this.renderOther(this.engine.loadTemplate([name], this.templateName ?? null), variables)
  }

  renderSource(source: string, variables: ReadonlyMap<string, Value>): string {
    return this.renderOther(this.engine.compileSource(source), variables)
  }

  private renderOther(template: TemplateCode, variables: ReadonlyMap<string, Value>): string {
    const { engine, state } = this
    state.charge(template)
    const context = Context.forTemplate(template, engine, state, new MapLayer(variables, engine.globalLayer))
    state.enter()
    const text = state.capture(() => template.run(context))
    state.leave()
    return text
  }

  /** The undefined value for a variable that does not exist. */
  undefinedName(name: string): Undefined {
    return new Undefined(this.engine.undefinedKind, name)
  }

  /** An undefined value with a message of its own. */
  undefinedHint(hint: string, name: Value = null): Undefined {
    return new Undefined(this.engine.undefinedKind, name, undefined, hint)
  }

  /** The undefined value for an attribute or item that does not exist. */
  undefinedMember(object: Value, key: Value): Undefined {
    return new Undefined(this.engine.undefinedKind, key, object)
  }
}

/** Throws what using an undefined value is in Jinja2: UndefinedError, or SecurityError when it was refused. */
export function failUndefined(value: Undefined, message: string): never {
  throw value.unsafe ? new SecurityError(message) : new UndefinedError(message)
}
