import { analyzeExpr } from './compile/analyze.ts'
import { compileExpr } from './compile/expressions.ts'
import { asJinjaError, locate, Scope, type Unit } from './compile/scope.ts'
import { Activation, Symbols } from './compile/symbols.ts'
import { compileTemplate } from './compile/template.ts'
import { BudgetError, TemplateNotFound, TemplateSyntaxError, typeError } from './errors.ts'
import { builtinFilters } from './filters/index.ts'
import { lexerConfig } from './lexer/patterns.ts'
import { Meter } from './meter.ts'
import {
  type Budget,
  defaultBudget,
  type EnvironmentOptions,
  type Policies,
  type RenderContext,
  type RenderOptions,
} from './options.ts'
import { parseLoneExpression, parseTemplate, type Syntax } from './parser/parse.ts'
import { getAttribute, getItem } from './python/access.ts'
import {
  type Access,
  Context,
  type Engine,
  type FilterFunction,
  type TemplateCode,
  type TestFunction,
} from './runtime/context.ts'
import { Frame } from './runtime/frame.ts'
import { gettextGlobals } from './runtime/gettext.ts'
import { builtinGlobals } from './runtime/globals.ts'
import { HostLayer, type Layer, MapLayer } from './runtime/layers.ts'
import { RenderState } from './runtime/state.ts'
import { builtinTests } from './tests/index.ts'
import { Undefined, type UndefinedKind, type Value } from './values.ts'

const defaultPolicies: Policies = {
  urlizeRel: 'noopener',
  urlizeTarget: null,
  urlizeExtraSchemes: [],
  truncateLeeway: 5,
  jsonSortKeys: true,
  i18nTrimmed: false,
}

/** Reads templates and holds what they share: delimiters, filters, tests, globals, loader and limits. */
export class Environment {
  private readonly options: EnvironmentOptions
  private readonly syntax: Syntax
  private readonly engine: Engine
  private readonly cache = new Map<string, Template>()

  constructor(options: EnvironmentOptions = {}) {
    this.options = options
    const extensions = new Set((options.extensions ?? []).map(name => name.replace(/^jinja2\.ext\./, '')))
    const policies = { ...defaultPolicies, ...options.policies }
    this.syntax = {
      lexer: lexerConfig(options),
      extensions,
      trimMessages: policies.i18nTrimmed,
      newstyleGettext: options.newstyleGettext ?? false,
    }
    const globals = new Map<string, Value>(builtinGlobals)
    if (extensions.has('i18n')) for (const [name, value] of gettextGlobals(options)) globals.set(name, value)
    for (const [name, value] of options.globals ?? []) globals.set(name, value)
    this.engine = new EngineParts(options, policies, new MapLayer(globals), {
      load: (names, parent) => this.load(names, parent).code,
      compile: source => this.compile(source, undefined),
    })
  }

  /** Compiles a template; it can be rendered many times. Throws TemplateSyntaxError, BudgetError. */
  fromString(source: string, name?: string): Template {
    return new Template(this.compile(source, name), this.engine, this.options)
  }

  /** The template that the loader finds, compiled once per source. Throws TemplateNotFound, TemplateSyntaxError, BudgetError. */
  getTemplate(name: string): Template {
    return this.load([name], null)
  }

  /**
   * Compiles an expression without delimiters. With `undefinedToNone` (the default) an undefined result is None.
   * Throws TemplateSyntaxError.
   */
  compileExpression(
    source: string,
    { undefinedToNone = true } = {},
  ): (context?: RenderContext, options?: RenderOptions) => Value {
    const meter = this.meterFor(source)
    const node = guarded(() => parseLoneExpression(source, this.syntax, meter))
    const symbols = new Symbols(new Activation(undefined, meter), undefined)
    analyzeExpr(symbols, node)
    const unit = expressionUnit(this.engine, source, meter)
    const evaluate = guarded(() => compileExpr(node, new Scope(unit, symbols, { autoescape: false })))
    const entry = symbols.entry()
    return (variables = {}, options = {}) => {
      const state = new RenderState(budgetOf(this.options, options), options.signal)
      const layer = new HostLayer(variables, this.engine.globalLayer)
      const context = new Context(this.engine, state, { name: undefined, autoescape: false }, layer, new Map())
      const frame = new Frame(context, undefined)
      try {
        entry?.(frame)
        const value = evaluate(frame)
        return undefinedToNone && value instanceof Undefined ? null : value
      } catch (error) {
        throw locate(error, unit, 1)
      }
    }
  }

