import { typeError, valueError } from '../errors.ts'

/** A moment as written: what the clock shows, and the offset if one was given. */
export interface IsoTime {
  /** What the clock shows, in milliseconds as if it were UTC; whole seconds. */
  readonly wall: number
  /** The rest of the second, 0 to 999,999. */
  readonly micro: number
  /** Seconds ahead of UTC; undefined for a time without zone. */
  readonly offset: number | undefined
}

const day = String.raw`(?:(\d{4})-?(\d{2})-?(\d{2})|(\d{4})-?W(\d{2})(?:-?(\d))?)`
const clock = String.raw`(\d{2})(?::?(\d{2})(?::?(\d{2})(?:[.,](\d+))?)?)?`
const zone = String.raw`(?:(Z)|([+-])(\d{2})(?::?(\d{2})(?::?(\d{2})(?:\.\d+)?)?)?)?`
const iso = new RegExp(`^${day}(?:.${clock}${zone})?$`, 'su')

function midnight(year: number, month: number, date: number): number {
  const at = new Date(0)
  at.setUTCFullYear(year, month - 1, date)
  if (year < 1 || at.getUTCMonth() !== month - 1 || at.getUTCDate() !== date) {
    throw valueError(month < 1 || month > 12 ? 'month must be in 1..12' : 'day is out of range for month')
  }
  return at.getTime()
}

function weekDay(year: number, week: number, weekday: number): number {
  const at = new Date(0)
  at.setUTCFullYear(year, 0, 4)
  const monday = at.getTime() - ((at.getUTCDay() + 6) % 7) * 86_400_000
  if (week < 1 || week > 53) throw valueError(`Invalid week: ${week}`)
  if (weekday < 1 || weekday > 7) throw valueError(`Invalid weekday: ${weekday} (range is [1, 7])`)
  return monday + ((week - 1) * 7 + weekday - 1) * 86_400_000
}

function inRange(name: string, text: string | undefined, high: number): number {
  const value = Number(text ?? 0)
  if (value > high) throw valueError(`${name} must be in 0..${high}`)
  return value
}

/** Reads what Python's `datetime.fromisoformat` reads. Throws ValueError. */
export function parseIso(text: unknown): IsoTime {
  if (typeof text !== 'string') throw typeError('fromisoformat: argument must be str')
  const found = iso.exec(text)
  if (found === null) throw valueError(`Invalid isoformat string: '${text}'`)
  const [, year, month, date, weekYear, week, weekday, hour, minute, second, fraction = ''] = found
  const [z, sign, zoneHours, zoneMinutes, zoneSeconds] = found.slice(11)
  const start =
    weekYear === undefined
      ? midnight(Number(year), Number(month), Number(date))
      : weekDay(Number(weekYear), Number(week), Number(weekday ?? 1))
  const seconds = inRange('hour', hour, 23) * 3600 + inRange('minute', minute, 59) * 60 + inRange('second', second, 59)
  const away = Number(zoneHours ?? 0) * 3600 + Number(zoneMinutes ?? 0) * 60 + Number(zoneSeconds ?? 0)
  if (away >= 86_400) throw valueError('offset must be a timedelta strictly between -24 and 24 hours')
  const offset = z !== undefined ? 0 : sign === undefined ? undefined : sign === '-' ? -away : away
  return { wall: start + seconds * 1000, micro: Number(fraction.slice(0, 6).padEnd(6, '0')), offset }
}
