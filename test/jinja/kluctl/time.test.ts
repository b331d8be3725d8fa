import { describe, expect, it } from 'vitest'
import { Environment, JinjaError } from '../../../src/jinja/index.ts'
import { kluctlExtensions } from '../../../src/jinja/kluctl/index.ts'

const environment = new Environment(
  kluctlExtensions({
    searchPath: [],
    readFile: () => undefined,
    now: () => Date.UTC(2024, 1, 29, 12, 30, 45, 123),
    timeZone: 'Europe/Berlin',
  }),
)

// What kluctl 2.28 printed for these (watched), and Python's datetime for the rest.
describe('time', () => {
  it.each([
    ['{{ time.now() }}', '2024-02-29T13:30:45.123000'],
    ['{{ time.utcnow() }}', '2024-02-29T12:30:45.123000'],
    ["{{ time.parse_iso('2022-10-01T10:00') }}", '2022-10-01T10:00:00'],
    ["{{ time.parse_iso('2022-10-01T10:00:01.5+02:00') }}", '2022-10-01T10:00:01.500000+02:00'],
    ["{{ time.parse_iso('2022-10-01T10:00:00Z').as_timezone('America/New_York') }}", '2022-10-01T06:00:00-04:00'],
    ["{{ time.parse_iso('2022-10-01T10:00').as_timezone('UTC') }}", '2022-10-01T08:00:00+00:00'],
    ["{{ time.parse_iso('2022-10-01').weekday() }}", '5'],
    [
      "{{ time.parse_iso('20221001T1000') }} {{ time.parse_iso('2022-W40-6') }} {{ time.parse_iso('2022-10-01 10') }}",
      '2022-10-01T10:00:00 2022-10-08T00:00:00 2022-10-01T10:00:00',
    ],
    [
      "{% set t = time.parse_iso('2022-10-01T10:11:12.123456') %}{{ t.hour() }} {{ t.minute() }} {{ t.second() }} {{ t.nanosecond() }}",
      '10 11 12 123456000',
    ],
    ["{{ time.parse_iso('2022-10-01T10:00') + time.minute * 10 }}", '2022-10-01T10:10:00'],
    ["{{ time.parse_iso('2022-10-01T10:00') - time.hour * 10 }}", '2022-10-01T00:00:00'],
    ["{{ time.parse_iso('2022-10-01T10:00') + 1 }}", '2022-10-01T10:00:00.000001'],
    ["{{ time.parse_iso('2022-10-01T10:00') + time.hour * 1.5 }}", '2022-10-01T11:30:00'],
    [
      "{% set t = time.parse_iso('2022-10-01T10:00') %}{% set u = t + time.hour %}{{ t }} {{ u }}",
      '2022-10-01T11:00:00 2022-10-01T11:00:00',
    ],
    ["{{ time.parse_iso('2022-10-01T10:00') < time.parse_iso('2022-10-01T10:01') }}", 'True'],
    ["{{ time.parse_iso('2022-10-01T10:00Z') >= time.parse_iso('2022-10-01T12:00+02:00') }}", 'True'],
    ["{{ time.parse_iso('2022-10-01T10:00Z') == time.parse_iso('2022-10-01T12:00+02:00') }}", 'True'],
    ["{{ time.parse_iso('2022-10-01T10:00Z') == time.parse_iso('2022-10-01T10:00') }}", 'False'],
    [
      "{{ [time.parse_iso('2023-10-01T10:00'), time.parse_iso('2022-10-01T10:00')] | sort | first }}",
      '2022-10-01T10:00:00',
    ],
    ['{{ time.second }} {{ time.minute }} {{ time.hour + time.minute }}', '1000000 60000000 3660000000'],
    [
      "{{ time.parse_iso('2022-03-27T01:30:00+01:00').as_timezone('Europe/Berlin') + time.hour }}",
      '2022-03-27T02:30:00+01:00',
    ],
  ])('%s', (template, output) => {
    expect(environment.fromString(template).render()).toBe(output)
  })

  it.each([
    ["{{ time.parse_iso('x') }}", 'ValueError'],
    ["{{ time.parse_iso('2022-02-30') }}", 'ValueError'],
    ['{{ time.parse_iso(5) }}', 'TypeError'],
    ["{{ time.parse_iso('2022-10-01').as_timezone('Nope/X') }}", 'ZoneInfoNotFoundError'],
    ["{{ time.parse_iso('2022-10-01T10:00') < 1 }}", 'ValueError'],
    ["{{ time.parse_iso('2022-10-01T10:00Z') < time.parse_iso('2022-10-01T10:00') }}", 'TypeError'],
    ["{{ time.parse_iso('2022-10-01T10:00') + 'x' }}", 'TypeError'],
    ["{{ 5 + time.parse_iso('2022-10-01T10:00') }}", 'TypeError'],
    ["{{ time.parse_iso('9999-10-01T10:00') + time.hour * 24 * 365 }}", 'OverflowError'],
    ["{{ time.now('UTC') }}", 'TypeError'],
    ['{{ time.now().year }}', 'UndefinedError'],
  ])('%s fails', (template, type) => {
    const error = (() => {
      try {
        return environment.fromString(template).render()
      } catch (thrown) {
        return thrown
      }
    })()
    expect(error).toBeInstanceOf(JinjaError)
    expect(error).toMatchObject({ pythonType: type })
  })
})
