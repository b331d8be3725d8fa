import { PythonError } from '../errors.ts'

const formats = new Map<string, Intl.DateTimeFormat>()

function formatOf(zone: string): Intl.DateTimeFormat {
  let format = formats.get(zone)
  if (format !== undefined) return format
  try {
    format = new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      hourCycle: 'h23',
      era: 'short',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    })
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause
    throw new PythonError('ZoneInfoNotFoundError', `'No time zone found with key ${zone}'`, { cause })
  }
  formats.set(zone, format)
  return format
}

/** Seconds that a zone (IANA name) is ahead of UTC at an instant in milliseconds. Throws ZoneInfoNotFoundError. */
export function offsetAt(zone: string, instant: number): number {
  const parts = new Map(
    formatOf(zone)
      .formatToParts(instant)
      .map(part => [part.type, part.value]),
  )
  const number = (type: Intl.DateTimeFormatPartTypes) => Number(parts.get(type))
  const year = parts.get('era') === 'BC' ? 1 - number('year') : number('year')
  const wall = new Date(0)
  wall.setUTCFullYear(year, number('month') - 1, number('day'))
  wall.setUTCHours(number('hour'), number('minute'), number('second'))
  return Math.round((wall.getTime() - Math.floor(instant / 1000) * 1000) / 1000)
}

/** Seconds that a zone is ahead of UTC when its clocks show this time (milliseconds as if it were UTC); of two, the first. */
export function offsetAtWall(zone: string, wall: number): number {
  const before = offsetAt(zone, wall - 86_400_000)
  const guess = offsetAt(zone, wall - before * 1000)
  if (guess === before) return before
  const after = offsetAt(zone, wall - guess * 1000)
  return after === guess ? guess : before
}
