const binary = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei']
const decimal = ['n', 'u', 'm', '', 'k', 'M', 'G', 'T', 'P', 'E']
const nano = 1_000_000_000n

/**
 * A quantity in the one form that the API server keeps (`resource.Quantity`): `0.5` is `500m`, `1024Mi` is `1Gi`. What
 * is no quantity stays as it is.
 */
export function canonicalQuantity(value: unknown): unknown {
  const match = /^([+-]?)(\d*)(?:\.(\d*))?(?:([eE][+-]?\d{1,2})|(n|u|m|k|M|G|T|P|E|[KMGTPE]i))?$/.exec(String(value))
  if (!match) return value
  const [, sign = '', whole = '', fraction = '', exponent, suffix = ''] = match
  if (whole === '' && fraction === '') return value
  const digits = BigInt(whole + fraction.padEnd(9, '0').slice(0, 9))
  const shown = sign === '-' && digits !== 0n ? '-' : ''
  if (exponent !== undefined) return `${shown}${withExponent(digits, exponent)}`
  if (suffix.endsWith('i')) return `${shown}${inBinary(digits * 1024n ** BigInt(binary.indexOf(suffix)))}`
  return `${shown}${inDecimal(scaled(digits, (decimal.indexOf(suffix) - 3) * 3))}`
}

/** Nano-units times ten to a power, rounded up to whole nano-units. */
function scaled(nanos: bigint, power: number): bigint {
  if (power >= 0) return nanos * 10n ** BigInt(power)
  const divisor = 10n ** BigInt(-power)
  return (nanos + divisor - 1n) / divisor
}

function inBinary(nanos: bigint): string {
  if (nanos % nano !== 0n) return inDecimal(nanos)
  let value = nanos / nano
  let index = 0
  while (value !== 0n && value % 1024n === 0n && index < binary.length - 1) {
    value /= 1024n
    index++
  }
  return `${value}${binary[index]}`
}

function inDecimal(nanos: bigint): string {
  if (nanos === 0n) return '0'
  let value = nanos
  let index = 0
  while (value % 1000n === 0n && index < decimal.length - 1) {
    value /= 1000n
    index++
  }
  return `${value}${decimal[index]}`
}

function withExponent(digits: bigint, exponent: string): string {
  let nanos = scaled(digits, Number(exponent.slice(1)))
  if (nanos === 0n) return '0'
  let power = -9
  while (nanos % 1000n === 0n) {
    nanos /= 1000n
    power += 3
  }
  return power === 0 ? String(nanos) : `${nanos}e${power}`
}
