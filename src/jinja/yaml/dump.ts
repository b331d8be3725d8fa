import { PythonError } from '../errors.ts'
import { PyBytes, PyDict, PyFloat, PyTuple, type Value } from '../values.ts'
import { analyze } from './analyze.ts'
import { YamlDate } from './dates.ts'
import { formatFloat } from './float.ts'
import { resolvePlain } from './resolve.ts'
import { YamlWriter } from './writer.ts'

/** Choices and limits of a dump. */
export interface DumpOptions {
  /** Several lines as a literal block, digits in single quotes: what kluctl adds to PyYAML. Default true. */
  readonly kluctlStrings?: boolean
  /** Called with the number of nodes or bytes about to be handled; may throw to stop. */
  readonly step?: (count: number) => void
}

/** Nesting beyond this is refused, as Python's own recursion limit would. */
const maxDepth = 250
/** PyYAML writes a key on the line of its value only when tag and text are shorter than this. */
const simpleKeyLimit = 128

type Style = '' | "'" | '"' | '|'

interface Scalar {
  readonly text: string
  /** Short tag, as PyYAML counts it in a key's length. */
  readonly tag: string
  /** True when the tag must be written. */
  readonly explicit: boolean
  /** True when the plain text would be read with this very tag. */
  readonly plain: boolean
  readonly style: Style | undefined
}

interface Place {
  readonly root?: boolean
  readonly key?: boolean
  /** The node stands as value or key of a mapping. */
  readonly inMapping?: boolean
}

function typed(tag: string, text: string): Scalar {
  return { text, tag: `!!${tag}`, explicit: false, plain: true, style: undefined }
}

/** What Python's `splitlines` splits at. */
const lineEnds = new RegExp(`\\r\\n|[${'\n\v\f\r\x1c\x1d\x1e\x85\u2028\u2029'}]`)

function stringScalar(text: string, kluctl: boolean): Scalar {
  const lines = text.split(lineEnds)
  if (lines.at(-1) === '') lines.pop()
  let style: Style | undefined
  if (kluctl && lines.length > 1) style = '|'
  else if (kluctl && /^[\p{N}]+$/u.test(text)) style = "'"
  return { text, tag: '!!str', explicit: false, plain: resolvePlain(text) === 'str', style }
}

function bytesScalar(bytes: Uint8Array): Scalar {
  const text = Buffer.from(bytes)
    .toString('base64')
    .replaceAll(/.{1,76}/g, '$&\n')
  return { text, tag: '!!binary', explicit: true, plain: false, style: '|' }
}

/** Children of a collection, or undefined for what is written as one scalar. */
function isCollection(value: Value): value is Value[] | PyTuple | PyDict {
  return Array.isArray(value) || value instanceof PyTuple || value instanceof PyDict
}

function items(value: Value[] | PyTuple): readonly Value[] {
  return Array.isArray(value) ? value : value.items
}

function sizeOf(value: Value[] | PyTuple | PyDict): number {
  if (Array.isArray(value)) return value.length
  if (value instanceof PyTuple) return value.items.length
  return value.size
}

/** True for what PyYAML gives an anchor when it occurs twice. */
function canAlias(value: Value): value is Value & object {
  if (value instanceof PyTuple) return value.items.length > 0
  return isCollection(value) || value instanceof YamlDate
}

class Dumper {
  readonly #out = new YamlWriter()
  readonly #kluctl: boolean
  readonly #step: (count: number) => void
  /** Objects met so far; a number for those met twice. */
  readonly #anchors = new Map<object, number>()
  readonly #written = new Set<object>()
  #lastAnchor = 0
  #depth = 0

  constructor(options: DumpOptions) {
    this.#kluctl = options.kluctlStrings ?? true
    this.#step = options.step ?? (() => undefined)
  }

  dump(value: Value): string {
    this.#findAnchors(value)
    this.#node(value, { root: true }, -1)
    this.#out.indent = 0
    if (this.#out.openEnded) {
      this.#out.writeIndent()
      this.#out.write('...')
    }
    this.#out.writeIndent()
    return this.#out.toString()
  }

