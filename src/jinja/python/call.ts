import { typeError } from '../errors.ts'
import type { Context } from '../runtime/context.ts'
import { type Kwargs, PyCallable, Undefined, type Value } from '../values.ts'
import { typeName } from './types.ts'
import { failUse } from './undefined.ts'

/** `callee(*args, **kwargs)`. Throws TypeError for what cannot be called. */
export function callValue(context: Context, callee: Value, args: Value[], kwargs: Kwargs): Value {
  context.state.step(1)
  if (callee instanceof PyCallable) return callee.invoke(context, args, kwargs)
  if (callee instanceof Undefined) return failUse(callee)
  throw typeError(`'${typeName(callee)}' object is not callable`)
}
