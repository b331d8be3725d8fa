import { PyObject, type Value } from './object.ts'

/** A Python float; kept apart from int, as `1.0` prints and divides differently. */
export class PyFloat extends PyObject {
  readonly value: number

  constructor(value: number) {
    super()
    this.value = value
  }

  get typeName(): string {
    return 'float'
  }
}

/** An immutable sequence. A named tuple also answers to attribute names. */
export class PyTuple extends PyObject {
  readonly items: readonly Value[]
  /** Field names of a named tuple, and its class name. */
  readonly fields: readonly string[] | undefined
  private readonly className: string

  constructor(items: readonly Value[], fields?: readonly string[], className = 'tuple') {
    super()
    this.items = items
    this.fields = fields
    this.className = className
  }

  override attribute(name: string): Value | undefined {
    return this.fields === undefined ? undefined : this.items[this.fields.indexOf(name)]
  }

  override iterate(): Iterator<Value, unknown> {
    return this.items[Symbol.iterator]()
  }

  override count(): number {
    return this.items.length
  }

  get typeName(): string {
    return this.className
  }
}

/** A str that is safe to put into HTML as it is. */
export class Markup extends PyObject {
  readonly text: string

  constructor(text: string) {
    super()
    this.text = text
  }

  get typeName(): string {
    return 'Markup'
  }
}

/** A Python bytes value, as `str.encode` gives. */
export class PyBytes extends PyObject {
  readonly bytes: Uint8Array

  constructor(bytes: Uint8Array) {
    super()
    this.bytes = bytes
  }

  override iterate(): Iterator<Value, unknown> {
    return this.bytes.values()
  }

  override count(): number {
    return this.bytes.length
  }

  get typeName(): string {
    return 'bytes'
  }
}
