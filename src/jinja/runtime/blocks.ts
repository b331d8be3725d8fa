import { Markup, PyCallable, PyObject, type Value } from '../values.ts'
import type { Context } from './context.ts'

/** One level of a block, as `super()` and `self.name()` render it. */
export class BlockReference extends PyCallable {
  private readonly name: string
  private readonly context: Context
  private readonly depth: number

  constructor(name: string, context: Context, depth: number) {
    super()
    this.name = name
    this.context = context
    this.depth = depth
  }

  get typeName(): string {
    return 'BlockReference'
  }

  override attribute(name: string): Value | undefined {
    return name === 'super' ? superOf(this.name, this.context, this.depth) : undefined
  }

  override invoke(): Value {
    const { context } = this
    const text = context.state.capture(() => context.blocks.get(this.name)?.[this.depth]?.run(context))
    return context.autoescape ? new Markup(text) : text
  }
}

/** The same block in the next template up, or an undefined value. */
export function superOf(name: string, context: Context, depth: number): Value {
  if (context.blocks.get(name)?.[depth + 1] !== undefined) return new BlockReference(name, context, depth + 1)
  return context.undefinedHint(`there is no parent block called '${name}'.`, 'super')
}

/** `self`: the template's blocks by name. */
export class TemplateReference extends PyObject {
  private readonly context: Context

  constructor(context: Context) {
    super()
    this.context = context
  }

  get typeName(): string {
    return 'TemplateReference'
  }

  override attribute(name: string): Value | undefined {
    return this.context.blocks.has(name) ? new BlockReference(name, this.context, 0) : undefined
  }

  override display(): string {
    const { templateName } = this.context
    return `<TemplateReference ${templateName === undefined ? 'None' : `'${templateName}'`}>`
  }
}
