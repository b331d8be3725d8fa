import { TemplateAssertionError } from '../errors.ts'
import type { Meter } from '../meter.ts'
import type { BlockNode, Stmt } from '../parser/ast.ts'
import { superOf, TemplateReference } from '../runtime/blocks.ts'
import type { BlockCode, Context, Engine, TemplateCode } from '../runtime/context.ts'
import { Frame } from '../runtime/frame.ts'
import { analyzeBody } from './analyze.ts'
import { compileBody } from './body.ts'
import { Scope, type Unit } from './scope.ts'
import { compileRun, compileStatement } from './statements.ts'
import { Activation, Symbols } from './symbols.ts'
import { findUsed, innerBodies } from './usage.ts'

/** Compiles a parsed template into closures. Throws TemplateAssertionError, BudgetError. */
export function compileTemplate(
  nodes: readonly Stmt[],
  engine: Engine,
  template: { name: string | undefined; source: string; autoescape: boolean; meter: Meter },
): TemplateCode {
  const blocks = new Map<string, BlockCode>()
  const unit: Unit = {
    engine,
    meter: template.meter,
    name: template.name,
    source: template.source,
    hasExtends: anyStatement(nodes, node => node.kind === 'extends'),
    extendsForSure: false,
    extendsSoFar: 0,
    blocks,
    body: (body, scope) => compileBody(body, scope, compileStatement, compileRun),
  }
  const found = findBlocks(nodes, template.name)
  const run = compileRoot(nodes, unit, template.autoescape)
  for (const block of found) blocks.set(block.name, compileBlockCode(block, unit, template.autoescape))
  return { name: template.name, autoescape: template.autoescape, cost: template.meter.used, blocks, run }
}

function anyStatement(nodes: readonly Stmt[], matches: (node: Stmt) => boolean): boolean {
  return nodes.some(node => matches(node) || innerBodies(node).some(body => anyStatement(body, matches)))
}

function findBlocks(nodes: readonly Stmt[], templateName: string | undefined): BlockNode[] {
  const found = new Map<string, BlockNode>()
  const visit = (body: readonly Stmt[]) => {
    for (const node of body) {
      if (node.kind === 'block') {
        if (found.has(node.name)) {
          throw new TemplateAssertionError(`block '${node.name}' defined twice`, node.line, templateName)
        }
        found.set(node.name, node)
      }
      for (const inner of innerBodies(node)) visit(inner)
    }
  }
  visit(nodes)
  return [...found.values()]
}

function compileRoot(nodes: readonly Stmt[], unit: Unit, autoescape: boolean): TemplateCode['run'] {
  const symbols = new Symbols(new Activation(undefined, unit.meter), undefined)
  const options = { toplevel: true, rootlevel: true, outputCheck: unit.hasExtends, autoescape }
  const scope = new Scope(unit, symbols, options)
  const selfSlot = findUsed(nodes, ['self'], unit.meter).has('self') ? symbols.parameter('self').slot : undefined
  symbols.stores.delete('self')
  analyzeBody(symbols, nodes)
  const entry = symbols.entry()
  const body = unit.body(nodes, scope)
  return context => {
    const frame = new Frame(context, undefined)
    if (selfSlot !== undefined) frame.slots[selfSlot] = new TemplateReference(context)
    entry?.(frame)
    context.parentTemplate = undefined
    body(frame)
    const parent = context.parentTemplate as TemplateCode | undefined
    context.parentTemplate = undefined
    if (parent === undefined) return
    context.state.enter()
    parent.run(context)
    context.state.leave()
  }
}

function compileBlockCode(node: BlockNode, unit: Unit, autoescape: boolean): BlockCode {
  const symbols = new Symbols(new Activation(undefined, unit.meter), undefined)
  const used = findUsed(node.body, ['self', 'super'], unit.meter)
  const selfSlot = used.has('self') ? symbols.parameter('self').slot : undefined
  const superSlot = used.has('super') ? symbols.parameter('super').slot : undefined
  analyzeBody(symbols, node.body)
  const entry = symbols.entry()
  const body = unit.body(node.body, new Scope(unit, symbols, { autoescape, tracked: new Set() }))
  const code: BlockCode = {
    name: node.name,
    run: context => {
      const frame = new Frame(context, undefined)
      if (selfSlot !== undefined) frame.slots[selfSlot] = new TemplateReference(context)
      if (superSlot !== undefined) frame.slots[superSlot] = superOf(node.name, context, depthOf(context, code))
      entry?.(frame)
      body(frame)
    },
  }
  return code
}

function depthOf(context: Context, code: BlockCode): number {
  return context.blocks.get(code.name)?.indexOf(code) ?? 0
}
