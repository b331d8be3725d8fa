/** What a plain scalar means to Go's yaml.v2, which kluctl reads its own files with: YAML 1.1 with its own choices. */
export type Scalar = null | boolean | number | bigint | string

const words = new Map<string, Scalar>([
  ...['y', 'Y', 'yes', 'Yes', 'YES', 'true', 'True', 'TRUE', 'on', 'On', 'ON'].map(word => [word, true] as const),
  ...['n', 'N', 'no', 'No', 'NO', 'false', 'False', 'FALSE', 'off', 'Off', 'OFF'].map(word => [word, false] as const),
  ...['', '~', 'null', 'Null', 'NULL'].map(word => [word, null] as const),
  ...['.nan', '.NaN', '.NAN'].map(word => [word, Number.NaN] as const),
  ...['.inf', '.Inf', '.INF', '+.inf', '+.Inf', '+.INF'].map(word => [word, Number.POSITIVE_INFINITY] as const),
  ...['-.inf', '-.Inf', '-.INF'].map(word => [word, Number.NEGATIVE_INFINITY] as const),
])

const integer = /^([-+]?)(?:0[xX]([0-9a-fA-F]+)|0[bB]([01]+)|0[oO]([0-7]+)|0([0-7]+)|(0|[1-9][0-9]*))$/
const float = /^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/
const minInt = -(2n ** 63n)
const maxUint = 2n ** 64n - 1n

/** The value of a plain scalar; integers beyond 2^53 are bigint. Timestamps stay strings. */
export function resolvePlain(text: string): Scalar {
  const word = words.get(text)
  if (word !== undefined) return word
  if (/^\.[0-9]/.test(text)) return readFloat(text) ?? text
  if (!/^[-+0-9]/.test(text)) return text
  const digits = text.replaceAll('_', '')
  return readInteger(digits) ?? readFloat(digits) ?? text
}

/** Beyond the range of a float Go reads no number: `1e400` stays text. */
function readFloat(digits: string): number | undefined {
  const value = float.test(digits) ? Number(digits) : undefined
  return value !== undefined && Number.isFinite(value) ? value : undefined
}

function readInteger(digits: string): number | bigint | undefined {
  const [, sign, hex, binary, octal, oldOctal, decimal] = integer.exec(digits) ?? []
  const text =
    decimal ??
    (hex === undefined ? undefined : `0x${hex}`) ??
    (binary === undefined ? undefined : `0b${binary}`) ??
    (octal === undefined && oldOctal === undefined ? undefined : `0o${octal ?? oldOctal}`)
  if (text === undefined) return undefined
  const value = sign === '-' ? -BigInt(text) : BigInt(text)
  // An unsigned number with a plus sign is beyond what Go's ParseUint reads.
  if (value < minInt || value > maxUint || (sign === '+' && value >= 2n ** 63n)) return undefined
  return value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value
}

/** A number as Go's `strconv.FormatFloat(x, 'g', -1, 32)` writes it, which is how a float becomes a string or key. */
export function formatFloat32(value: number): string {
  if (Number.isNaN(value)) return '.nan'
  if (!Number.isFinite(value)) return value < 0 ? '-.inf' : '.inf'
  const rounded = Math.fround(value)
  let digits = 1
  while (digits < 9 && Math.fround(Number(value.toPrecision(digits))) !== rounded) digits++
  return formatG(value.toPrecision(digits))
}

/** Go's shortest `%g` of a decimal: an exponent below -4 or from 6 on is written with `e`, in at least two digits. */
function formatG(decimal: string): string {
  const [mantissa = '', exponent = ''] = Number(decimal).toExponential().split('e')
  const power = Number(exponent)
  if (power >= -4 && power < 6) return String(Number(decimal))
  return `${mantissa}e${power < 0 ? '-' : '+'}${String(Math.abs(power)).padStart(2, '0')}`
}
