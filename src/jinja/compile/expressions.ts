import { PythonError, TemplateRuntimeError } from '../errors.ts'
import type { Expr, FilterNode } from '../parser/ast.ts'
import { getAttribute, getItem } from '../python/access.ts'
import { binary, unary } from '../python/arith.ts'
import { str } from '../python/display.ts'
import { escapeValue } from '../python/escape.ts'
import { quote } from '../python/quote.ts'
import { slice } from '../python/slice.ts'
import { truth } from '../python/truth.ts'
import { refuseStrict } from '../python/undefined.ts'
import type { Context } from '../runtime/context.ts'
import type { Eval } from '../runtime/frame.ts'
import { Markup, PyDict, PyTuple, Undefined, type Value } from '../values.ts'
import { isConstant } from './analyze.ts'
import { compileArguments } from './arguments.ts'
import { compileBinary } from './arithmetic.ts'
import { compileCall } from './calls.ts'
import { compileCompare } from './comparisons.ts'
import type { Scope } from './scope.ts'

/** Compiles an expression. Throws TemplateAssertionError for filters and tests that do not exist. */
export function compileExpr(node: Expr, scope: Scope): Eval {
  const compile = (child: Expr) => compileExpr(child, scope)
  switch (node.kind) {
    case 'const': {
      const { value } = node
      return () => value
    }
    case 'name':
      return compileName(node.name, scope)
    case 'getattr':
      return compileGetattr(compile(node.node), node.attribute)
    case 'getitem':
      return compileGetitem(node.node, node.argument, compile)
    case 'call':
      return compileCall(node, scope, compile)
    case 'filter':
      return compileFilter(node, scope, compile)
    case 'test':
      return compileTest(node, scope, compile)
    case 'cond':
      return compileCondition(node, scope)
    case 'compare':
      return compileCompare(node, compile)
    case 'binary':
      return compileBinary(node, compile)
    case 'concat':
      return compileConcat(node.nodes.map(compile), isConstant(node) ? false : scope.autoescape)
    default:
      return compileSimple(node, scope, compile)
  }
}

type Compile = (node: Expr) => Eval

function compileSimple(node: Expr, scope: Scope, compile: Compile): Eval {
  switch (node.kind) {
    case 'and': {
      const [left, right] = [compile(node.left), compile(node.right)]
      return frame => {
        const value = left(frame)
        return truth(value) ? right(frame) : value
      }
    }
    case 'or': {
      const [left, right] = [compile(node.left), compile(node.right)]
      return frame => {
        const value = left(frame)
        return truth(value) ? value : right(frame)
      }
    }
    case 'not': {
      const inner = compile(node.node)
      return frame => !truth(inner(frame))
    }
    case 'unary': {
      const inner = compile(node.node)
      return frame => unary(frame.context, node.operator, inner(frame))
    }
    case 'tuple': {
      const items = node.items.map(compile)
      return frame => new PyTuple(items.map(item => item(frame)))
    }
    case 'list': {
      const items = node.items.map(compile)
      return frame => {
        const list: Value[] = []
        for (const item of items) list.push(item(frame))
        return list
      }
    }
    case 'dict': {
      const pairs = node.pairs.map(([key, value]) => [compile(key), compile(value)] as const)
      return frame => {
        const dict = new PyDict()
        for (const [key, value] of pairs) {
          const at = key(frame)
          refuseStrict(at)
          dict.set(at, value(frame))
        }
        return dict
      }
    }
    case 'message':
      return compileMessage(node, scope, compile)
    default:
      return scope.fail(`a ${node.kind} cannot stand here`, node.line)
  }
}

function compileName(name: string, scope: Scope): Eval {
  const ref = scope.symbols.find(name)
  if (ref !== undefined && ref.activation === scope.symbols.activation) {
    const { slot } = ref
    return frame => frame.slots[slot] ?? missing(frame.context, name, frame.slots[slot])
  }
  const read = scope.reader(name)
  return frame => {
    const value = read(frame)
    return value === undefined ? frame.context.undefinedName(name) : value
  }
}

/** `??` treats None like an empty slot; this tells the two apart. */
function missing(context: Context, name: string, value: Value | undefined): Value {
  return value === undefined ? context.undefinedName(name) : value
}

function compileGetattr(object: Eval, name: string): Eval {
  return frame => getAttribute(frame.context, object(frame), name)
}

function compileGetitem(node: Expr, argument: Expr, compile: Compile): Eval {
  const object = compile(node)
  if (argument.kind === 'slice') {
    const part = (bound: Expr | null): Eval => (bound === null ? () => null : compile(bound))
    const [start, stop, step] = [part(argument.start), part(argument.stop), part(argument.step)]
    if (isConstant(node) && isConstant(argument)) return constantSlice(object, start, stop, step)
    return frame => slice(frame.context, object(frame), start(frame), stop(frame), step(frame))
  }
  const key = compile(argument)
  return frame => {
    const container = object(frame)
    const at = key(frame)
    if (typeof at === 'number' && Array.isArray(container) && at >= 0 && at < container.length) {
      return container[at] as Value
    }
    return getItem(frame.context, container, at)
  }
}

