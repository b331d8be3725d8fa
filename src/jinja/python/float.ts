/** `repr(float)` of Python: the shortest digits that read back, exponent form below 1e-4 and from 1e16. */
export function floatRepr(value: number): string {
  if (Number.isNaN(value)) return 'nan'
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf'
  if (Object.is(value, -0)) return '-0.0'
  const magnitude = Math.abs(value)
  if (value === 0 || (magnitude >= 1e-4 && magnitude < 1e16)) {
    return Number.isInteger(value) ? `${value}.0` : String(value)
  }
  return pythonExponent(value.toExponential())
}

/** Rewrites JavaScript's exponent (`e+5`) as Python's, which has two digits at least (`e+05`). */
export function pythonExponent(text: string): string {
  return text.replace(/e([+-])(\d)$/, 'e$10$2')
}

/** The integer a float's whole part is. */
export function floatToBigInt(value: number): bigint {
  return BigInt(Math.trunc(value))
}
