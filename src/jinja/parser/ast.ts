import type { Value } from '../values.ts'

/** Operators of two operands that always evaluate both. */
export type BinaryOperator = '+' | '-' | '*' | '/' | '//' | '%' | '**'

/** Operators of comparison chains. */
export type CompareOperator = 'eq' | 'ne' | 'lt' | 'lteq' | 'gt' | 'gteq' | 'in' | 'notin'

/** Arguments of a call, filter or test. */
export interface Arguments {
  readonly args: readonly Expr[]
  readonly kwargs: readonly (readonly [string, Expr])[]
  /** `*expr` */
  readonly dynArgs: Expr | null
  /** `**expr` */
  readonly dynKwargs: Expr | null
}

/** A variable's name, read or assigned. */
export interface NameNode {
  readonly kind: 'name'
  readonly name: string
  readonly line: number
}

/** `namespace.attribute` as the target of an assignment. */
export interface NamespaceRef {
  readonly kind: 'nsref'
  readonly name: string
  readonly attribute: string
  readonly line: number
}

/** What may stand left of `=` or between `for` and `in`. */
export type Target =
  | NameNode
  | NamespaceRef
  | { readonly kind: 'targets'; readonly items: readonly Target[]; readonly line: number }

/** A filter's application; without `node` it filters the block it heads. */
export interface FilterNode {
  readonly kind: 'filter'
  readonly node: Expr | null
  readonly name: string
  readonly arguments: Arguments
  readonly line: number
}

/** A call. */
export interface CallNode {
  readonly kind: 'call'
  readonly node: Expr
  readonly arguments: Arguments
  readonly line: number
}

/** `start:stop:step` inside brackets. */
export interface SliceNode {
  readonly kind: 'slice'
  readonly start: Expr | null
  readonly stop: Expr | null
  readonly step: Expr | null
  readonly line: number
}

type Positioned<T> = T & { readonly line: number }

/** Expressions. */
export type Expr =
  | NameNode
  | FilterNode
  | CallNode
  | SliceNode
  | Positioned<
      | { readonly kind: 'const'; readonly value: Value }
      | { readonly kind: 'tuple'; readonly items: readonly Expr[] }
      | { readonly kind: 'list'; readonly items: readonly Expr[] }
      | { readonly kind: 'dict'; readonly pairs: readonly (readonly [Expr, Expr])[] }
      | { readonly kind: 'cond'; readonly test: Expr; readonly yes: Expr; readonly otherwise: Expr | null }
      | { readonly kind: 'binary'; readonly operator: BinaryOperator; readonly left: Expr; readonly right: Expr }
      | { readonly kind: 'and'; readonly left: Expr; readonly right: Expr }
      | { readonly kind: 'or'; readonly left: Expr; readonly right: Expr }
      | { readonly kind: 'not'; readonly node: Expr }
      | { readonly kind: 'unary'; readonly operator: '-' | '+'; readonly node: Expr }
      | { readonly kind: 'concat'; readonly nodes: readonly Expr[] }
      | {
          readonly kind: 'compare'
          readonly first: Expr
          readonly rest: readonly (readonly [CompareOperator, Expr])[]
        }
      | { readonly kind: 'getattr'; readonly node: Expr; readonly attribute: string }
      | { readonly kind: 'getitem'; readonly node: Expr; readonly argument: Expr }
      | { readonly kind: 'test'; readonly node: Expr; readonly name: string; readonly arguments: Arguments }
      | {
          /** A message of `{% trans %}`: marked safe under autoescape, then filled in. */
          readonly kind: 'message'
          readonly call: CallNode
          readonly variables: readonly (readonly [string, Expr])[]
          readonly fill: boolean
        }
    >

/** Parameters and body of a macro or call block. */
export interface MacroBody {
  readonly params: readonly string[]
  /** Defaults of the last parameters. */
  readonly defaults: readonly Expr[]
  readonly body: readonly Stmt[]
  readonly line: number
}

/** A for loop. */
export interface ForNode {
  readonly kind: 'for'
  readonly target: Target
  readonly iter: Expr
  readonly test: Expr | null
  readonly recursive: boolean
  readonly body: readonly Stmt[]
  readonly otherwise: readonly Stmt[]
  readonly line: number
}

/** A block that child templates can override. */
export interface BlockNode {
  readonly kind: 'block'
  readonly name: string
  readonly scoped: boolean
  readonly required: boolean
  readonly body: readonly Stmt[]
  readonly line: number
}

/** `{% if %}` with its `elif` and `else` parts. */
export interface IfNode {
  readonly kind: 'if'
  readonly branches: readonly { readonly test: Expr; readonly body: readonly Stmt[] }[]
  readonly otherwise: readonly Stmt[]
  readonly line: number
}

/** Statements. */
export type Stmt =
  | ForNode
  | IfNode
  | BlockNode
  | Positioned<
      | { readonly kind: 'data'; readonly text: string }
      | { readonly kind: 'output'; readonly node: Expr }
      | { readonly kind: 'macro'; readonly name: string; readonly macro: MacroBody }
      | { readonly kind: 'callblock'; readonly call: CallNode; readonly macro: MacroBody }
      | { readonly kind: 'filterblock'; readonly filter: FilterNode; readonly body: readonly Stmt[] }
      | {
          readonly kind: 'with'
          readonly targets: readonly Target[]
          readonly values: readonly Expr[]
          readonly body: readonly Stmt[]
        }
      | { readonly kind: 'extends'; readonly template: Expr }
      | {
          readonly kind: 'include'
          readonly template: Expr
          readonly withContext: boolean
          readonly ignoreMissing: boolean
        }
      | { readonly kind: 'import'; readonly template: Expr; readonly target: string; readonly withContext: boolean }
      | {
          readonly kind: 'fromimport'
          readonly template: Expr
          readonly names: readonly (readonly [name: string, alias: string])[]
          readonly withContext: boolean
        }
      | { readonly kind: 'assign'; readonly target: Target; readonly value: Expr }
      | {
          readonly kind: 'assignblock'
          readonly target: Target
          readonly filter: FilterNode | null
          readonly body: readonly Stmt[]
        }
      | { readonly kind: 'do'; readonly node: Expr }
      | { readonly kind: 'autoescape'; readonly value: Expr; readonly body: readonly Stmt[] }
      | { readonly kind: 'debug' }
      | { readonly kind: 'break' }
      | { readonly kind: 'continue' }
    >