  private compile(source: string, name: string | undefined): TemplateCode {
    const { autoescape = false } = this.options
    const escapes = typeof autoescape === 'function' ? autoescape(name) : autoescape
    const meter = this.meterFor(source)
    try {
      return guarded(() => {
        const nodes = parseTemplate(source, this.syntax, name, meter)
        return compileTemplate(nodes, this.engine, { name, source, autoescape: escapes, meter })
      })
    } catch (error) {
      if (error instanceof TemplateSyntaxError && error.line !== undefined) {
        error.sourceLine ??= source.split(/\r\n|\r|\n/)[error.line - 1]
      }
      throw error
    }
  }

  /** Throws BudgetError when the source is too long. */
  private meterFor(source: string): Meter {
    const { sourceBytes, steps } = budgetOf(this.options, {})
    if (source.length * 3 > sourceBytes && Buffer.byteLength(source) > sourceBytes) {
      throw new BudgetError('sourceBytes', sourceBytes)
    }
    return new Meter(steps)
  }

  private load(names: readonly string[], parent: string | null): Template {
    const { loader } = this.options
    if (loader === undefined) throw typeError('no loader for this environment specified')
    for (const name of names) {
      const found = loader(name, parent)
      if (found !== undefined) return this.cached(found.source, found.name)
    }
    throw new TemplateNotFound(names)
  }

  private cached(source: string, name: string): Template {
    const key = `${name}\0${source}`
    const known = this.cache.get(key)
    if (known !== undefined) return known
    const template = this.fromString(source, name)
    if (this.cache.size >= 400) this.cache.clear()
    this.cache.set(key, template)
    return template
  }
}

function expressionUnit(engine: Engine, source: string, meter: Meter): Unit {
  return {
    engine,
    meter,
    name: undefined,
    source,
    hasExtends: false,
    extendsForSure: false,
    extendsSoFar: 0,
    blocks: new Map(),
    body: () => () => 0,
  }
}

function guarded<T>(part: () => T): T {
  try {
    return part()
  } catch (error) {
    throw asJinjaError(error)
  }
}

function budgetOf(environment: EnvironmentOptions, render: RenderOptions): Budget {
  return { ...defaultBudget, ...environment.budget, ...render.budget }
}

interface TemplateAccess {
  load: Engine['loadTemplate']
  compile: Engine['compileSource']
}

class EngineParts implements Engine {
  readonly undefinedKind: UndefinedKind
  readonly filters: ReadonlyMap<string, FilterFunction>
  readonly tests: ReadonlyMap<string, TestFunction>
  readonly globalLayer: Layer
  readonly policies: Policies
  readonly newlineSequence: string
  readonly access: Access = { getAttribute, getItem }
  readonly finalize: Engine['finalize']
  readonly immutable: boolean
  readonly maxRange: number
  readonly loadTemplate: Engine['loadTemplate']
  readonly compileSource: Engine['compileSource']
  readonly random: () => number

  constructor(options: EnvironmentOptions, policies: Policies, globals: Layer, access: TemplateAccess) {
    this.undefinedKind = options.undefined ?? 'default'
    this.filters = new Map([...builtinFilters, ...(options.filters ?? [])])
    this.tests = new Map([...builtinTests, ...(options.tests ?? [])])
    this.globalLayer = globals
    this.policies = policies
    this.newlineSequence = options.newlineSequence ?? '\n'
    this.loadTemplate = access.load
    this.compileSource = access.compile
    this.random = options.random ?? Math.random
    this.finalize = options.finalize
    this.immutable = options.immutable ?? false
    this.maxRange = options.maxRange ?? Number.POSITIVE_INFINITY
  }
}

/** A compiled template. It holds no state of any render. */
export class Template {
  /** For the environment that made it. */
  readonly code: TemplateCode
  private readonly engine: Engine
  private readonly options: EnvironmentOptions

  constructor(code: TemplateCode, engine: Engine, options: EnvironmentOptions) {
    this.code = code
    this.engine = engine
    this.options = options
  }

  /** The name it was loaded under; undefined for a nameless one. */
  get name(): string | undefined {
    return this.code.name
  }

  /** The template's output. Throws JinjaError: what the template raised, BudgetError, AbortedError. */
  render(variables: RenderContext = {}, options: RenderOptions = {}): string {
    const state = new RenderState(budgetOf(this.options, options), options.signal)
    const layer = new HostLayer(variables, this.engine.globalLayer)
    const context = Context.forTemplate(this.code, this.engine, state, layer)
    return guarded(() => {
      this.code.run(context)
      return state.finish()
    })
  }
}
