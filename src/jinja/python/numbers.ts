import { BudgetError, PythonError } from '../errors.ts'
import { normalizeInt } from '../host.ts'
import type { Context } from '../runtime/context.ts'
import { PyFloat, type Value } from '../values.ts'

/** Ints past this many bits are refused: arithmetic on them would cost more than a step stands for. */
const maxIntBits = 1 << 20

/** An int or float result of arithmetic. */
export type Numeric = number | bigint | PyFloat

function zeroDivision(message: string): PythonError {
  return new PythonError('ZeroDivisionError', message)
}

/** About how many bits an int has. */
export function bitsOf(value: number | bigint): number {
  if (typeof value === 'number') return value === 0 ? 1 : Math.floor(Math.log2(Math.abs(value))) + 1
  return value.toString(16).length * 4
}

function chargeBits(context: Context, bits: number): void {
  if (bits > maxIntBits) throw new BudgetError('valueBytes', maxIntBits / 8)
  context.step(1 + (bits >> 4))
}

function wide(context: Context, a: number | bigint, b: number | bigint, sum: boolean): void {
  const left = bitsOf(a)
  const right = bitsOf(b)
  chargeBits(context, sum ? Math.max(left, right) + 1 : left + right)
}

/** `a + b` of ints. */
export function addInts(context: Context, a: number | bigint, b: number | bigint): number | bigint {
  if (typeof a === 'number' && typeof b === 'number') {
    const sum = a + b
    if (Number.isSafeInteger(sum)) return sum
  }
  wide(context, a, b, true)
  return normalizeInt(BigInt(a) + BigInt(b))
}

/** `a - b` of ints. */
export function subtractInts(context: Context, a: number | bigint, b: number | bigint): number | bigint {
  if (typeof a === 'number' && typeof b === 'number') {
    const difference = a - b
    if (Number.isSafeInteger(difference)) return difference
  }
  wide(context, a, b, true)
  return normalizeInt(BigInt(a) - BigInt(b))
}

/** `a * b` of ints. */
export function multiplyInts(context: Context, a: number | bigint, b: number | bigint): number | bigint {
  if (typeof a === 'number' && typeof b === 'number') {
    const product = a * b
    if (Number.isSafeInteger(product)) return product + 0
  }
  wide(context, a, b, false)
  return normalizeInt(BigInt(a) * BigInt(b))
}

/** `a / b` of ints, which is a float. */
export function divideInts(a: number | bigint, b: number | bigint): PyFloat {
  if (b === 0) throw zeroDivision('division by zero')
  if (typeof a === 'number' && typeof b === 'number') return new PyFloat(a / b + 0)
  const quotient = divideWide(BigInt(a), BigInt(b))
  if (!Number.isFinite(quotient))
    throw new PythonError('OverflowError', 'integer division result too large for a float')
  return new PyFloat(quotient)
}

function divideWide(a: bigint, b: bigint): number {
  const negative = a < 0n !== b < 0n
  const dividend = a < 0n ? -a : a
  const divisor = b < 0n ? -b : b
  // Scale so that the quotient has at least 64 bits, and keep a sticky bit for right rounding.
  const shift = Math.max(0, 66 - (bitsOf(dividend) - bitsOf(divisor)))
  const scaled = dividend << BigInt(shift)
  let quotient = scaled / divisor
  if (scaled % divisor !== 0n) quotient |= 1n
  const size = Number(quotient)
  const result = shift > 1000 ? size / 2 ** 1000 / 2 ** (shift - 1000) : size / 2 ** shift
  return negative ? -result : result
}

