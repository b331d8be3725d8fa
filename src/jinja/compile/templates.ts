import { TemplateNotFound, TemplateRuntimeError } from '../errors.ts'
import type { BlockNode, Expr, Stmt } from '../parser/ast.ts'
import { textOf } from '../python/compare.ts'
import { str } from '../python/display.ts'
import { toList } from '../python/iterate.ts'
import { quote } from '../python/quote.ts'
import { truth } from '../python/truth.ts'
import { failUse } from '../python/undefined.ts'
import { Context, type TemplateCode } from '../runtime/context.ts'
import { type Eval, type Exec, type Frame, normal } from '../runtime/frame.ts'
import { makeModule, sharedModule, type TemplateModule } from '../runtime/module.ts'
import { Undefined, type Value } from '../values.ts'
import { compileExpr } from './expressions.ts'
import { locate, type Scope } from './scope.ts'

/** Finds the template that an expression names; a list names several to try. */
function templateFor(frame: Frame, value: Value, parent: string | undefined, mayBeList: boolean): TemplateCode {
  const { context } = frame
  const asking = parent ?? null
  if (value instanceof Undefined) {
    // Jinja2 fails here with the undefined value's own message, whatever its kind.
    return failUse(value)
  }
  const name = textOf(value)
  if (name !== undefined) return load(context, [name], asking)
  if (!mayBeList) throw new TemplateNotFound([str(context, value)])
  const names = (truth(value) ? toList(context, value) : []).map(item =>
    item instanceof Undefined ? failUse(item) : str(context, item),
  )
  if (names.length === 0) {
    throw new TemplateNotFound([], 'Tried to select from an empty list of templates.')
  }
  return load(context, names, asking)
}

function load(context: Context, names: readonly string[], parent: string | null): TemplateCode {
  const template = context.engine.loadTemplate(names, parent)
  context.state.charge(template)
  return template
}

/** `{% include %}` */
export function compileInclude(node: Stmt & { kind: 'include' }, scope: Scope): Exec {
  const { unit } = scope
  const name = compileExpr(node.template, scope)
  const locals = node.withContext ? scope.localsReader() : undefined
  const run = (frame: Frame, template: TemplateCode) => {
    const { context } = frame
    if (locals === undefined) return context.state.write(sharedModule(context, template).body)
    const layer = context.snapshot(locals(frame))
    context.state.enter()
    template.run(Context.forTemplate(template, context.engine, context.state, layer))
    context.state.leave()
  }
  // Unlike other output, an include is printed even where the template has a parent: before all that the parent prints.
  return frame => {
    const template = find(frame, name)
    if (template !== undefined) run(frame, template)
    return normal
  }

  function find(frame: Frame, evaluate: Eval): TemplateCode | undefined {
    const value = evaluate(frame)
    try {
      return templateFor(frame, value, unit.name, true)
    } catch (error) {
      if (node.ignoreMissing && error instanceof TemplateNotFound && error.line === undefined) return undefined
      throw error
    }
  }
}

function compileModule(
  node: { readonly template: Expr; readonly withContext: boolean },
  scope: Scope,
): (frame: Frame) => TemplateModule {
  const name = compileExpr(node.template, scope)
  const locals = node.withContext ? scope.localsReader() : undefined
  return frame => {
    const { context } = frame
    const template = templateFor(frame, name(frame), scope.unit.name, false)
    if (locals === undefined) return sharedModule(context, template)
    return makeModule(context, template, context.snapshot(locals(frame)))
  }
}

/** `{% import %}` */
export function compileImport(node: Stmt & { kind: 'import' }, scope: Scope): Exec {
  const load = compileModule(node, scope)
  const slot = scope.slotOf(node.target)
  return frame => {
    const module = load(frame)
    frame.slots[slot] = module
    if (scope.toplevel) {
      frame.context.vars.set(node.target, module)
      frame.context.exported.delete(node.target)
    }
    return normal
  }
}

/** `{% from … import %}` */
export function compileFromImport(node: Stmt & { kind: 'fromimport' }, scope: Scope): Exec {
  const load = compileModule(node, scope)
  const targets = node.names.map(([name, alias]) => ({ name, alias, slot: scope.slotOf(alias) }))
  const place = `line ${node.line}${scope.unit.name === undefined ? '' : ` in ${quote(scope.unit.name)}`}`
  return frame => {
    const { context } = frame
    const module = load(frame)
    for (const { name, alias, slot } of targets) {
      const found = module.attribute(name)
      const value = found === undefined ? context.undefinedHint(missingExport(module, place, name), name) : found
      frame.slots[slot] = value
      if (scope.toplevel) {
        context.vars.set(alias, value)
        context.exported.delete(alias)
      }
    }
    return normal
  }
}

function missingExport(module: TemplateModule, place: string, name: string): string {
  const owner = module.templateName === undefined ? 'None' : quote(module.templateName)
  return `the template ${owner} (imported on ${place}) does not export the requested name ${quote(name)}`
}

/** `{% extends %}` */
export function compileExtends(node: Stmt & { kind: 'extends' }, scope: Scope): Exec | undefined {
  const { unit } = scope
  if (!scope.toplevel) scope.fail('cannot use extend from a non top-level scope', node.line)
  const again = unit.extendsSoFar > 0
  const forSure = unit.extendsForSure
  const name = compileExpr(node.template, scope)
  unit.extendsSoFar++
  if (scope.rootlevel) unit.extendsForSure = true
  return frame => {
    const { context } = frame
    if (forSure || (again && context.parentTemplate !== undefined)) {
      throw new TemplateRuntimeError('extended multiple times')
    }
    const parent = templateFor(frame, name(frame), unit.name, false)
    for (const [block, code] of parent.blocks) {
      const stack = context.blocks.get(block)
      if (stack === undefined) context.blocks.set(block, [code])
      else stack.push(code)
    }
    context.parentTemplate = {
      ...parentOf(parent),
      run: at => {
        try {
          parent.run(at)
        } catch (error) {
          throw locate(error, unit, node.line)
        }
      },
    }
    return normal
  }
}

function parentOf(parent: TemplateCode): TemplateCode {
  return {
    name: parent.name,
    autoescape: parent.autoescape,
    cost: parent.cost,
    blocks: parent.blocks,
    run: at => parent.run(at),
  }
}

/** `{% block %}` where it stands: runs the most derived block of that name. */
export function compileBlock(node: BlockNode, scope: Scope): Exec | undefined {
  const { unit } = scope
  if (scope.toplevel && unit.extendsForSure) return undefined
  const mayExtend = scope.toplevel && unit.extendsSoFar > 0
  const locals = node.scoped ? scope.localsReader() : undefined
  return frame => {
    const { context } = frame
    if (mayExtend && context.parentTemplate !== undefined) return normal
    const stack = context.blocks.get(node.name) ?? []
    if (node.required && stack.length <= 1) throw new TemplateRuntimeError(`Required block '${node.name}' not found`)
    const target = locals === undefined ? context : context.derived(locals(frame))
    context.state.enter()
    stack[0]?.run(target)
    context.state.leave()
    return normal
  }
}
