/**
 * A value as templates see it. None is `null`, str a string, int a safe integer or, outside that range, a bigint;
 * list an array; everything else is a class below. No JavaScript property of a value is ever read for a template.
 */
export type Value = null | boolean | string | number | bigint | Value[] | PyObject

/** Keyword arguments of a call. */
export type Kwargs = ReadonlyMap<string, Value>

/** The keyword arguments of a call that has none. */
export const noKwargs: Kwargs = new Map()

/** Base of every value that is not a JavaScript primitive or array. */
export abstract class PyObject {
  /** `type(x).__name__` in Python. */
  abstract get typeName(): string

  /** The attribute of that name which templates may read, or undefined. Never begins with an underscore. */
  attribute(_name: string): Value | undefined {
    return undefined
  }

  /** What a loop over it yields, or undefined when it cannot be looped over. */
  iterate(): Iterator<Value, unknown> | undefined {
    return undefined
  }

  /** `len(x)`, or undefined when it has none. */
  count(): number | undefined {
    return undefined
  }

  /** `x <operator> other`, or `other <operator> x` when reflected; undefined when it cannot. */
  operate(_operator: string, _other: Value, _reflected: boolean): Value | undefined {
    return undefined
  }

  /** `x == other` for objects that compare by content; undefined leaves it to identity. */
  equals(_other: Value): boolean | undefined {
    return undefined
  }

  /** Negative, zero or positive as `x` sorts before, with or after `other`; undefined when they have no order. */
  compareTo(_other: Value): number | undefined {
    return undefined
  }

  /** `str(x)` */
  display(): string {
    return `<${this.typeName} object>`
  }

  /** `repr(x)`, for objects whose repr is not their str. */
  displayRepr(): string {
    return this.display()
  }
}

/** A value that templates can call. */
export abstract class PyCallable extends PyObject {
  abstract invoke(context: ContextView, args: Value[], kwargs: Kwargs): Value
}

/** What host code sees of a running template. */
export interface ContextView {
  /** Name of the running template; undefined for a nameless one. */
  readonly templateName: string | undefined
  /** Whether output is being escaped where the call stands. */
  readonly autoescape: boolean
  /** A variable as the template's top level sees it, or undefined. Loop variables are not among them. */
  lookup(name: string): Value | undefined
  /** All of Jinja2's `Context.get_all()`: globals, render variables, top-level assignments. Loop variables are not in it. */
  getAll(): Map<string, Value>
  /** Counts work that host code does for a template. Throws BudgetError past the limit, AbortedError when aborted. */
  step(count: number): void
  /** Announces a value of this many bytes before it is made. Throws BudgetError when that is too much. */
  allocate(bytes: number): void
  /** Renders another template with these variables, on this render's budget. Throws TemplateNotFound. */
  renderNamed(name: string, variables: ReadonlyMap<string, Value>): string
  /** Renders a source with these variables, on this render's budget. Throws TemplateSyntaxError. */
  renderSource(source: string, variables: ReadonlyMap<string, Value>): string
}
