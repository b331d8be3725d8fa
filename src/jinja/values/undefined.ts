import { PyObject, type Value } from './object.ts'

/** How an environment treats a name or attribute that does not exist. */
export type UndefinedKind = 'default' | 'chainable' | 'debug' | 'strict'

/** What a missing name, attribute or item evaluates to. */
export class Undefined extends PyObject {
  readonly kind: UndefinedKind
  /** The whole message when it is not made from the parts below. */
  readonly hint: string | undefined
  /** The object that lacks it; undefined when a variable is missing. */
  readonly object: Value | undefined
  readonly key: Value
  /** True when it was refused by the sandbox: using it is then a SecurityError. */
  readonly unsafe: boolean

  constructor(kind: UndefinedKind, key: Value, object?: Value, hint?: string, unsafe = false) {
    super()
    this.kind = kind
    this.key = key
    this.object = object
    this.hint = hint
    this.unsafe = unsafe
  }

  get typeName(): string {
    return undefinedNames[this.kind]
  }
}

const undefinedNames: Record<UndefinedKind, string> = {
  default: 'Undefined',
  chainable: 'ChainableUndefined',
  debug: 'DebugUndefined',
  strict: 'StrictUndefined',
}
