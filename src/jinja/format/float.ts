import { floatRepr, pythonExponent } from '../python/float.ts'

/** `%.{precision}f` exactly, also for numbers and precisions that `toFixed` does not take. */
export function fixed(value: number, precision: number): string {
  const isTie = precision < 20 && Number.isInteger(value * 10 ** precision * 2) && !Number.isInteger(value)
  if (precision <= 100 && Math.abs(value) < 1e21 && !isTie && !Object.is(value, -0)) return value.toFixed(precision)
  return exactDecimal(value, precision)
}

/** The exact decimal expansion of a float, rounded half to even at `precision` places. */
function exactDecimal(value: number, precision: number): string {
  let mantissa = Math.abs(value)
  let exponent = 0
  while (!Number.isInteger(mantissa)) {
    mantissa *= 2
    exponent++
  }
  const scaled = BigInt(mantissa) * 10n ** BigInt(precision)
  const divisor = 1n << BigInt(exponent)
  let quotient = scaled / divisor
  const rest = (scaled % divisor) * 2n
  if (rest > divisor || (rest === divisor && quotient % 2n === 1n)) quotient++
  const digits = quotient.toString().padStart(precision + 1, '0')
  const whole = digits.slice(0, digits.length - precision)
  const sign = value < 0 || Object.is(value, -0) ? '-' : ''
  return precision === 0 ? sign + whole : `${sign}${whole}.${digits.slice(digits.length - precision)}`
}

/** `%.{precision}e` */
export function exponential(value: number, precision: number): string {
  if (precision <= 70) return pythonExponent(halfEven(value, precision))
  if (precision <= 100) return pythonExponent(value.toExponential(precision))
  const most = 100
  const [digits = '', exponent = '+0'] = value.toExponential(most).split('e')
  return pythonExponent(`${digits}${'0'.repeat(precision - most)}e${exponent}`)
}

/** JavaScript rounds a tie up; Python rounds it to the even digit. */
function halfEven(value: number, precision: number): string {
  const rounded = value.toExponential(precision)
  const [digits = '', exponent] = value.toExponential(precision + 30).split('e')
  const cut = digits.length - 30
  if (!/^50*$/.test(digits.slice(cut))) return rounded
  const kept = digits.slice(0, cut).replace(/\.$/, '')
  return Number(kept.at(-1)) % 2 === 0 ? `${kept}e${exponent}` : rounded
}

/** `%.{precision}g`: the shorter of fixed and exponent form, zeros at the end cut unless `keepZeros`. */
export function general(value: number, precision: number, keepZeros: boolean): string {
  const digits = Math.max(1, precision)
  if (value === 0) return keepZeros && digits > 1 ? fixed(value, digits - 1) : Object.is(value, -0) ? '-0' : '0'
  const scientific = exponential(value, digits - 1)
  const exponent = Number(scientific.slice(scientific.indexOf('e') + 1))
  if (exponent < -4 || exponent >= digits) return keepZeros ? scientific : cutZeros(scientific)
  const plain = fixed(value, digits - 1 - exponent)
  return keepZeros ? plain : cutZeros(plain)
}

function cutZeros(text: string): string {
  const [digits = '', exponent] = text.split('e')
  let kept = digits
  if (kept.includes('.')) {
    let end = kept.length
    while (kept[end - 1] === '0') end--
    if (kept[end - 1] === '.') end--
    kept = kept.slice(0, end)
  }
  return exponent === undefined ? kept : `${kept}e${exponent}`
}

/** A float by type letter; without a letter as `str` prints it, or `g`-like with a precision. */
export function formatFloat(value: number, type: string, precision: number | undefined, alternate: boolean): string {
  if (!Number.isFinite(value)) {
    const text = Number.isNaN(value) ? 'nan' : value > 0 ? 'inf' : '-inf'
    const shown = type === '%' ? `${text}%` : text
    return type === 'F' || type === 'E' || type === 'G' ? shown.toUpperCase() : shown
  }
  switch (type) {
    case 'f':
    case 'F':
      return withPoint(fixed(value, precision ?? 6), alternate)
    case '%':
      return `${withPoint(fixed(value * 100, precision ?? 6), alternate)}%`
    case 'e':
      return exponential(value, precision ?? 6)
    case 'E':
      return exponential(value, precision ?? 6).toUpperCase()
    case 'g':
    case 'n':
      return general(value, precision ?? 6, alternate)
    case 'G':
      return general(value, precision ?? 6, alternate).toUpperCase()
    default:
      return precision === undefined ? floatRepr(value) : asStr(value, precision)
  }
}

function withPoint(text: string, alternate: boolean): string {
  return alternate && !text.includes('.') ? `${text}.` : text
}

/** `format(x, '.3')`: like `g`, but with at least one digit after the point, and exponent form a digit sooner. */
function asStr(value: number, precision: number): string {
  const digits = Math.max(1, precision)
  const scientific = exponential(value, digits - 1)
  const exponent = value === 0 ? 0 : Number(scientific.slice(scientific.indexOf('e') + 1))
  if (exponent < -4 || exponent >= digits) return cutZeros(scientific)
  const text = general(value, digits, false)
  if (text.includes('e')) return text
  if (text.includes('.')) return text
  return exponent === digits - 1 ? cutZeros(scientific) : `${text}.0`
}
