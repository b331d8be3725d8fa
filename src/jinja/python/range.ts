import { PyObject, type Value } from '../values.ts'

/** Python's `range`: computed, never stored. */
export class PyRange extends PyObject {
  readonly start: number
  readonly stop: number
  readonly step: number
  /** `len(range)` */
  readonly length: number

  constructor(start: number, stop: number, step: number) {
    super()
    this.start = start
    this.stop = stop
    this.step = step
    this.length = Math.max(0, Math.ceil((stop - start) / step))
  }

  get typeName(): string {
    return 'range'
  }

  override attribute(name: string): Value | undefined {
    if (name === 'start') return this.start
    if (name === 'stop') return this.stop
    return name === 'step' ? this.step : undefined
  }

  /** The number at a position that exists. */
  at(index: number): number {
    return this.start + index * this.step
  }

  slice(bounds: { start: number; stop: number; step: number }): PyRange {
    const start = this.at(bounds.start)
    const step = this.step * bounds.step
    return new PyRange(start, this.at(bounds.stop), step)
  }

  override iterate(): Iterator<Value, unknown> {
    let index = 0
    return {
      next: () => (index < this.length ? { done: false, value: this.at(index++) } : { done: true, value: undefined }),
    }
  }

  override count(): number {
    return this.length
  }

  override equals(other: Value): boolean {
    if (!(other instanceof PyRange) || other.length !== this.length) return false
    return this.length === 0 || (this.start === other.start && (this.length === 1 || this.step === other.step))
  }

  override display(): string {
    const step = this.step === 1 ? '' : `, ${this.step}`
    return `range(${this.start}, ${this.stop}${step})`
  }
}