  #findAnchors(value: Value): void {
    this.#step(1)
    if (canAlias(value)) {
      const anchor = this.#anchors.get(value)
      if (anchor !== undefined) {
        if (anchor === 0) this.#anchors.set(value, ++this.#lastAnchor)
        return
      }
      this.#anchors.set(value, 0)
    }
    if (!isCollection(value)) return
    this.#enter()
    if (value instanceof PyDict) {
      for (const [key, inner] of value.entries()) {
        this.#findAnchors(key)
        this.#findAnchors(inner)
      }
    } else for (const item of items(value)) this.#findAnchors(item)
    this.#depth--
  }

  #enter(): void {
    if (++this.#depth > maxDepth) {
      throw new PythonError('RecursionError', 'maximum recursion depth exceeded while writing YAML')
    }
  }

  #scalar(value: Value): Scalar {
    if (value === null) return typed('null', 'null')
    if (typeof value === 'boolean') return typed('bool', String(value))
    if (typeof value === 'string') return stringScalar(value, this.#kluctl)
    if (typeof value === 'number' || typeof value === 'bigint') return typed('int', String(value))
    if (value instanceof PyFloat) return typed('float', formatFloat(value.value))
    if (value instanceof PyBytes) return bytesScalar(value.bytes)
    if (value instanceof YamlDate) return typed('timestamp', value.text)
    const type = Array.isArray(value) ? 'list' : value.typeName
    throw new PythonError('RepresenterError', `cannot represent an object of type ${type}`)
  }

  #anchorText(value: Value): string | undefined {
    const anchor = canAlias(value) ? this.#anchors.get(value) : undefined
    return anchor ? `id${String(anchor).padStart(3, '0')}` : undefined
  }

  /** Writes one node; `indent` is that of the collection around it, -1 at the root. */
  #node(value: Value, place: Place, indent: number): void {
    this.#step(1)
    const anchor = this.#anchorText(value)
    if (anchor !== undefined) {
      if (this.#written.has(value as object)) {
        this.#out.indicator(`*${anchor}`, true)
        return
      }
      this.#written.add(value as object)
      this.#out.indicator(`&${anchor}`, true)
    }
    if (!isCollection(value)) {
      this.#writeScalar(this.#scalar(value), place, indent)
      return
    }
    this.#enter()
    if (value instanceof PyDict) this.#mapping(value, indent)
    else this.#sequence(items(value), place, indent)
    this.#depth--
  }

  #sequence(list: readonly Value[], place: Place, outer: number): void {
    if (list.length === 0) this.#empty('[', ']')
    const indentless = place.inMapping === true && !this.#out.indention
    const indent = outer < 0 ? 0 : indentless ? outer : outer + 2
    for (const item of list) {
      this.#out.indent = indent
      this.#out.writeIndent()
      this.#out.indicator('-', true, true)
      this.#node(item, {}, indent)
    }
  }

  #mapping(mapping: PyDict, outer: number): void {
    if (sizeOf(mapping) === 0) this.#empty('{', '}')
    const indent = outer < 0 ? 0 : outer + 2
    for (const [key, value] of mapping.entries()) {
      this.#out.indent = indent
      this.#out.writeIndent()
      if (this.#isSimpleKey(key)) {
        this.#node(key, { key: true, inMapping: true }, indent)
        this.#out.indicator(':', false)
      } else {
        this.#out.indicator('?', true, true)
        this.#node(key, { inMapping: true }, indent)
        this.#out.indent = indent
        this.#out.writeIndent()
        this.#out.indicator(':', true, true)
      }
      this.#node(value, { inMapping: true }, indent)
    }
  }

  #empty(open: string, close: string): void {
    this.#out.indicator(open, true)
    this.#out.indicator(close, false)
  }

  #isSimpleKey(key: Value): boolean {
    const anchor = this.#anchorText(key)
    if (anchor !== undefined && this.#written.has(key as object)) return true
    const anchorLength = anchor?.length ?? 0
    if (isCollection(key)) return sizeOf(key) === 0 && anchorLength + 5 < simpleKeyLimit
    const { text, tag } = this.#scalar(key)
    const chars = Array.from(text)
    const shape = analyze(chars)
    return !shape.empty && !shape.multiline && anchorLength + tag.length + chars.length < simpleKeyLimit
  }

  #writeScalar(scalar: Scalar, place: Place, outer: number): void {
    const chars = Array.from(scalar.text)
    this.#step(chars.length >> 5)
    const shape = analyze(chars)
    const key = place.key === true
    this.#out.indent = outer < 0 ? 2 : outer + 2
    const split = !key
    if (scalar.explicit) this.#out.indicator(scalar.tag, true)
    const multilineKey = key && shape.multiline
    if (scalar.style === undefined && scalar.plain && shape.plain && !multilineKey && !(key && shape.empty)) {
      if (place.root) this.#out.openEnded = true
      this.#out.plain(scalar.text, split)
    } else if (scalar.style === '|' && !key && shape.block) this.#out.literal(scalar.text)
    else if (scalar.style !== '|' && shape.singleQuoted && !multilineKey) this.#out.singleQuoted(scalar.text, split)
    else this.#out.doubleQuoted(chars, split)
  }
}

/**
 * YAML text of a value, in block style with dicts in their order, as PyYAML's `dump` with kluctl's settings prints it.
 * Throws `Exception` (RepresenterError in PyYAML) for what YAML has no form for, RecursionError for too deep nesting.
 */
export function dumpYaml(value: Value, options: DumpOptions = {}): string {
  return new Dumper(options).dump(value)
}