/** Jinja2 works a slice of constants out when it compiles it, and takes one that fails for a missing item. */
function constantSlice(object: Eval, start: Eval, stop: Eval, step: Eval): Eval {
  return frame => {
    const { context } = frame
    const sliced = object(frame)
    try {
      return slice(context, sliced, start(frame), stop(frame), step(frame))
    } catch (error) {
      const isMissing = error instanceof PythonError && error.pythonType === 'TypeError'
      if (isMissing && context.engine.undefinedKind !== 'strict') return context.undefinedMember(sliced, null)
      throw error
    }
  }
}

/** Compiles a filter before its value, so that of many unknown filters the last is reported. */
function compileFilter(node: FilterNode, scope: Scope, compile: Compile): Eval {
  const apply = compileFilterOf(node, scope)
  const value = node.node === null ? () => scope.fail('a filter needs a value', node.line) : compile(node.node)
  return frame => apply(frame, value(frame))
}

/** A filter as a function of its value. */
export function compileFilterOf(node: FilterNode, scope: Scope): (frame: Parameters<Eval>[0], value: Value) => Value {
  const filter = scope.unit.engine.filters.get(node.name)
  if (filter === undefined && !scope.soft) scope.fail(`No filter named '${node.name}'.`, node.line)
  const args = compileArguments(node.arguments, child => compileExpr(child, scope))
  if (filter === undefined) {
    return () => {
      throw new TemplateRuntimeError(`No filter named '${node.name}' found.`)
    }
  }
  return (frame, value) => {
    const { context } = frame
    context.state.step(1)
    const positional = args.positional(frame)
    return filter(context, value, positional, args.keywords(frame))
  }
}

/** Filters of a block, `{% filter a|b %}`: the innermost gets the block's text. */
export function compileFilterChain(
  node: FilterNode,
  scope: Scope,
): (frame: Parameters<Eval>[0], value: Value) => Value {
  const apply = compileFilterOf(node, scope)
  if (node.node === null) return apply
  if (node.node.kind !== 'filter') return scope.fail('a filter needs a value', node.line)
  const inner = compileFilterChain(node.node, scope)
  return (frame, value) => apply(frame, inner(frame, value))
}

function compileTest(node: Expr & { kind: 'test' }, scope: Scope, compile: Compile): Eval {
  const { name } = node
  const test = scope.unit.engine.tests.get(name)
  if (test === undefined && !scope.soft) scope.fail(`No test named '${name}'.`, node.line)
  const value = compile(node.node)
  const args = compileArguments(node.arguments, compile)
  if (test === undefined) {
    return () => {
      throw new TemplateRuntimeError(`No test named '${name}' found.`)
    }
  }
  return frame => {
    const tested = value(frame)
    return test(frame.context, tested, args.positional(frame), args.keywords(frame))
  }
}

function compileCondition(node: Expr & { kind: 'cond' }, outer: Scope): Eval {
  const scope = outer.softened()
  const test = compileExpr(node.test, scope)
  const yes = compileExpr(node.yes, scope)
  const otherwise = node.otherwise === null ? undefined : compileExpr(node.otherwise, scope)
  if (otherwise !== undefined) return frame => (truth(test(frame)) ? yes(frame) : otherwise(frame))
  const { name } = outer.unit
  const place = `line ${node.line}${name === undefined ? '' : ` in ${quote(name)}`}`
  const hint = `the inline if-expression on ${place} evaluated to false and no else section was defined.`
  // Jinja2 makes this one of the default kind, whatever kind the environment has.
  const absent = new Undefined('default', null, undefined, hint)
  return frame => (truth(test(frame)) ? yes(frame) : absent)
}

/** `a ~ b`: text, or markup when output is escaped. */
function compileConcat(parts: readonly Eval[], autoescape: boolean | undefined): Eval {
  if (autoescape === false) {
    return frame => {
      const { context } = frame
      const values: Value[] = []
      for (const part of parts) values.push(part(frame))
      let text = ''
      for (const value of values) text += typeof value === 'string' ? value : str(context, value)
      context.state.allocate(text.length)
      return text
    }
  }
  return frame => {
    const { context } = frame
    const values = parts.map(part => part(frame))
    const isMarkup = (autoescape ?? context.autoescape) && values.some(value => value instanceof Markup)
    let text = ''
    for (const value of values) text += isMarkup ? escapeValue(context, value) : str(context, value)
    context.allocate(text.length)
    return isMarkup ? new Markup(text) : text
  }
}

/** A `{% trans %}` message: marked safe under autoescape, then filled in by `%`. */
function compileMessage(node: Expr & { kind: 'message' }, scope: Scope, compile: Compile): Eval {
  const message = compile(node.call)
  const variables = node.variables.map(([name, value]) => [name, compile(value)] as const)
  return frame => {
    const { context } = frame
    let text = message(frame)
    if (scope.autoescape ?? context.autoescape) text = new Markup(str(context, text))
    if (!node.fill) return text
    return binary(context, '%', text, PyDict.of(variables.map(([name, value]) => [name, value(frame)] as const)))
  }
}
