import { AbortedError, BudgetError } from '../errors.ts'
import type { Budget, StopSignal } from '../options.ts'

const stepsBetweenLooks = 1024

/** What one render has used of its budget, and the text it has written. Nothing of it outlives the render. */
export class RenderState {
  /** Text written since the innermost capture began. */
  out = ''
  /** What happened once per render, such as imported modules. */
  readonly modules = new Map<object, unknown>()
  private readonly budget: Budget
  private readonly signal: StopSignal | undefined
  private steps = 0
  private nextLook = 0
  private written = 0
  private depth = 0
  private readonly charged = new Set<object>()

  constructor(budget: Budget, signal: StopSignal | undefined) {
    this.budget = budget
    this.signal = signal
    this.look()
  }

  /** Counts work. Throws BudgetError past the limit, AbortedError when aborted. */
  step(count: number): void {
    this.steps += count
    if (this.steps > this.nextLook) this.look()
  }

  /** Announces a value of this many bytes before it is made: large values are also work. Throws BudgetError. */
  allocate(bytes: number): void {
    if (bytes > this.budget.valueBytes) throw new BudgetError('valueBytes', this.budget.valueBytes)
    this.step(1 + Math.floor(bytes / 64))
  }

  /** Counts what compiling a template cost, once per render, so that it is the same whether it was cached or not. */
  charge(template: { readonly cost: number }): void {
    if (this.charged.has(template)) return
    this.charged.add(template)
    this.step(template.cost)
  }

  write(text: string): void {
    this.written += text.length
    if (this.written > this.budget.outputBytes) throw new BudgetError('outputBytes', this.budget.outputBytes)
    this.out += text
  }

  /** What `part` writes, as a value instead of output. */
  capture(part: () => void): string {
    const { out, written } = this
    this.out = ''
    part()
    const captured = this.out
    this.out = out
    this.written = written
    this.allocate(captured.length)
    return captured
  }

  /** Goes one level deeper; every `enter` has its `leave` unless the render ends with an error. */
  enter(): void {
    if (++this.depth > this.budget.depth) throw new BudgetError('depth', this.budget.depth)
  }

  leave(): void {
    this.depth--
  }

  /** The whole output. Throws BudgetError when its bytes are too many. */
  finish(): string {
    const { out } = this
    if (out.length * 3 > this.budget.outputBytes && Buffer.byteLength(out) > this.budget.outputBytes) {
      throw new BudgetError('outputBytes', this.budget.outputBytes)
    }
    return out
  }

  private look(): void {
    if (this.steps > this.budget.steps) throw new BudgetError('steps', this.budget.steps)
    if (this.signal?.aborted === true) throw new AbortedError(this.signal.reason)
    this.nextLook = Math.min(this.budget.steps, this.steps + stepsBetweenLooks)
  }
}
