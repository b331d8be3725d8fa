import type { ForNode, Target } from '../parser/ast.ts'
import { iterate } from '../python/iterate.ts'
import { PyRange } from '../python/range.ts'
import { truth } from '../python/truth.ts'
import { broke, type Exec, type Frame, Frame as FrameClass, normal } from '../runtime/frame.ts'
import { LoopContext } from '../runtime/loop.ts'
import type { Value } from '../values.ts'
import { analyzeBody, analyzeExpr, analyzeTarget } from './analyze.ts'
import { type Assign, compileTarget } from './assign.ts'
import { compileExpr } from './expressions.ts'
import type { Scope } from './scope.ts'
import { findUsed, hasScopedBlock } from './usage.ts'

interface LoopParts {
  readonly assign: Assign
  readonly entry: ((frame: Frame) => void) | undefined
  readonly body: Exec
  readonly otherwise: Exec
  readonly filter: ((frame: Frame, items: Iterable<Value>) => Iterable<Value>) | undefined
  /** Slot of `loop`, if the body needs it. */
  readonly loopSlot: number | undefined
}

/** `{% for %}` in all its forms. */
export function compileFor(node: ForNode, scope: Scope): Exec {
  if (namesIn(node.target).includes('loop'))
    scope.fail("Can't assign to special loop variable in for-loop target", node.line)
  const iter = compileExpr(node.iter, scope)
  if (node.recursive) {
    // A recursive loop runs as a function of its own; calling `loop` runs it again.
    const outer = scope.innerActivation({ outputCheck: scope.outputCheck })
    const parts = compileParts(node, outer)
    return frame => runRecursive(frame, parts, iter(frame), 0)
  }
  const parts = compileParts(node, scope)
  if (parts.loopSlot !== undefined) {
    return frame => runLoop(frame, parts, filtered(parts, frame, iter(frame)), 0, undefined)
  }
  return frame => runPlain(frame, parts, filtered(parts, frame, iter(frame)))
}

function namesIn(target: Target): string[] {
  if (target.kind === 'targets') return target.items.flatMap(namesIn)
  return [target.name]
}

function compileParts(node: ForNode, scope: Scope): LoopParts {
  const extended =
    node.recursive || findUsed(node.body, ['loop'], scope.unit.meter).size > 0 || hasScopedBlock(node.body)
  const inner = scope.inner({ inLoop: true, tracked: new Set() })
  const loopSlot = extended ? inner.symbols.parameter('loop').slot : undefined
  analyzeTarget(inner.symbols, node.target, true)
  analyzeBody(inner.symbols, node.body)
  const filter = node.test === null ? undefined : compileTest(node, scope)
  const other = scope.inner()
  analyzeBody(other.symbols, node.otherwise)
  const otherEntry = other.symbols.entry()
  const otherBody = scope.unit.body(node.otherwise, other)
  return {
    loopSlot,
    filter,
    entry: inner.symbols.entry(),
    assign: compileTarget(node.target, inner),
    body: scope.unit.body(node.body, inner),
    otherwise: frame => {
      otherEntry?.(frame)
      return otherBody(frame)
    },
  }
}

/** The loop's `if`: its own scope, in which the loop's variables are already set. */
function compileTest(node: ForNode, scope: Scope): LoopParts['filter'] {
  const test = node.test ?? node.iter
  const inner = scope.inner()
  analyzeTarget(inner.symbols, node.target, true)
  analyzeExpr(inner.symbols, test)
  const entry = inner.symbols.entry()
  const assign = compileTarget(node.target, inner)
  const holds = compileExpr(test, inner)
  return function* (frame, items) {
    entry?.(frame)
    for (const item of items) {
      frame.context.state.step(1)
      assign(frame, item)
      if (truth(holds(frame))) yield item
    }
  }
}

function filtered(parts: LoopParts, frame: Frame, value: Value): Value | Iterable<Value> {
  return parts.filter === undefined ? value : parts.filter(frame, iterate(value))
}

function isIterableObject(value: Value | Iterable<Value>): value is Iterable<Value> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && Symbol.iterator in value
}

/** As in Jinja2, a turn that `break` or `continue` cut short does not keep `else` from running. */
function runPlain(frame: Frame, parts: LoopParts, items: Value | Iterable<Value>): number {
  const { assign, entry, body } = parts
  const { state } = frame.context
  let any = false
  const turn = (item: Value): boolean => {
    state.step(1)
    assign(frame, item)
    entry?.(frame)
    const ended = body(frame)
    if (ended === normal) any = true
    return ended !== broke
  }
  if (Array.isArray(items)) {
    // The list may grow or shrink meanwhile, as in Python.
    for (let at = 0; at < items.length; at++) if (!turn(items[at] as Value)) break
  } else if (items instanceof PyRange) {
    for (let at = 0; at < items.length; at++) if (!turn(items.at(at))) break
  } else {
    for (const item of isIterableObject(items) ? items : iterate(items)) if (!turn(item)) break
  }
  return any ? normal : parts.otherwise(frame)
}

function runLoop(
  frame: Frame,
  parts: LoopParts,
  items: Value | Iterable<Value>,
  depth: number,
  recurse: ((items: Value, depth: number) => string) | undefined,
): number {
  const { assign, entry, body, loopSlot } = parts
  const { context } = frame
  const loop = new LoopContext(context, items, depth, recurse)
  let any = false
  while (loop.advance()) {
    context.state.step(1)
    assign(frame, loop.current)
    if (loopSlot !== undefined) frame.slots[loopSlot] = loop
    entry?.(frame)
    const ended = body(frame)
    if (ended === broke) break
    if (ended === normal) any = true
  }
  return any ? normal : parts.otherwise(frame)
}

function runRecursive(outer: Frame, parts: LoopParts, items: Value, depth: number): number {
  const { state } = outer.context
  const frame = new FrameClass(outer.context, outer)
  state.enter()
  const recurse = (inner: Value, innerDepth: number) =>
    state.capture(() => void runRecursive(outer, parts, inner, innerDepth))
  const ended = runLoop(frame, parts, filtered(parts, frame, items), depth, recurse)
  state.leave()
  return ended
}
