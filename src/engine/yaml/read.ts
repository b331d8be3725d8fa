import {
  type Alias,
  type Document,
  isAlias,
  isMap,
  isPair,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseAllDocuments,
  type Scalar as ScalarNode,
  type YAMLMap,
} from 'yaml'
import { EngineError } from '../errors.ts'
import { emptyObject, isObject, type Json, type JsonObject } from '../values.ts'
import { AliasShare } from './alias-share.ts'
import { formatFloat32, resolvePlain } from './resolve.ts'

const maxDepth = 500
const prefix = 'tag:yaml.org,2002:'

/** A YAML text that is not what it should be, with the line where it is known. */
export class YamlError extends EngineError {
  override readonly name = 'YamlError'
  readonly line: number | undefined

  constructor(message: string, line?: number) {
    super(message)
    this.line = line
  }
}

/** How a text is read. */
export interface YamlOptions {
  /** What becomes of keys that a map has twice; Helm's output is read with `last`. Default: refused. */
  readonly duplicates?: 'refused' | 'last'
}

/** One document with the places of its nodes. */
export interface YamlText {
  readonly value: Json
  /** Line and column (from 1) of the value at a path, or of the nearest thing around it. */
  position(path: readonly (string | number)[]): { line: number; column: number } | undefined
}

/**
 * Reads the first document of a text as kluctl's own files are read: YAML 1.1 as Go's yaml.v2 has it (`y` is true,
 * `0755` is 493, dates are strings), duplicate keys refused, keys made strings.
 * @throws YamlError
 */
export function parseYaml(text: string, options: YamlOptions = {}): YamlText {
  checkNesting(text)
  const source = text.startsWith('\ufeff') ? text.slice(1) : text
  const counter = new LineCounter()
  const document = firstDocument(source, counter)
  const value = document?.contents == null ? null : new Reader(source, counter, options).read(document.contents)
  return {
    value,
    position: path => {
      for (let length = path.length; length >= 0; length--) {
        const node = document === undefined ? undefined : nodeAt(document, path.slice(0, length))
        const start = node?.range?.[0]
        if (start === undefined) continue
        const { line, col } = counter.linePos(start)
        return { line, column: col }
      }
      return undefined
    },
  }
}

/** The first document's value; see `parseYaml`. */
export function readYaml(text: string, options: YamlOptions = {}): Json {
  return parseYaml(text, options).value
}

/** All documents that are not empty; see `parseYaml`. */
export function readYamlAll(text: string, options: YamlOptions = {}): Json[] {
  const values: Json[] = []
  for (const part of text.split(/^---[ \t]*(?:\r?\n|$)/m)) {
    const value = part.trim() === '' ? null : readYaml(part, options)
    if (value !== null) values.push(value)
  }
  return values
}

/** Like `readYaml` for a text that must be a map; an empty one is an empty map. */
export function readYamlObject(text: string, options: YamlOptions = {}): JsonObject {
  const value = readYaml(text, options)
  if (value === null) return emptyObject()
  if (!isObject(value))
    throw new YamlError(`expected a map, got ${Array.isArray(value) ? 'a list' : `${typeof value}`}`)
  return value
}

function firstDocument(source: string, lineCounter: LineCounter): Document.Parsed | undefined {
  const options = {
    version: '1.1',
    schema: 'failsafe',
    uniqueKeys: false,
    merge: false,
    prettyErrors: false,
    logLevel: 'silent',
    lineCounter,
  } as const
  try {
    const found = parseAllDocuments(source, options)
    const first = Array.isArray(found) ? (found[0] as Document.Parsed | undefined) : undefined
    const error = first?.errors[0]
    if (error === undefined) return first
    const line = lineCounter.linePos(error.pos[0]).line
    throw new YamlError(`yaml: line ${line}: ${error.message}`, line)
  } catch (error) {
    if (error instanceof RangeError) throw new YamlError('yaml: nested too deep')
    throw error
  }
}

/** Refuses flow collections nested beyond any use before the parser descends into them. */
function checkNesting(text: string): void {
  let depth = 0
  for (let at = 0; at < text.length; at++) {
    const char = text.charCodeAt(at)
    if (char === 0x5b || char === 0x7b) depth++
    else if ((char === 0x5d || char === 0x7d) && depth > 0) depth--
    if (depth > 1000) throw new YamlError('yaml: flow collections are nested too deep')
  }
}

function nodeAt(document: Document.Parsed, path: readonly (string | number)[]): Node | undefined {
  let at: Node | null = document.contents
  for (const key of path) {
    if (isAlias(at)) at = at.resolve(document) ?? null
    if (isMap(at)) at = (at.items.find(pair => keyText(pair.key as Node) === String(key))?.value as Node | null) ?? null
    else at = isSeq(at) && typeof key === 'number' ? ((at.items[key] as Node | undefined) ?? null) : null
    if (at === null) return undefined
  }
  return at ?? undefined
}

function keyText(node: Node | null): string | undefined {
  return isScalar(node) ? String(node.source ?? node.value) : undefined
}

/** Makes values of one document's nodes. */
class Reader {
  readonly #source: string
  readonly #counter: LineCounter
  readonly #options: YamlOptions
  readonly #anchors = new Map<string, Node>()
  readonly #open = new Set<string>()
  readonly #share = new AliasShare()
  #depth = 0

