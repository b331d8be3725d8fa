import { Markup, PyObject, type Value } from '../values.ts'
import { Context, type TemplateCode } from './context.ts'
import type { Layer } from './layers.ts'

/** An imported template: its exported variables and what it printed. */
export class TemplateModule extends PyObject {
  private readonly exported: ReadonlyMap<string, Value>
  readonly templateName: string | undefined
  readonly body: string

  constructor(templateName: string | undefined, exported: ReadonlyMap<string, Value>, body: string) {
    super()
    this.templateName = templateName
    this.exported = exported
    this.body = body
  }

  get typeName(): string {
    return 'TemplateModule'
  }

  override attribute(name: string): Value | undefined {
    return this.exported.get(name)
  }

  override display(): string {
    return this.body
  }

  /** What `|safe` and escaping see. */
  html(): Markup {
    return new Markup(this.body)
  }
}

/** Runs a template for its exports, with the variables of `layer`. */
export function makeModule(asking: Context, template: TemplateCode, layer: Layer): TemplateModule {
  const { engine, state } = asking
  const context = Context.forTemplate(template, engine, state, layer)
  state.enter()
  const body = state.capture(() => template.run(context))
  state.leave()
  const exported = new Map<string, Value>()
  for (const name of context.exported) {
    const value = context.vars.get(name)
    if (value !== undefined) exported.set(name, value)
  }
  return new TemplateModule(template.name, exported, body)
}

/** The module of a template that sees no context: made once per render, as Jinja2 makes it once. */
export function sharedModule(asking: Context, template: TemplateCode): TemplateModule {
  const known = asking.state.modules.get(template)
  if (known instanceof TemplateModule) return known
  const module = makeModule(asking, template, asking.engine.globalLayer)
  asking.state.modules.set(template, module)
  return module
}