/** `a // b` of ints. */
export function floorDivideInts(context: Context, a: number | bigint, b: number | bigint): number | bigint {
  if (b === 0) throw zeroDivision('integer division or modulo by zero')
  if (typeof a === 'number' && typeof b === 'number') {
    const rest = moduloNumbers(a, b)
    const difference = a - rest
    if (Number.isSafeInteger(difference)) return difference / b + 0
  }
  wide(context, a, b, true)
  const dividend = BigInt(a)
  const divisor = BigInt(b)
  const quotient = dividend / divisor
  const inexact = quotient * divisor !== dividend && dividend < 0n !== divisor < 0n
  return normalizeInt(inexact ? quotient - 1n : quotient)
}

function moduloNumbers(a: number, b: number): number {
  const rest = a % b
  return rest !== 0 && rest < 0 !== b < 0 ? rest + b : rest + 0
}

/** `a % b` of ints: the sign is the divisor's. */
export function moduloInts(context: Context, a: number | bigint, b: number | bigint): number | bigint {
  if (b === 0) throw zeroDivision('integer modulo by zero')
  if (typeof a === 'number' && typeof b === 'number') return moduloNumbers(a, b)
  wide(context, a, b, true)
  const divisor = BigInt(b)
  const rest = BigInt(a) % divisor
  return normalizeInt(rest !== 0n && rest < 0n !== divisor < 0n ? rest + divisor : rest)
}

/** `a ** b` of ints: a float for a negative exponent. */
export function powerInts(context: Context, a: number | bigint, b: number | bigint): Numeric {
  if (b < 0) {
    if (a === 0) throw zeroDivision('0.0 cannot be raised to a negative power')
    return powerFloats(Number(a), Number(b)) as Numeric
  }
  if (b === 0) return 1
  if (a === 0 || a === 1) return a
  if (a === -1) return BigInt(b) % 2n === 0n ? 1 : -1
  chargeBits(context, bitsOf(a) * Number(b))
  const simple = Number(a) ** Number(b)
  return Number.isSafeInteger(simple) ? simple : normalizeInt(BigInt(a) ** BigInt(b))
}

/** An int as a float. Throws OverflowError when it is too large. */
export function toFloat(value: number | bigint): number {
  const float = Number(value)
  if (typeof value === 'bigint' && !Number.isFinite(float)) {
    throw new PythonError('OverflowError', 'int too large to convert to float')
  }
  return float
}

/** `a / b` of floats. */
export function divideFloats(a: number, b: number): Value {
  if (b === 0) throw zeroDivision('float division by zero')
  return new PyFloat(a / b)
}

/** `a // b` of floats. */
export function floorDivideFloats(a: number, b: number): Value {
  if (b === 0) throw zeroDivision('float floor division by zero')
  const rest = moduloFloat(a, b)
  const quotient = (a - rest) / b
  if (quotient === 0) return new PyFloat(a < 0 !== b < 0 ? -0 : 0)
  const floor = Math.floor(quotient)
  return new PyFloat(quotient - floor > 0.5 ? floor + 1 : floor)
}

function moduloFloat(a: number, b: number): number {
  const rest = a % b
  if (rest === 0) return b < 0 ? -0 : 0
  return rest < 0 !== b < 0 ? rest + b : rest
}

/** `a % b` of floats: the sign is the divisor's. */
export function moduloFloats(a: number, b: number): Value {
  if (b === 0) throw zeroDivision('float modulo')
  return new PyFloat(moduloFloat(a, b))
}

/** `a ** b` of floats. Throws where Python would give a complex number. */
export function powerFloats(a: number, b: number): Value {
  if (a === 0 && b < 0) throw zeroDivision('0.0 cannot be raised to a negative power')
  if (a === 1 || b === 0) return new PyFloat(1)
  const result = a ** b
  if (Number.isNaN(result) && !Number.isNaN(a) && !Number.isNaN(b)) {
    if (a === -1) return new PyFloat(1)
    throw new PythonError('ValueError', 'complex numbers are not supported')
  }
  if (!Number.isFinite(result) && Number.isFinite(a) && Number.isFinite(b)) {
    throw new PythonError('OverflowError', "(34, 'Numerical result out of range')")
  }
  return new PyFloat(result)
}
