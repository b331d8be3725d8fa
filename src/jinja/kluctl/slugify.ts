import { RE2JS } from 're2js'
import { typeError } from '../errors.ts'
import type { HostFilter } from '../options.ts'
import { typeName } from '../python/types.ts'
import { type ContextView, Markup, PyFloat, PyTuple, type Value } from '../values.ts'
import { bind } from './arguments.ts'
import { entityText } from './entities.ts'
import { transliterate } from './transliterate.ts'

/** Keyword arguments of python-slugify 8.0.4, with its defaults. */
interface SlugOptions {
  readonly entities: boolean
  readonly decimal: boolean
  readonly hexadecimal: boolean
  readonly maxLength: number
  readonly wordBoundary: boolean
  readonly separator: string
  readonly saveOrder: boolean
  readonly stopwords: readonly string[]
  readonly pattern: string | undefined
  readonly lowercase: boolean
  readonly replacements: readonly (readonly [string, string])[]
  readonly allowUnicode: boolean
}

const parameters = [
  'entities?',
  'decimal?',
  'hexadecimal?',
  'max_length?',
  'word_boundary?',
  'separator?',
  'save_order?',
  'stopwords?',
  'regex_pattern?',
  'lowercase?',
  'replacements?',
  'allow_unicode?',
]

function truth(value: Value | undefined, standard: boolean): boolean {
  if (value === undefined) return standard
  if (Array.isArray(value)) return value.length > 0
  if (value instanceof PyFloat) return value.value !== 0
  return Boolean(value)
}

function text(value: Value | undefined, standard: string): string {
  if (value === undefined || value === null) return standard
  if (typeof value === 'string') return value
  if (value instanceof Markup) return value.text
  throw typeError(`slugify() needs a str, not ${typeName(value)}`)
}

function list(value: Value | undefined): readonly Value[] {
  if (value === undefined || value === null) return []
  if (Array.isArray(value)) return value
  if (value instanceof PyTuple) return value.items
  if (typeof value === 'string') return Array.from(value)
  throw typeError(`'${typeName(value)}' object is not iterable`)
}

function replacement(pair: Value): readonly [string, string] {
  const [from, to] = list(pair)
  return [text(from, ''), text(to, '')]
}

function whole(value: Value | undefined): number {
  if (value === undefined || value === false) return 0
  if (typeof value === 'number') return value
  if (value === true) return 1
  throw typeError(`'>' not supported between instances of '${typeName(value)}' and 'int'`)
}

function readOptions(args: readonly (Value | undefined)[]): SlugOptions {
  const [entities, decimal, hexadecimal, maxLength, wordBoundary, separator, saveOrder] = args
  const [stopwords, pattern, lowercase, replacements, allowUnicode] = args.slice(7)
  return {
    entities: truth(entities, true),
    decimal: truth(decimal, true),
    hexadecimal: truth(hexadecimal, true),
    maxLength: whole(maxLength),
    wordBoundary: truth(wordBoundary, false),
    separator: text(separator, '-'),
    saveOrder: truth(saveOrder, false),
    stopwords: list(stopwords).map(word => text(word, '')),
    pattern: text(pattern, '') || undefined,
    lowercase: truth(lowercase, true),
    replacements: list(replacements).map(replacement),
    allowUnicode: truth(allowUnicode, false),
  }
}

/** The character of a numeric reference; undefined when there is none, as `chr` raises ValueError. */
function character(code: number): string | undefined {
  return code <= 0x10ffff ? String.fromCodePoint(code) : undefined
}

/** Replaces numeric references; python-slugify leaves all of them when one is out of range. */
function numericReferences(input: string, pattern: RegExp, base: number): string {
  const codes = [...input.matchAll(pattern)].map(match => character(Number.parseInt(match[1] ?? '', base)))
  if (codes.includes(undefined)) return input
  return input.replaceAll(pattern, () => codes.shift() ?? '')
}

function references(input: string, options: SlugOptions): string {
  let output = input
  if (options.entities) output = output.replaceAll(/&([A-Za-z0-9]+);/g, (whole_, name) => entityText(name) ?? whole_)
  if (options.decimal) output = numericReferences(output, /&#(\d+);/g, 10)
  if (options.hexadecimal) output = numericReferences(output, /&#x([\da-fA-F]+);/g, 16)
  return output
}

function replaceUnwanted(input: string, options: SlugOptions): string {
  if (options.pattern !== undefined) return RE2JS.compile(options.pattern).matcher(input).replaceAll('-')
  return input.replaceAll(options.allowUnicode ? /[^\p{L}\p{N}]+/gu : /[^-a-zA-Z0-9]+/g, '-')
}

function truncate(slug: string, options: SlugOptions): string {
  const { maxLength, saveOrder } = options
  if (maxLength <= 0) return slug
  const stripped = slug.replaceAll(/^-+|-+$/g, '')
  if (stripped.length < maxLength) return stripped
  if (!options.wordBoundary) return stripped.slice(0, maxLength).replaceAll(/^-+|-+$/g, '')
  if (!stripped.includes('-')) return stripped.slice(0, maxLength)
  let short = ''
  for (const word of stripped.split('-')) {
    if (word === '') continue
    const length = short.length + word.length
    if (length < maxLength) short += `${word}-`
    else if (length === maxLength) {
      short += word
      break
    } else if (saveOrder) break
  }
  return (short || stripped.slice(0, maxLength)).replaceAll(/^-+|-+$/g, '')
}

function withoutStopwords(slug: string, options: SlugOptions): string {
  if (options.stopwords.length === 0) return slug
  const { stopwords } = options
  const unwanted = new Set(options.lowercase ? stopwords.map(word => word.toLowerCase()) : stopwords)
  return slug
    .split('-')
    .filter(word => !unwanted.has(word))
    .join('-')
}

function replaceAllPairs(input: string, options: SlugOptions): string {
  return options.replacements.reduce((output, [from, to]) => output.split(from).join(to), input)
}

function slugify(input: string, options: SlugOptions): string {
  const form = options.allowUnicode ? 'NFKC' : 'NFKD'
  let slug = replaceAllPairs(input, options).replaceAll(/'+/g, '-').normalize(form)
  if (!options.allowUnicode) slug = transliterate(slug)
  slug = references(slug, options).normalize(form)
  if (options.lowercase) slug = slug.toLowerCase()
  slug = slug.replaceAll(/'+/g, '').replaceAll(/(?<=\d),(?=\d)/g, '')
  slug = replaceUnwanted(slug, options)
    .replaceAll(/-{2,}/g, '-')
    .replaceAll(/^-+|-+$/g, '')
  slug = replaceAllPairs(withoutStopwords(slug, options), options)
  return truncate(slug, options).split('-').join(options.separator)
}

/** kluctl's `slugify`: python-slugify 8.0.4 with all its keyword arguments. */
export const slugifyFilter: HostFilter = (context: ContextView, value, args, kwargs) => {
  if (args.length > 0) {
    throw typeError(`slugify() takes 1 positional argument but ${args.length + 1} were given`)
  }
  if (typeof value !== 'string' && !(value instanceof Markup)) {
    throw typeError(`decoding to str: need a bytes-like object, ${typeName(value)} found`)
  }
  const input = typeof value === 'string' ? value : value.text
  context.step(input.length)
  context.allocate(input.length * 8)
  return slugify(input, readOptions(bind('slugify', parameters, [], kwargs)))
}
