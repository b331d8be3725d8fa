import type { ContextView, Kwargs, UndefinedKind, Value } from './values.ts'

/** Limits of one render, or of compiling one template. Passing one is a BudgetError, before the memory is taken. */
export interface Budget {
  /**
   * Statements, loop turns, calls and elements touched by filters; large strings count by their size. Compiling has as
   * many, mostly for tokens; a render is also charged once for each template that it loads.
   */
  steps: number
  /** UTF-8 bytes of what the render returns. */
  outputBytes: number
  /** Nesting of macros, recursive loops, includes, blocks and values. */
  depth: number
  /** Bytes of one string or list that the template makes. */
  valueBytes: number
  /** UTF-8 bytes of one template's source; only the environment's counts. */
  sourceBytes: number
}

/** What a render gets when the caller sets nothing: about a second of work. */
export const defaultBudget: Readonly<Budget> = {
  steps: 10_000_000,
  outputBytes: 64 * 1024 * 1024,
  depth: 200,
  valueBytes: 16 * 1024 * 1024,
  sourceBytes: 16 * 1024 * 1024,
}

/** A filter of the host: gets the filtered value, then what stands in the parentheses. */
export type HostFilter = (context: ContextView, value: Value, args: Value[], kwargs: Kwargs) => Value

/** A test of the host. */
export type HostTest = (context: ContextView, value: Value, args: Value[], kwargs: Kwargs) => boolean

/** Source of a template and the name it is then known by. */
export interface LoadedSource {
  source: string
  name: string
}

/**
 * Finds a template for `{% include %}` and its kin. `parent` is the name of the asking template, null for
 * `getTemplate` from the host. Undefined when there is none.
 */
export type Loader = (name: string, parent: string | null) => LoadedSource | undefined

/** Jinja2's extensions by short name; Python's names (`jinja2.ext.do`) are understood too. */
export type ExtensionName = 'do' | 'loopcontrols' | 'i18n' | 'debug' | 'autoescape' | 'with'

/** The functions behind `{% trans %}`; without them `gettext` and its kin are undefined, as in Jinja2. */
export interface Translations {
  gettext(message: string): string
  ngettext(singular: string, plural: string, count: Value): string
  pgettext?(context: string, message: string): string
  npgettext?(context: string, singular: string, plural: string, count: Value): string
}

/** How an environment reads and runs templates; names and defaults are Jinja2's. */
export interface EnvironmentOptions {
  blockStart?: string
  blockEnd?: string
  variableStart?: string
  variableEnd?: string
  commentStart?: string
  commentEnd?: string
  lineStatementPrefix?: string | undefined
  lineCommentPrefix?: string | undefined
  trimBlocks?: boolean
  lstripBlocks?: boolean
  keepTrailingNewline?: boolean
  newlineSequence?: '\n' | '\r\n' | '\r'
  /** A fixed choice, or one by template name. */
  autoescape?: boolean | ((templateName: string | undefined) => boolean)
  undefined?: UndefinedKind
  extensions?: readonly (ExtensionName | `jinja2.ext.${string}`)[]
  /** Added to the built-in ones; the same name replaces. */
  filters?: ReadonlyMap<string, HostFilter>
  tests?: ReadonlyMap<string, HostTest>
  /** Template values (see `fromHost`, `HostFunction`). */
  globals?: ReadonlyMap<string, Value>
  loader?: Loader
  translations?: Translations
  /** `install_gettext_callables(newstyle=True)`: trans fills its variables in by `%` after translating, and escapes. */
  newstyleGettext?: boolean
  /** The `policies` of Jinja2 that a template can notice. */
  policies?: Partial<Policies>
  budget?: Partial<Budget>
  /** Maps every printed expression before it becomes text, as Jinja2's `finalize` does. */
  finalize?: (value: Value, context: ContextView) => Value
  /** Refuse the methods that change lists and dicts, as `ImmutableSandboxedEnvironment` does. Default false. */
  immutable?: boolean
  /** Longest `range()`; a longer one is an OverflowError, as in `SandboxedEnvironment` (there 100000). Default none. */
  maxRange?: number
  /** A number from 0 up to 1 for `random` and `lipsum`; default `Math.random`. */
  random?: () => number
}

/** Jinja2's policies, by their dotted names in camel case. */
export interface Policies {
  urlizeRel: string | null
  urlizeTarget: string | null
  urlizeExtraSchemes: readonly string[]
  truncateLeeway: number
  jsonSortKeys: boolean
  i18nTrimmed: boolean
}

/** What a render is stopped by; an `AbortSignal` is one, and so is a flag in shared memory. */
export interface StopSignal {
  readonly aborted: boolean
  readonly reason?: unknown
}

/** Choices for one render. */
export interface RenderOptions {
  /** Looked at every 1024 steps. Rendering is synchronous, so only what changes meanwhile can stop it. */
  signal?: StopSignal | undefined
  /** Overrides the environment's budget for this render. */
  budget?: Partial<Budget> | undefined
}

/** Variables of a render: JSON-like host data or template values. */
export type RenderContext = Readonly<Record<string, unknown>> | ReadonlyMap<string, unknown>
