import { PythonError } from '../errors.ts'
import { normalizeInt } from '../host.ts'
import { numeric } from '../python/compare.ts'
import { bitsOf } from '../python/numbers.ts'
import { PyBytes, type PyFloat, PyTuple, type Value } from '../values.ts'
import { named, needInt, positional } from './define.ts'
import type { Method, MethodTable } from './method.ts'

function int(self: Value): number | bigint {
  return numeric(self) ?? 0
}

/** `float.as_integer_ratio()` */
function ratio(value: number): PyTuple {
  if (!Number.isFinite(value)) {
    const kind = Number.isNaN(value) ? 'NaN' : 'Infinity'
    throw new PythonError(kind === 'NaN' ? 'ValueError' : 'OverflowError', `cannot convert ${kind} to integer ratio`)
  }
  let numerator = value
  let denominator = 1n
  while (!Number.isInteger(numerator)) {
    numerator *= 2
    denominator *= 2n
  }
  return new PyTuple([normalizeInt(BigInt(numerator)), normalizeInt(denominator)])
}

function floatHex(value: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'nan' : value > 0 ? 'inf' : '-inf'
  const sign = value < 0 || Object.is(value, -0) ? '-' : ''
  if (value === 0) return `${sign}0x0.0p+0`
  const bits = new DataView(new ArrayBuffer(8))
  bits.setFloat64(0, Math.abs(value))
  const high = bits.getUint32(0)
  const exponent = high >>> 20
  const fraction = (high & 0xfffff).toString(16).padStart(5, '0') + bits.getUint32(4).toString(16).padStart(8, '0')
  const power = exponent === 0 ? -1022 : exponent - 1023
  return `${sign}0x${exponent === 0 ? 0 : 1}.${fraction}p${power < 0 ? '' : '+'}${power}`
}

function bitCount(value: number | bigint): number {
  const text = (value < 0 ? -BigInt(value) : BigInt(value)).toString(2)
  return text.split('1').length - 1
}

function toBytes(value: number | bigint, length: number, order: Value): PyBytes {
  if (value < 0) throw new PythonError('OverflowError', "can't convert negative int to unsigned")
  const hex = value.toString(16)
  const digits = hex.padStart(hex.length + (hex.length % 2), '0')
  if (digits.length / 2 > length && value !== 0) throw new PythonError('OverflowError', 'int too big to convert')
  const bytes = new Uint8Array(Buffer.from(value === 0 ? '' : digits, 'hex'))
  const padded = new Uint8Array(length)
  padded.set(bytes, length - bytes.length)
  return new PyBytes(order === 'little' ? padded.reverse() : padded)
}

/** The methods of int and bool. */
export const intMethods: MethodTable = new Map<string, Method>([
  positional('bit_length', 0, 0, (_context, self: Value) => {
    const number = int(self)
    if (number === 0) return 0
    return typeof number === 'number' ? bitsOf(number) : (number < 0n ? -number : number).toString(2).length
  }),
  positional('bit_count', 0, 0, (_context, self: Value) => bitCount(int(self))),
  positional('conjugate', 0, 0, (_context, self: Value) => int(self)),
  named('to_bytes', ['length', 'byteorder'], 0, (context, self: Value, length = 1, order = 'big') => {
    context.allocate(needInt(length))
    return toBytes(int(self), needInt(length), order)
  }),
  positional('as_integer_ratio', 0, 0, (_context, self: Value) => new PyTuple([int(self), 1])),
])

/** The methods of float. */
export const floatMethods: MethodTable = new Map<string, Method>([
  positional('is_integer', 0, 0, (_context, self: PyFloat) => Number.isInteger(self.value)),
  positional('conjugate', 0, 0, (_context, self: PyFloat) => self),
  positional('as_integer_ratio', 0, 0, (_context, self: PyFloat) => ratio(self.value)),
  positional('hex', 0, 0, (_context, self: PyFloat) => floatHex(self.value)),
])
