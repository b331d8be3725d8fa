import { PyObject, type Value } from '../values.ts'

/** `namespace()`: the one object whose attributes templates may assign. */
export class Namespace extends PyObject {
  private readonly values: Map<string, Value>
  private readonly show: (values: ReadonlyMap<string, Value>) => string

  constructor(values: Map<string, Value>, show: (values: ReadonlyMap<string, Value>) => string) {
    super()
    this.values = values
    this.show = show
  }

  get typeName(): string {
    return 'Namespace'
  }

  set(name: string, value: Value): void {
    this.values.set(name, value)
  }

  override attribute(name: string): Value | undefined {
    return this.values.get(name)
  }

  override display(): string {
    return `<Namespace ${this.show(this.values)}>`
  }
}