  constructor(source: string, counter: LineCounter, options: YamlOptions) {
    this.#source = source
    this.#counter = counter
    this.#options = options
  }

  read(node: Node | null | undefined): Json {
    if (node == null) return null
    if (this.#share.isTooMuch(this.#open.size > 0)) throw this.#failure(node, 'document contains excessive aliasing')
    if (isAlias(node)) return this.#alias(node)
    const anchor = (node as { anchor?: string }).anchor
    if (anchor !== undefined) this.#anchors.set(anchor, node)
    if (isScalar(node)) return this.#scalar(node)
    if (++this.#depth > maxDepth) throw this.#failure(node, 'nested too deep')
    let value: Json
    if (isMap(node)) value = this.#mapping(node, emptyObject())
    else value = isSeq(node) ? node.items.map(item => this.read(isPair(item) ? null : (item as Node))) : null
    this.#depth--
    return value
  }

  #alias(node: Alias): Json {
    const target = this.#anchors.get(node.source)
    if (target === undefined) throw this.#failure(node, `unknown anchor '${node.source}' referenced`)
    return this.#within(node, () => this.read(target))
  }

  /** Reads what an alias stands for. */
  #within<T>(node: Alias, read: () => T): T {
    if (this.#open.has(node.source)) throw this.#failure(node, `anchor '${node.source}' value contains itself`)
    this.#open.add(node.source)
    const value = read()
    this.#open.delete(node.source)
    return value
  }

  #scalar(node: ScalarNode): Json {
    const text = this.#text(node)
    const tag = node.tag?.startsWith(prefix) ? node.tag.slice(prefix.length) : node.tag
    const plain = node.type === 'PLAIN' || node.type == null
    switch (tag) {
      case undefined:
        return plain ? this.#finite(node, resolvePlain(String(node.source ?? ''))) : text
      case 'int':
      case 'float':
      case 'bool':
      case 'null':
        return this.#tagged(node, tag, text)
      case 'binary':
        return Buffer.from(text, 'base64').toString('utf8')
      default:
        return text
    }
  }

  /** Everything passes through JSON, which has no such numbers. */
  #finite(node: ScalarNode, value: Json): Json {
    if (typeof value !== 'number' || Number.isFinite(value)) return value
    throw this.#failure(node, `json: unsupported value: ${value > 0 ? '+Inf' : value < 0 ? '-Inf' : 'NaN'}`)
  }

  #tagged(node: ScalarNode, tag: string, text: string): Json {
    const value = this.#finite(node, resolvePlain(text))
    const kind = value === null ? 'null' : typeof value === 'boolean' ? 'bool' : typeof value
    const number = kind === 'number' || kind === 'bigint'
    const fits =
      kind === tag || (number && tag === 'float') || (number && tag === 'int' && Number.isInteger(Number(value)))
    if (!fits) throw this.#failure(node, `cannot decode \`${text}\` as a !!${tag}`)
    return value
  }

  /** A block scalar that the text ends in has no last line break, however it is chomped. */
  #text(node: ScalarNode): string {
    const text = typeof node.value === 'string' ? node.value : ''
    const block = node.type === 'BLOCK_LITERAL' || node.type === 'BLOCK_FOLDED'
    const cutShort = block && (node.range?.[1] ?? 0) >= this.#source.length && !this.#source.endsWith('\n')
    return cutShort && text.endsWith('\n') ? text.slice(0, -1) : text
  }

  #mapping(node: YAMLMap, into: JsonObject): JsonObject {
    for (const pair of node.items as Pair<Node, Node | null>[]) {
      if (isMergeKey(pair.key)) this.#merge(pair.value, into)
      else {
        const key = this.#key(pair.key)
        if (Object.hasOwn(into, key) && this.#options.duplicates !== 'last')
          throw this.#failure(pair.key, `key "${key}" already set in map`)
        into[key] = this.read(pair.value)
      }
    }
    return into
  }

  #key(node: Node): string {
    const value = this.read(node)
    if (typeof value === 'string') return value
    if (typeof value === 'boolean' || typeof value === 'bigint') return String(value)
    if (typeof value === 'number') return Number.isInteger(value) ? String(value) : formatFloat32(value)
    const shown = this.#source.slice(node.range?.[0] ?? 0, node.range?.[1] ?? 0).slice(0, 80)
    throw this.#failure(node, `invalid map key: ${shown === '' ? 'null' : shown}`)
  }

  /** Copies what `<<` names. A key that is set twice this way is refused too, as everywhere in strict reading. */
  #merge(node: Node | null, into: JsonObject): void {
    const items = isSeq(node) ? ([...node.items] as Node[]).reverse() : [node]
    for (const item of items) {
      const target = isAlias(item) ? this.#anchors.get(item.source) : item
      if (!isMap(target)) throw this.#failure(node, 'map merge requires map or sequence of maps as the value')
      if (isAlias(item)) this.#within(item, () => this.#mapping(target, into))
      else this.#mapping(target, into)
    }
  }

  #failure(node: Node | null, message: string): YamlError {
    const start = node?.range?.[0]
    const line = start === undefined ? undefined : this.#counter.linePos(start).line
    return new YamlError(line === undefined ? `yaml: ${message}` : `yaml: line ${line}: ${message}`, line)
  }
}

function isMergeKey(key: Node | null): boolean {
  return isScalar(key) && key.type === 'PLAIN' && key.source === '<<' && key.tag === undefined
}
