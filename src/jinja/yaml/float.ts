/** A float as Python's `repr` prints it. */
export function floatRepr(value: number): string {
  if (Number.isNaN(value)) return 'nan'
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf'
  const [digits = '', exponent = '0'] = value.toExponential().split('e')
  const power = Number(exponent)
  if (power < -4 || power >= 16) return `${digits}e${power < 0 ? '-' : '+'}${String(Math.abs(power)).padStart(2, '0')}`
  const text = Object.is(value, -0) ? '-0' : plainDecimal(value, power)
  return text.includes('.') ? text : `${text}.0`
}

function plainDecimal(value: number, power: number): string {
  const text = String(value)
  if (!text.includes('e')) return text
  return value.toFixed(Math.min(100, -power + 17)).replace(/0+$/, '')
}

/** A float as PyYAML writes it: an exponent always has a point before it, so that YAML 1.1 reads it back. */
export function formatFloat(value: number): string {
  if (Number.isNaN(value)) return '.nan'
  if (!Number.isFinite(value)) return value > 0 ? '.inf' : '-.inf'
  const text = floatRepr(value)
  return text.includes('.') ? text : text.replace('e', '.0e')
}
