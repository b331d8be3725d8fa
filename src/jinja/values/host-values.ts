import { type ContextView, type Kwargs, PyCallable, PyObject, type Value } from './object.ts'

/** A function of the host as templates may call it. */
export type HostCall = (context: ContextView, args: Value[], kwargs: Kwargs) => Value

/** A host function made callable; what it returns must be a template value. */
export class HostFunction extends PyCallable {
  readonly name: string
  readonly call: HostCall

  constructor(name: string, call: HostCall) {
    super()
    this.name = name
    this.call = call
  }

  get typeName(): string {
    return 'function'
  }

  override invoke(context: ContextView, args: Value[], kwargs: Kwargs): Value {
    return this.call(context, args, kwargs)
  }

  override display(): string {
    return `<function ${this.name}>`
  }
}

/** A host object: templates see exactly the attributes in its map and nothing else. */
export class HostObject extends PyObject {
  readonly attributes: ReadonlyMap<string, Value>
  /** What printing it gives. */
  readonly text: string
  private readonly className: string

  constructor(className: string, attributes: ReadonlyMap<string, Value>, text = `<${className} object>`) {
    super()
    this.className = className
    this.attributes = attributes
    this.text = text
  }

  override attribute(name: string): Value | undefined {
    return this.attributes.get(name)
  }

  override display(): string {
    return this.text
  }

  get typeName(): string {
    return this.className
  }
}
