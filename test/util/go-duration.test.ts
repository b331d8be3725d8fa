import { expect, it } from 'vitest'
import { parseGoDuration } from '../../src/util/go-duration.ts'

it.each([
  ['90s', 90_000],
  ['1h30m', 5_400_000],
  ['1m0.5s', 60_500],
  ['.5s', 500],
  ['-1.5h', -5_400_000],
  ['300ms', 300],
  ['2000us', 2],
  ['0', 0],
])('%s is %d ms', (text, milliseconds) => {
  expect(parseGoDuration(text)).toBeCloseTo(milliseconds)
})

it.each(['', '5', '5 s', '1d', 's', '1..5s', '5S', '--1s'])('"%s" is no duration', text => {
  expect(parseGoDuration(text)).toBeUndefined()
})
