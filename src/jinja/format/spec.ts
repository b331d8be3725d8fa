import { valueError } from '../errors.ts'

/** Python's format specification: `[[fill]align][sign][z][#][0][width][grouping][.precision][type]`. */
export interface FormatSpec {
  readonly fill: string
  readonly align: '<' | '>' | '=' | '^' | ''
  readonly sign: '+' | '-' | ' '
  readonly alternate: boolean
  readonly width: number
  readonly grouping: ',' | '_' | ''
  readonly precision: number | undefined
  readonly type: string
}

const pattern = /^(?:([\s\S])?([<>=^]))?([+\- ])?(z)?(#)?(0)?(\d+)?([,_])?(?:\.(\d+))?([\s\S])?$/u

/** Reads a specification. Throws ValueError. */
export function parseSpec(text: string): FormatSpec {
  const match = pattern.exec(text)
  if (match === null) {
    throw valueError(/\.(?!\d)/.test(text) ? 'Format specifier missing precision' : 'Invalid format specifier')
  }
  const [, fill, align, sign, , alternate, zero, width, grouping, precision, type] = match
  const zeroed = zero !== undefined && align === undefined
  return {
    fill: fill ?? (zero === undefined ? ' ' : '0'),
    align: (align ?? (zeroed ? '=' : '')) as FormatSpec['align'],
    sign: (sign ?? '-') as FormatSpec['sign'],
    alternate: alternate !== undefined,
    width: Number(width ?? 0),
    grouping: (grouping ?? '') as FormatSpec['grouping'],
    precision: precision === undefined ? undefined : Number(precision),
    type: type ?? '',
  }
}

/** Puts digits into groups of `size` from the right. */
export function group(digits: string, separator: string, size: number): string {
  let grouped = ''
  for (let end = digits.length; end > 0; end -= size) {
    const part = digits.slice(Math.max(0, end - size), end)
    grouped = grouped === '' ? part : part + separator + grouped
  }
  return grouped
}

/** Fills text up to the specification's width; `length` is its length in characters. */
export function pad(text: string, length: number, spec: FormatSpec, preferred: '<' | '>'): string {
  const missing = spec.width - length
  if (missing <= 0) return text
  const align = spec.align === '' ? preferred : spec.align
  if (align === '<') return text + spec.fill.repeat(missing)
  if (align !== '^') return spec.fill.repeat(missing) + text
  const left = Math.floor(missing / 2)
  return spec.fill.repeat(left) + text + spec.fill.repeat(missing - left)
}
