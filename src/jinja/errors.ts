/** The Python exception classes that a template can meet, by the name Python gives them. */
export type PythonType =
  | 'TemplateError'
  | 'TemplateSyntaxError'
  | 'TemplateAssertionError'
  | 'TemplateNotFound'
  | 'TemplatesNotFound'
  | 'TemplateRuntimeError'
  | 'UndefinedError'
  | 'SecurityError'
  | 'FilterArgumentError'
  | 'TypeError'
  | 'ValueError'
  | 'KeyError'
  | 'IndexError'
  | 'AttributeError'
  | 'AssertionError'
  | 'ZeroDivisionError'
  | 'OverflowError'
  | 'RuntimeError'
  | 'RecursionError'
  | 'NotImplementedError'
  | 'UnicodeDecodeError'
  | 'UnicodeEncodeError'
  | 'LookupError'
  | 'Exception'
  | 'Error'
  | 'FileNotFoundError'
  | 'YAMLError'
  | 'ConstructorError'
  | 'RepresenterError'
  | 'ZoneInfoNotFoundError'

/** One place in a template; `template` is undefined for source that was given without a name. */
export interface TemplatePlace {
  template: string | undefined
  line: number
}

/** Base of every error this engine throws on purpose. Its place is filled in while the error travels outwards. */
export class JinjaError extends Error {
  override readonly name: string = 'JinjaError'
  /** The class that Python's Jinja2 would have raised. */
  readonly pythonType: PythonType
  /** Name of the template in which it happened; undefined when unknown or unnamed. */
  templateName: string | undefined
  /** Line in that template, from 1; undefined when unknown. */
  line: number | undefined
  /** The text of that line. */
  sourceLine: string | undefined
  /** The templates that led there by include, import, extends or a macro's call; innermost first. */
  readonly includeChain: TemplatePlace[] = []

  constructor(message: string, pythonType: PythonType = 'TemplateError', options?: ErrorOptions) {
    super(message, options)
    this.pythonType = pythonType
  }

  /** Message with its place and the way there, one line each. */
  describe(): string {
    const at = (place: TemplatePlace) => `${place.template ?? '<template>'}:${place.line}`
    const lines = [this.line === undefined ? this.message : `${at(this.place(this.line))}: ${this.message}`]
    if (this.sourceLine !== undefined) lines.push(`    ${this.sourceLine.trim()}`)
    for (const place of this.includeChain) lines.push(`  from ${at(place)}`)
    return lines.join('\n')
  }

  private place(line: number): TemplatePlace {
    return { template: this.templateName, line }
  }
}

/** The source is not a Jinja2 template. */
export class TemplateSyntaxError extends JinjaError {
  override readonly name: string = 'TemplateSyntaxError'

  constructor(message: string, line: number, templateName?: string, pythonType: PythonType = 'TemplateSyntaxError') {
    super(message, pythonType)
    this.line = line
    this.templateName = templateName
  }
}

/** The source parses but cannot mean anything: an unknown filter or test, a block defined twice. */
export class TemplateAssertionError extends TemplateSyntaxError {
  override readonly name: string = 'TemplateAssertionError'

  constructor(message: string, line: number, templateName?: string) {
    super(message, line, templateName, 'TemplateAssertionError')
  }
}

/** No loader knows the template (or any of the templates). */
export class TemplateNotFound extends JinjaError {
  override readonly name = 'TemplateNotFound'
  /** The names that were asked for. */
  readonly names: readonly string[]

  constructor(names: readonly string[], message?: string) {
    const many = names.length !== 1
    super(
      message ??
        (many
          ? `none of the templates given were found: ${names.join(', ')}`
          : (names[0] ?? 'no template name was given')),
      many ? 'TemplatesNotFound' : 'TemplateNotFound',
    )
    this.names = names
  }
}

/** The template asked for something that its engine refuses at run time. */
export class TemplateRuntimeError extends JinjaError {
  override readonly name: string = 'TemplateRuntimeError'

  constructor(message: string, pythonType: PythonType = 'TemplateRuntimeError', options?: ErrorOptions) {
    super(message, pythonType, options)
  }
}

/** A filter was called with arguments it cannot work with. */
export class FilterArgumentError extends TemplateRuntimeError {
  override readonly name = 'FilterArgumentError'

  constructor(message: string) {
    super(message, 'FilterArgumentError')
  }
}

/** An undefined value was used where its kind does not allow it. */
export class UndefinedError extends TemplateRuntimeError {
  override readonly name = 'UndefinedError'

  constructor(message: string) {
    super(message, 'UndefinedError')
  }
}

/** The template tried to leave its sandbox. */
export class SecurityError extends TemplateRuntimeError {
  override readonly name = 'SecurityError'

  constructor(message: string) {
    super(message, 'SecurityError')
  }
}

/** An exception of Python's own (`TypeError`, `KeyError`, …); `pythonType` says which. */
export class PythonError extends TemplateRuntimeError {
  override readonly name = 'PythonError'

  constructor(pythonType: PythonType, message: string, options?: ErrorOptions) {
    super(message, pythonType, options)
  }
}

/** Which of the caller's limits a template passed. */
export type BudgetKind = 'steps' | 'outputBytes' | 'depth' | 'valueBytes' | 'sourceBytes'

/** The render passed one of the limits its caller set. */
export class BudgetError extends JinjaError {
  override readonly name = 'BudgetError'
  readonly kind: BudgetKind
  readonly limit: number

  constructor(kind: BudgetKind, limit: number) {
    super(`the template's budget is used up: more than ${limit} ${budgetUnits[kind]}`, 'RuntimeError')
    this.kind = kind
    this.limit = limit
  }
}

const budgetUnits: Record<BudgetKind, string> = {
  steps: 'steps',
  outputBytes: 'bytes of output',
  depth: 'levels of nesting',
  valueBytes: 'bytes in one value',
  sourceBytes: 'bytes of one source',
}

/** The caller aborted the render; `cause` is the signal's reason. */
export class AbortedError extends JinjaError {
  override readonly name = 'AbortedError'

  constructor(reason: unknown) {
    super('the render was aborted', 'RuntimeError', { cause: reason })
  }
}

/** `TypeError` of Python. */
export function typeError(message: string): PythonError {
  return new PythonError('TypeError', message)
}

/** `ValueError` of Python. */
export function valueError(message: string): PythonError {
  return new PythonError('ValueError', message)
}
