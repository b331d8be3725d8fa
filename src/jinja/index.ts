export * from './errors.ts'
export { fromHost, toHost } from './host.ts'
export * from './options.ts'
export * from './values.ts'
// Environment and Template join this list with the compiler:
//   new Environment(options: EnvironmentOptions)
//   env.fromString(source, name?): Template          throws TemplateSyntaxError
//   env.getTemplate(name): Template                  throws TemplateNotFound
//   env.compileExpression(source, { undefinedToNone = true }): (context, options?) => Value
//   template.render(context: RenderContext, options?: RenderOptions): string
