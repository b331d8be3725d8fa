import { typeError } from '../errors.ts'
import { isInt } from '../python/arith.ts'
import { textOf } from '../python/compare.ts'
import { typeName } from '../python/types.ts'
import { refuseUndefined } from '../python/undefined.ts'
import type { Context } from '../runtime/context.ts'
import type { Value } from '../values.ts'
import { bindArguments, type Method } from './method.ts'

/** A method's work; absent arguments are undefined. */
export type MethodBody<T> = (context: Context, self: T, ...args: (Value | undefined)[]) => Value

/** A method that takes its arguments by position, as most of Python's built-in ones do. */
export function positional<T extends Value>(
  name: string,
  least: number,
  most: number,
  body: MethodBody<T>,
): [string, Method] {
  return [
    name,
    (context, self, args, kwargs) => {
      if (kwargs.size > 0) throw typeError(`${typeName(self)}.${name}() takes no keyword arguments`)
      if (args.length < least || args.length > most)
        throw typeError(wrongCount(typeName(self), name, least, most, args.length))
      return body(context, self as T, ...args)
    },
  ]
}

function wrongCount(owner: string, name: string, least: number, most: number, given: number): string {
  if (most === 0) return `${owner}.${name}() takes no arguments (${given} given)`
  if (least === most) {
    const count = most === 1 ? 'exactly one argument' : `exactly ${most} arguments`
    return most === 1
      ? `${owner}.${name}() takes ${count} (${given} given)`
      : `${name} expected ${most} arguments, got ${given}`
  }
  const bound = given < least ? `at least ${least}` : `at most ${most}`
  return `${name} expected ${bound} argument${(given < least ? least : most) === 1 ? '' : 's'}, got ${given}`
}

/** A method that also takes its arguments by name. */
export function named<T extends Value>(
  name: string,
  params: readonly string[],
  required: number,
  body: MethodBody<T>,
): [string, Method] {
  return [
    name,
    (context, self, args, kwargs) => body(context, self as T, ...bindArguments(name, params, required, args, kwargs)),
  ]
}

/** An argument that has to be a str. */
export function needText(owner: string, value: Value | undefined): string {
  const text = value === undefined ? undefined : textOf(value)
  if (text !== undefined) return text
  if (value !== undefined) refuseUndefined(value)
  throw typeError(`${owner} argument must be str, not ${typeName(value ?? null)}`)
}

/** An argument that has to be an int. */
export function needInt(value: Value | undefined): number {
  if (value === undefined || !isInt(value)) {
    if (value !== undefined) refuseUndefined(value)
    throw typeError(`'${typeName(value ?? null)}' object cannot be interpreted as an integer`)
  }
  return Math.max(-Number.MAX_SAFE_INTEGER, Math.min(Number.MAX_SAFE_INTEGER, Number(value)))
}
