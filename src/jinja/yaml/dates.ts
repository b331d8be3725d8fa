import { valueError } from '../errors.ts'
import { HostFunction, HostObject, type Value } from '../values.ts'

/** A `date` or `datetime` as a YAML timestamp gives it. `text` is `str()` of it, which is also its YAML form. */
export class YamlDate extends HostObject {
  private readonly repr: string

  constructor(
    className: 'datetime.date' | 'datetime.datetime',
    attributes: ReadonlyMap<string, Value>,
    text: string,
    repr: string,
  ) {
    super(className, attributes, text)
    this.repr = repr
  }

  override displayRepr(): string {
    return this.repr
  }
}

interface Day {
  readonly year: number
  readonly month: number
  readonly day: number
}

function pad(value: number, width = 2): string {
  return String(value).padStart(width, '0')
}

function checkRange(what: string, value: number, low: number, high: number): void {
  if (value < low || value > high) throw valueError(`${what} must be in ${low}..${high}`)
}

function checkDay({ year, month, day }: Day): void {
  if (year < 1) throw valueError(`year ${year} is out of range`)
  checkRange('month', month, 1, 12)
  const days = new Date(Date.UTC(2000 + (year % 400), month, 0)).getUTCDate()
  if (day < 1 || day > days) throw valueError('day is out of range for month')
}

function method(name: string, result: Value): [string, Value] {
  return [name, new HostFunction(name, () => result)]
}

function dayAttributes(date: Day, iso: string): [string, Value][] {
  const sunday0 = new Date(Date.UTC(2000 + (date.year % 400), date.month - 1, date.day)).getUTCDay()
  return [
    ['year', date.year],
    ['month', date.month],
    ['day', date.day],
    method('isoformat', iso),
    method('weekday', (sunday0 + 6) % 7),
    method('isoweekday', sunday0 || 7),
  ]
}

function dateOf(date: Day): YamlDate {
  checkDay(date)
  const text = `${pad(date.year, 4)}-${pad(date.month)}-${pad(date.day)}`
  const repr = `datetime.date(${date.year}, ${date.month}, ${date.day})`
  return new YamlDate('datetime.date', new Map(dayAttributes(date, text)), text, repr)
}

interface Zone {
  readonly text: string
  readonly repr: string
}

const utc: Zone = { text: '+00:00', repr: 'datetime.timezone.utc' }

function zoneOf(sign: string, hours: number, minutes: number): Zone {
  const seconds = (hours * 60 + minutes) * 60 * (sign === '-' ? -1 : 1)
  if (seconds === 0) return utc
  if (Math.abs(seconds) >= 86_400) throw valueError('offset must be a timedelta strictly between -24 and 24 hours')
  const days = seconds < 0 ? 'days=-1, ' : ''
  const rest = seconds < 0 ? seconds + 86_400 : seconds
  return {
    text: `${sign}${pad(hours + Math.floor(minutes / 60))}:${pad(minutes % 60)}`,
    repr: `datetime.timezone(datetime.timedelta(${days}seconds=${rest}))`,
  }
}

const timestamp =
  /^(\d{4})-(\d{1,2})-(\d{1,2})(?:(?:[Tt]|[ \t]+)(\d{1,2}):(\d{2}):(\d{2})(?:\.(\d*))?(?:[ \t]*(?:(Z)|([-+])(\d{1,2})(?::(\d{2}))?))?)?$/

/** The date or datetime of a YAML 1.1 timestamp. Throws ValueError (Python's) for a day or time that does not exist. */
export function readTimestamp(scalar: string): YamlDate {
  const found = timestamp.exec(scalar)
  if (found === null) throw valueError(`not a timestamp: '${scalar}'`)
  const [, year, month, day, hour, minute, second, fraction = '', z, sign, zoneHours, zoneMinutes] = found
  const date = { year: Number(year), month: Number(month), day: Number(day) }
  if (hour === undefined) return dateOf(date)
  const zone =
    z !== undefined ? utc : sign === undefined ? undefined : zoneOf(sign, Number(zoneHours), Number(zoneMinutes ?? 0))
  const micro = Number(fraction.slice(0, 6).padEnd(6, '0'))
  return datetimeOf(date, [Number(hour), Number(minute), Number(second), micro], zone)
}

type Clock = readonly [hour: number, minute: number, second: number, microsecond: number]

function datetimeOf(date: Day, clock: Clock, zone: Zone | undefined): YamlDate {
  checkDay(date)
  const [hour, minute, second, micro] = clock
  checkRange('hour', hour, 0, 23)
  checkRange('minute', minute, 0, 59)
  checkRange('second', second, 0, 59)
  const day = `${pad(date.year, 4)}-${pad(date.month)}-${pad(date.day)}`
  const fraction = micro === 0 ? '' : `.${pad(micro, 6)}`
  const time = `${pad(hour)}:${pad(minute)}:${pad(second)}${fraction}${zone?.text ?? ''}`
  const tail = micro !== 0 ? [second, micro] : second !== 0 ? [second] : []
  const parts = [date.year, date.month, date.day, hour, minute, ...tail].join(', ')
  const attributes: [string, Value][] = [
    ...dayAttributes(date, `${day}T${time}`),
    ['hour', hour],
    ['minute', minute],
    ['second', second],
    ['microsecond', micro],
    method('date', dateOf(date)),
  ]
  const repr = `datetime.datetime(${parts}${zone ? `, tzinfo=${zone.repr}` : ''})`
  return new YamlDate('datetime.datetime', new Map(attributes), `${day} ${time}`, repr)
}
