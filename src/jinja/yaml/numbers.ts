import { valueError } from '../errors.ts'
import { normalizeInt } from '../host.ts'
import { PyFloat } from '../values.ts'

function sexagesimal(digits: string): bigint {
  return digits.split(':').reduce((sum, part) => sum * 60n + BigInt(part), 0n)
}

function magnitude(digits: string): bigint {
  if (digits === '0') return 0n
  if (/^0[bx]/.test(digits)) return BigInt(digits)
  if (digits.startsWith('0')) return BigInt(`0o${digits}`)
  return digits.includes(':') ? sexagesimal(digits) : BigInt(digits)
}

/** The int of a YAML 1.1 scalar: decimal, `0b`, octal with a leading zero, `0x`, base 60; underscores are skipped. */
export function readInt(scalar: string): number | bigint {
  const text = scalar.replaceAll('_', '')
  const sign = text.startsWith('-') ? -1n : 1n
  const digits = text.replace(/^[-+]/, '')
  if (digits === '') throw valueError(`invalid literal for int(): '${scalar}'`)
  try {
    return normalizeInt(sign * magnitude(digits))
  } catch (cause) {
    if (cause instanceof SyntaxError) throw valueError(`invalid literal for int(): '${scalar}'`)
    throw cause
  }
}

const decimal = /^(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?$/

/** The float of a YAML 1.1 scalar, base 60 included. */
export function readFloat(scalar: string): PyFloat {
  const text = scalar.replaceAll('_', '').toLowerCase()
  const sign = text.startsWith('-') ? -1 : 1
  const digits = text.replace(/^[-+]/, '')
  if (digits === '.inf') return new PyFloat(sign * Number.POSITIVE_INFINITY)
  if (digits === '.nan') return new PyFloat(Number.NaN)
  const parts = digits.split(':').map(part => (decimal.test(part) ? Number(part) : Number.NaN))
  const value = parts.reduce((sum, part) => sum * 60 + part, 0)
  if (Number.isNaN(value)) throw valueError(`could not convert string to float: '${scalar}'`)
  return new PyFloat(sign * value)
}
