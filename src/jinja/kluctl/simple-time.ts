import { PythonError, typeError, valueError } from '../errors.ts'
import { typeName } from '../python/types.ts'
import { HostFunction, PyFloat, PyObject, type Value } from '../values.ts'
import { callable } from './arguments.ts'
import { parseIso } from './iso.ts'
import { offsetAt, offsetAtWall } from './zones.ts'

/** Where a clock hangs: nowhere known, a fixed number of seconds from UTC, or a zone by IANA name. */
type Zone = undefined | number | string

const earliest = new Date(0).setUTCFullYear(1, 0, 1)
const latest = Date.UTC(9999, 11, 31, 23, 59, 59)

function pad(value: number, width = 2): string {
  return String(value).padStart(width, '0')
}

function offsetText(seconds: number): string {
  const away = Math.abs(seconds)
  const rest = away % 60 === 0 ? '' : `:${pad(away % 60)}`
  return `${seconds < 0 ? '-' : '+'}${pad(Math.floor(away / 3600))}:${pad(Math.floor(away / 60) % 60)}${rest}`
}

/** kluctl's time object: what `time.now()`, `time.utcnow()` and `time.parse_iso()` give. Adding to it changes it. */
export class SimpleTime extends PyObject {
  /** What the clock shows in milliseconds as if it were UTC; whole seconds. */
  #wall: number
  #micro: number
  readonly #zone: Zone
  readonly #localZone: string

  constructor(wall: number, micro: number, zone: Zone, localZone: string) {
    super()
    this.#wall = wall
    this.#micro = micro
    this.#zone = zone
    this.#localZone = localZone
  }

  /** The clock of a zone (UTC when undefined) at an instant in milliseconds; without a zone of its own. */
  static at(instant: number, zone: string | undefined, localZone: string): SimpleTime {
    const wall = instant + (zone === undefined ? 0 : offsetAt(zone, instant) * 1000)
    const micro = Math.floor((wall - Math.floor(wall / 1000) * 1000) * 1000)
    return new SimpleTime(Math.floor(wall / 1000) * 1000, micro, undefined, localZone)
  }

  /** Reads an ISO 8601 text. Throws ValueError. */
  static parse(text: Value, localZone: string): SimpleTime {
    const { wall, micro, offset } = parseIso(text)
    return new SimpleTime(wall, micro, offset, localZone)
  }

  get typeName(): string {
    return 'SimpleTime'
  }

  /** ISO 8601, as Python's `isoformat`. */
  override display(): string {
    const date = new Date(this.#wall)
    const day = `${pad(date.getUTCFullYear(), 4)}-${pad(date.getUTCMonth() + 1)}-${pad(date.getUTCDate())}`
    const clock = `${pad(date.getUTCHours())}:${pad(date.getUTCMinutes())}:${pad(date.getUTCSeconds())}`
    const fraction = this.#micro === 0 ? '' : `.${pad(this.#micro, 6)}`
    return `${day}T${clock}${fraction}${this.#zone === undefined ? '' : offsetText(this.#offset())}`
  }

  override attribute(name: string): Value | undefined {
    if (name === 'as_timezone') {
      return new HostFunction(
        name,
        callable(name, ['tz'], (_, [zone]) => this.#in(zone ?? null)),
      )
    }
    const value = this.#part(name)
    return value === undefined
      ? undefined
      : new HostFunction(
          name,
          callable(name, [], () => value),
        )
  }

  #part(name: string): number | undefined {
    const date = new Date(this.#wall)
    switch (name) {
      case 'weekday':
        return (date.getUTCDay() + 6) % 7
      case 'hour':
        return date.getUTCHours()
      case 'minute':
        return date.getUTCMinutes()
      case 'second':
        return date.getUTCSeconds()
      case 'nanosecond':
        return this.#micro * 1000
      default:
        return undefined
    }
  }

  #offset(): number {
    if (typeof this.#zone === 'number') return this.#zone
    return offsetAtWall(this.#zone ?? this.#localZone, this.#wall)
  }

  #instant(): number {
    return this.#wall - this.#offset() * 1000
  }

  #in(zone: Value): SimpleTime {
    if (typeof zone !== 'string') throw typeError(`a time zone is a str, not ${typeName(zone)}`)
    const instant = this.#instant()
    return new SimpleTime(instant + offsetAt(zone, instant) * 1000, this.#micro, zone, this.#localZone)
  }

  /** `t + n` and `t - n`, n in microseconds; the time itself moves, as in kluctl. */
  shift(amount: Value, sign: 1 | -1): SimpleTime {
    const micros = amount instanceof PyFloat ? amount.value : typeof amount === 'boolean' ? Number(amount) : amount
    if (typeof micros !== 'number' && typeof micros !== 'bigint') {
      throw typeError(`unsupported type for timedelta microseconds component: ${typeName(amount)}`)
    }
    const total = this.#micro + sign * Math.round(Number(micros))
    const wall = this.#wall + Math.floor(total / 1_000_000) * 1000
    if (!(wall >= earliest && wall <= latest)) throw new PythonError('OverflowError', 'date value out of range')
    this.#wall = wall
    this.#micro = total - Math.floor(total / 1_000_000) * 1_000_000
    return this
  }

  override operate(operator: string, other: Value, reflected: boolean): Value | undefined {
    if (reflected) return undefined
    if (operator === '+') return this.shift(other, 1)
    return operator === '-' ? this.shift(other, -1) : undefined
  }

  override equals(other: Value): boolean {
    const time = this.#other(other)
    if (time.#isNaive !== this.#isNaive) return false
    return this.#order(time) === 0
  }

  override compareTo(other: Value): number {
    const time = this.#other(other)
    if (time.#isNaive !== this.#isNaive) throw typeError("can't compare offset-naive and offset-aware datetimes")
    return this.#order(time)
  }

  get #isNaive(): boolean {
    return this.#zone === undefined
  }

  #other(value: Value): SimpleTime {
    if (value instanceof SimpleTime) return value
    throw valueError('value is not a SimpleTime')
  }

  #order(other: SimpleTime): number {
    const difference = this.#isNaive ? this.#wall - other.#wall : this.#instant() - other.#instant()
    return difference || this.#micro - other.#micro
  }
}
