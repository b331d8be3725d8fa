import { isObject, type Json, type JsonObject } from '../values.ts'
import { doubleQuoted } from './double-quoted.ts'
import { folded } from './fold.ts'
import { compareKeys } from './key-order.ts'
import { resolvePlain } from './resolve.ts'

/** Text that YAML readers of version 1.1 or 1.2 might take for something else than a string. */
const ambiguous =
  /^(?:[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?|[-+]?[0-9][0-9_]*(?:\.[0-9_]*)?(?:[eE][-+]?[0-9]+)?|[-+]?\.[0-9_]+(?:[eE][-+]?[0-9]+)?|[-+]?0[xXoObB][0-9a-fA-F_]+|[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt \t].*)?|=|<<)$/
const indicator = /^(?:[-?:](?:\s|$)|[,[\]{}#&*!|>'"%@`]|---|\.\.\.)/
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters that need escapes.
const special = /[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]/

/** One document per value, with `---` between them, as Go's yaml writes them; nothing at all for no values. */
export function writeYamlAll(values: readonly Json[]): string {
  return values.map(value => writeYaml(value)).join('---\n')
}

/** A value as one YAML document in block style with sorted keys, lists not indented below their keys. */
export function writeYaml(value: Json): string {
  const lines: string[] = []
  if (isCollection(value)) writeCollection(value, 0, lines)
  else lines.push(typeof value === 'string' && value.includes('\n') ? doubleQuoted(value, 0, 0) : scalar(value, 0, 0))
  return `${lines.join('\n')}\n`
}

function isCollection(value: Json | undefined): value is Json[] | JsonObject {
  return Array.isArray(value) ? value.length > 0 : isObject(value) && Object.keys(value).length > 0
}

function writeCollection(value: Json[] | JsonObject, indent: number, lines: string[]): void {
  const pad = ' '.repeat(indent)
  if (Array.isArray(value)) {
    for (const item of value) {
      if (!isCollection(item)) lines.push(`${pad}- ${scalar(item, indent + 2, indent + 2)}`)
      else {
        const inner: string[] = []
        writeCollection(item, indent + 2, inner)
        lines.push(`${pad}- ${(inner[0] ?? '').slice(indent + 2)}`, ...inner.slice(1))
      }
    }
    return
  }
  for (const key of Object.keys(value).sort(compareKeys)) {
    const inner = value[key] as Json
    const head = `${pad}${keyText(key)}:`
    if (!isCollection(inner)) lines.push(`${head} ${scalar(inner, indent + 2, head.length + 1)}`)
    else {
      lines.push(head)
      writeCollection(inner, Array.isArray(inner) ? indent : indent + 2, lines)
    }
  }
}

/** Keys stay on one line. */
function keyText(key: string): string {
  return isPlain(key) ? key : inQuotes(key, Number.NEGATIVE_INFINITY, 0)
}

function scalar(value: Json, indent: number, column: number): string {
  if (typeof value === 'string') return string(value, indent, column)
  if (typeof value === 'number') return number(value)
  if (Array.isArray(value)) return '[]'
  return isObject(value) ? '{}' : String(value)
}

function number(value: number): string {
  if (Number.isFinite(value)) return finite(value)
  if (Number.isNaN(value)) return '.nan'
  return value < 0 ? '-.inf' : '.inf'
}

/** Integers of 64 bits in digits, the rest as Go's shortest form: with an exponent below 1e-4 and from 1e6. */
function finite(value: number): string {
  if (Number.isInteger(value) && value > -(2 ** 63) && value < 2 ** 64) return String(value)
  const [digits = '', exponent = ''] = value.toExponential().split('e')
  const power = Number(exponent)
  if (power >= -4 && power < 6) return String(value)
  return `${digits}e${power < 0 ? '-' : '+'}${String(Math.abs(power)).padStart(2, '0')}`
}

function string(text: string, indent: number, column: number): string {
  if (text.includes('\n') && canBeLiteral(text)) return literal(text, indent)
  if (isPlain(text)) return folded(text, column, indent, '')
  return inQuotes(text, column, indent)
}

/** Single quotes for what only looks like syntax; double ones, as Go's writers, for what would be no string. */
function inQuotes(text: string, column: number, indent: number): string {
  const isSyntax = text !== '' && !/[\n\t]/.test(text) && !special.test(text) && !isAmbiguous(text)
  if (!isSyntax) return doubleQuoted(text, column, indent)
  return folded(`'${text.replaceAll("'", "''")}'`, column, indent, "'")
}

function isPlain(text: string): boolean {
  if (text === '' || text !== text.trim() || /[\n\t]/.test(text) || special.test(text)) return false
  return !indicator.test(text) && !/:(?:\s|$)|\s#/.test(text) && !isAmbiguous(text)
}

function isAmbiguous(text: string): boolean {
  return ambiguous.test(text) || resolvePlain(text) !== text
}

/** Lines of blanks only, or a blank at the very end, would not survive every reader. */
function canBeLiteral(text: string): boolean {
  return !special.test(text) && !/[ \t]$|\n[ \t]+\n*$/.test(text) && /[^\s]/.test(text) && !/^\n*[ \t]*\n/.test(text)
}

function literal(text: string, indent: number): string {
  const body = text.replace(/\n+$/, '')
  const breaks = text.length - body.length
  const chomping = breaks === 0 ? '-' : breaks === 1 ? '' : '+'
  const hint = /^[ \t]/.test(body) ? '2' : ''
  const step = ' '.repeat(indent)
  const lines = body.split('\n').map(line => (line === '' ? '' : step + line))
  return [`|${hint}${chomping}`, ...lines, ...Array.from({ length: Math.max(0, breaks - 1) }, () => '')].join('\n')
}
