import { BudgetError } from './errors.ts'

/** What one token costs to read and compile, in the budget's steps. */
export const stepsPerToken = 8

/** Counts the work of reading and compiling one template, before any render can count it. */
export class Meter {
  /** Steps so far. */
  used = 0
  private readonly limit: number

  constructor(limit: number) {
    this.limit = limit
  }

  /** Throws BudgetError past the limit. */
  step(count: number): void {
    this.used += count
    if (this.used > this.limit) throw new BudgetError('steps', this.limit)
  }
}
