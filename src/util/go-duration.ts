const units: Readonly<Record<string, number>> = {
  h: 3_600_000,
  m: 60_000,
  s: 1000,
  ms: 1,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ns: 1e-6,
}

/** Milliseconds of a duration as Go's `time.ParseDuration` reads it (`90s`, `1h30m`, `-1.5h`); undefined for others. */
export function parseGoDuration(text: string): number | undefined {
  const [, sign, rest = ''] = /^([+-]?)(.+)$/s.exec(text) ?? []
  if (rest === '0') return 0
  if (!/^(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+$/.test(rest)) return undefined
  let sum = 0
  for (const [, number, unit = ''] of rest.matchAll(/([\d.]+)([^\d.]+)/g)) sum += Number(number) * (units[unit] ?? 0)
  return sign === '-' ? -sum : sum
}
