import type { Value } from '../values.ts'
import type { Context } from './context.ts'

/** The variables of one activation of a template, block, macro or recursive loop. */
export class Frame {
  readonly slots: (Value | undefined)[] = []
  /** The activation in which the macro or loop was defined. */
  readonly up: Frame | undefined
  readonly context: Context

  constructor(context: Context, up: Frame | undefined) {
    this.context = context
    this.up = up
  }
}

/** How a statement ended. */
export const normal = 0
export const broke = 1
export const continued = 2

/** A compiled expression. */
export type Eval = (frame: Frame) => Value
/** A compiled statement; tells how it ended. */
export type Exec = (frame: Frame) => number
