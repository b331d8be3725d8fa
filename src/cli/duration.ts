import { EngineError } from '../engine/errors.ts'

/** Milliseconds of a duration as Go writes them: `90s`, `1h30m`, `1m0.5s`. @throws EngineError */
export function parseDuration(text: string): number {
  if (!/^(?:[0-9.]+(?:ms|h|m|s))+$/.test(text))
    throw new EngineError(`invalid duration ${JSON.stringify(text)}; expected 90s or 1h30m`)
  const units = { h: 3_600_000, m: 60_000, s: 1000, ms: 1 } as const
  let sum = 0
  for (const [, number, unit] of text.matchAll(/([0-9.]+)(ms|h|m|s)/g)) {
    sum += Number(number) * units[unit as keyof typeof units]
  }
  if (!Number.isFinite(sum) || sum <= 0) throw new EngineError(`invalid duration ${JSON.stringify(text)}`)
  return sum
}
