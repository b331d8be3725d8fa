import { typeError, valueError } from '../errors.ts'
import type { Context } from '../runtime/context.ts'
import { Markup, PyBytes, PyTuple, Undefined, type Value } from '../values.ts'
import { isInt } from './arith.ts'
import { isPlain } from './iterate.ts'
import { PyRange } from './range.ts'
import { typeName } from './types.ts'
import { refuseUndefined } from './undefined.ts'

/** Where a slice of something `length` long starts, in which steps it goes, and how many items it takes. */
export interface SliceBounds {
  readonly start: number
  readonly stop: number
  readonly step: number
  readonly count: number
}

/** Resolves `start:stop:step` as `slice.indices` does. Throws TypeError for bounds that are no ints. */
export function sliceBounds(start: Value, stop: Value, step: Value, length: number): SliceBounds {
  const by = bound(step) ?? 1
  if (by === 0) throw valueError('slice step cannot be zero')
  const lowest = by < 0 ? -1 : 0
  const highest = by < 0 ? length - 1 : length
  const from = clamp(bound(start), by < 0 ? highest : lowest, length, lowest, highest)
  const to = clamp(bound(stop), by < 0 ? lowest : highest, length, lowest, highest)
  return { start: from, stop: to, step: by, count: Math.max(0, Math.ceil((to - from) / by)) }
}

function bound(value: Value): number | undefined {
  if (value === null) return undefined
  if (!isInt(value)) throw typeError('slice indices must be integers or None or have an __index__ method')
  return Math.max(-Number.MAX_SAFE_INTEGER, Math.min(Number.MAX_SAFE_INTEGER, Number(value)))
}

function clamp(value: number | undefined, absent: number, length: number, lowest: number, highest: number): number {
  if (value === undefined) return absent
  return Math.max(lowest, Math.min(highest, value < 0 ? value + length : value))
}

function pick<T>(items: ArrayLike<T>, { start, step, count }: SliceBounds): T[] {
  const picked: T[] = []
  for (let turn = 0, at = start; turn < count; turn++, at += step) picked.push(items[at] as T)
  return picked
}

/** `object[start:stop:step]`. Throws TypeError for what cannot be sliced. */
export function slice(context: Context, object: Value, start: Value, stop: Value, step: Value): Value {
  if (typeof object === 'string') return sliceText(context, object, start, stop, step)
  if (object instanceof Markup) return new Markup(sliceText(context, object.text, start, stop, step))
  if (Array.isArray(object)) return sliceItems(context, object, start, stop, step)
  if (object instanceof PyTuple) return new PyTuple(sliceItems(context, object.items, start, stop, step))
  if (object instanceof PyRange) return object.slice(sliceBounds(start, stop, step, object.length))
  if (object instanceof PyBytes) {
    return new PyBytes(Uint8Array.from(pick(object.bytes, sliceBounds(start, stop, step, object.bytes.length))))
  }
  if (object instanceof Undefined && object.kind === 'chainable' && !object.unsafe) return object
  refuseUndefined(object)
  const kind = typeName(object)
  throw typeError(kind === 'dict' ? "unhashable type: 'slice'" : `'${kind}' object is not subscriptable`)
}

function sliceItems(context: Context, items: readonly Value[], start: Value, stop: Value, step: Value): Value[] {
  const bounds = sliceBounds(start, stop, step, items.length)
  context.allocate(bounds.count * 8)
  return pick(items, bounds)
}

function sliceText(context: Context, text: string, start: Value, stop: Value, step: Value): string {
  context.step(text.length >> 6)
  const chars = isPlain(text) ? text : Array.from(text)
  const bounds = sliceBounds(start, stop, step, chars.length)
  context.allocate(bounds.count)
  if (typeof chars === 'string' && bounds.step === 1) return chars.slice(bounds.start, bounds.start + bounds.count)
  return pick(chars, bounds).join('')
}
