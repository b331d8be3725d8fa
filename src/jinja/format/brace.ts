import { PythonError, valueError } from '../errors.ts'
import { repr, str } from '../python/display.ts'
import { escapeText, escapeValue } from '../python/escape.ts'
import { asciiOnly, quote } from '../python/quote.ts'
import type { Context } from '../runtime/context.ts'
import { type Kwargs, Markup, type Value } from '../values.ts'
import { formatValue } from './value.ts'

interface Field {
  readonly name: string
  readonly conversion: string
  readonly spec: string
}

/** `text.format(*args, **kwargs)`: attributes go through the sandbox; as markup every value is escaped. */
export class BraceFormatter {
  private readonly context: Context
  private readonly args: readonly Value[]
  private readonly kwargs: Kwargs
  private readonly markup: boolean
  private automatic = 0
  private numbering: 'automatic' | 'manual' | undefined

  constructor(context: Context, args: readonly Value[], kwargs: Kwargs, markup: boolean) {
    this.context = context
    this.args = args
    this.kwargs = kwargs
    this.markup = markup
  }

  /** The filled-in text. Throws ValueError, KeyError, IndexError, SecurityError. */
  format(text: string, depth = 2): string {
    if (depth < 0) throw valueError('Max string recursion exceeded')
    let result = ''
    let at = 0
    while (at < text.length) {
      const char = text.charAt(at)
      if (char !== '{' && char !== '}') {
        const next = nextBrace(text, at)
        result += text.slice(at, next)
        at = next
      } else if (text.charAt(at + 1) === char) {
        result += char
        at += 2
      } else {
        if (char === '}') throw valueError("Single '}' encountered in format string")
        const end = fieldEnd(text, at)
        result += this.field(splitField(text.slice(at + 1, end)), depth)
        at = end + 1
      }
      if (result.length > 1024) this.context.allocate(result.length)
    }
    return result
  }

  private field(field: Field, depth: number): string {
    const { context } = this
    context.step(1)
    let value: Value = this.lookup(field.name)
    const spec = field.spec.includes('{') ? this.format(field.spec, depth - 1) : field.spec
    if (field.conversion === 's') value = str(context, value)
    else if (field.conversion === 'r') value = repr(context, value)
    else if (field.conversion === 'a') value = asciiOnly(repr(context, value))
    else if (field.conversion !== '') {
      throw valueError(`Unknown conversion specifier ${field.conversion}`)
    }
    if (!this.markup) return formatValue(context, value, spec)
    if (value instanceof Markup && spec === '') return value.text
    return spec === '' ? escapeValue(context, value) : escapeText(formatValue(context, value, spec))
  }

  private lookup(name: string): Value {
    const first = /^[^.[]*/.exec(name)?.[0] ?? ''
    let value = this.first(first)
    let rest = name.slice(first.length)
    while (rest !== '') {
      const match = /^(?:\.([^.[]+)|\[([^\]]+)\])/.exec(rest)
      if (match === null) throw badName(rest)
      const [whole, attribute, item] = match
      value = this.member(value, attribute, item)
      rest = rest.slice(whole.length)
    }
    return value
  }

  private first(name: string): Value {
    if (name !== '' && !/^\d+$/.test(name)) {
      const named = this.kwargs.get(name)
      if (named === undefined) throw new PythonError('KeyError', quote(name))
      return named
    }
    const numbering = name === '' ? 'automatic' : 'manual'
    if (this.numbering !== undefined && this.numbering !== numbering) {
      const [from, to] =
        numbering === 'manual'
          ? ['automatic field numbering', 'manual field specification']
          : ['manual field specification', 'automatic field numbering']
      throw valueError(`cannot switch from ${from} to ${to}`)
    }
    this.numbering = numbering
    const index = name === '' ? this.automatic++ : Number(name)
    const value = this.args[index]
    if (value === undefined) {
      throw new PythonError('IndexError', `Replacement index ${index} out of range for positional args tuple`)
    }
    return value
  }

  private member(value: Value, attribute: string | undefined, item: string | undefined): Value {
    const { context } = this
    if (attribute !== undefined) return context.engine.access.getAttribute(context, value, attribute)
    const key = item !== undefined && /^\d+$/.test(item) ? Number(item) : (item ?? '')
    return context.engine.access.getItem(context, value, key)
  }
}

function badName(rest: string): PythonError {
  if (rest.startsWith('[') && !rest.includes(']')) return valueError("Missing ']' in format string")
  if (rest.startsWith('.') || rest.startsWith('[')) return valueError('Empty attribute in format string')
  return valueError("Only '.' or '[' may follow ']' in format field specifier")
}

function nextBrace(text: string, from: number): number {
  for (let at = from; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === 123 || code === 125) return at
  }
  return text.length
}

function fieldEnd(text: string, start: number): number {
  if (start + 1 >= text.length) throw valueError("Single '{' encountered in format string")
  let depth = 0
  for (let at = start; at < text.length; at++) {
    const char = text.charAt(at)
    if (char === '{') depth++
    else if (char === '}' && --depth === 0) return at
    else if (char === '[' && depth === 1) {
      const close = text.indexOf(']', at)
      if (close < 0) throw valueError("expected '}' before end of string")
      at = close
    }
  }
  throw valueError("expected '}' before end of string")
}

function splitField(field: string): Field {
  const match = /^((?:\[[^\]]*\]|[^[!:{}])*)(?:!([^:]?))?(:[\s\S]*)?$/.exec(field)
  if (match === null) {
    throw valueError(field.includes('!') ? "expected ':' after conversion specifier" : "unexpected '{' in field name")
  }
  const [, name = '', conversion, spec = ''] = match
  if (conversion === '') throw valueError('end of string while looking for conversion specifier')
  return { name, conversion: conversion ?? '', spec: spec.slice(1) }
}
