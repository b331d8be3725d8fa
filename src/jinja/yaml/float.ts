import { floatRepr } from '../python/float.ts'

/** A float as PyYAML writes it: an exponent always has a point before it, so that YAML 1.1 reads it back. */
export function formatFloat(value: number): string {
  if (Number.isNaN(value)) return '.nan'
  if (!Number.isFinite(value)) return value > 0 ? '.inf' : '-.inf'
  const text = floatRepr(value)
  return text.includes('.') ? text : text.replace('e', '.0e')
}
