import type { Node, Pair, Scalar, YAMLMap, YAMLSeq } from 'yaml'
import { type Alias, type Document, isAlias, isMap, isPair, isScalar, isSeq, parseAllDocuments } from 'yaml'
import { PythonError, valueError } from '../errors.ts'
import { PyBytes, PyDict, PyTuple, type Value } from '../values.ts'
import { readTimestamp } from './dates.ts'
import { readFloat, readInt } from './numbers.ts'
import { resolvePlain } from './resolve.ts'

const prefix = 'tag:yaml.org,2002:'
const truths = new Set(['yes', 'true', 'on'])
const bools = new Set([...truths, 'no', 'false', 'off'])
/** Nesting beyond this is refused, as Python's own recursion limit would. */
const maxDepth = 250

/** Called with the number of nodes about to be made; may throw to stop. */
export type Step = (count: number) => void

function failure(message: string): PythonError {
  return new PythonError('ConstructorError', message)
}

function tagOf(node: Node, standard: string): string {
  const tag = node.tag
  if (tag === undefined || tag === '!') return standard
  return tag.startsWith(prefix) ? tag.slice(prefix.length) : tag
}

function scalarTag(node: Scalar): string {
  const plain = node.type === 'PLAIN' || node.type === undefined || node.type === null
  return tagOf(node, plain && node.tag === undefined ? resolvePlain(String(node.source ?? '')) : 'str')
}

function readBytes(text: string): PyBytes {
  const packed = text.replaceAll(/[^A-Za-z0-9+/=]/g, '').replace(/(=+).*/, '$1')
  if (packed.length % 4 !== 0) throw failure('failed to decode base64 data: Incorrect padding')
  return new PyBytes(new Uint8Array(Buffer.from(packed, 'base64')))
}

function readBool(text: string): boolean {
  const lower = text.toLowerCase()
  if (!bools.has(lower)) throw new PythonError('KeyError', `'${lower}'`)
  return truths.has(lower)
}

/** Makes values of one document's nodes; an alias is the very value its anchor names, as in Python. */
class Constructor {
  readonly #anchors = new Map<string, Value>()
  readonly #nodes = new Map<string, Node>()
  readonly #step: Step
  readonly #source: string
  #depth = 0

  constructor(source: string, step: Step) {
    this.#source = source
    this.#step = step
  }

  value(node: Node | null | undefined): Value {
    if (node == null) return null
    this.#step(1)
    if (isAlias(node)) return this.#alias(node)
    if (isScalar(node)) return this.#named(node, this.#scalar(node))
    if (++this.#depth > maxDepth) {
      throw new PythonError('RecursionError', 'maximum recursion depth exceeded while reading YAML')
    }
    const value = isMap(node) ? this.#mapping(node) : this.#sequence(node as YAMLSeq)
    this.#depth--
    return value
  }

  #named<T extends Value>(node: Exclude<Node, Alias>, value: T): T {
    if (node.anchor !== undefined) {
      if (this.#anchors.has(node.anchor)) throw new PythonError('YAMLError', `found duplicate anchor '${node.anchor}'`)
      this.#anchors.set(node.anchor, value)
      this.#nodes.set(node.anchor, node)
    }
    return value
  }

  #alias(node: Alias): Value {
    const value = this.#anchors.get(node.source)
    if (value === undefined) throw new PythonError('YAMLError', `found undefined alias '${node.source}'`)
    return value
  }

  /** A block scalar that the text ends in has no last line break, however it is chomped. */
  #text(node: Scalar): string {
    const text = typeof node.value === 'string' ? node.value : ''
    const block = node.type === 'BLOCK_LITERAL' || node.type === 'BLOCK_FOLDED'
    const cutShort = block && (node.range?.[1] ?? 0) >= this.#source.length && !this.#source.endsWith('\n')
    return cutShort && text.endsWith('\n') ? text.slice(0, -1) : text
  }

  #scalar(node: Scalar): Value {
    const text = this.#text(node)
    const tag = scalarTag(node)
    switch (tag) {
      case 'str':
      case 'value':
        return text
      case 'null':
        return null
      case 'bool':
        return readBool(text)
      case 'int':
        return readInt(text)
      case 'float':
        return readFloat(text)
      case 'timestamp':
        return readTimestamp(text)
      case 'binary':
        return readBytes(text)
      default:
        throw failure(`could not determine a constructor for the tag '${node.tag ?? `${prefix}${tag}`}'`)
    }
  }

  #sequence(node: YAMLSeq): Value {
    const tag = tagOf(node, 'seq')
    if (tag !== 'seq' && tag !== 'omap' && tag !== 'pairs') {
      throw failure(`could not determine a constructor for the tag '${node.tag ?? tag}'`)
    }
    const list: Value[] = this.#named(node, [])
    for (const item of node.items) {
      const inner = isPair(item) ? undefined : (item as Node)
      if (tag === 'seq') list.push(this.value(inner))
      else list.push(this.#singlePair(inner))
    }
    return list
  }

  #singlePair(node: Node | undefined): PyTuple {
    if (node === undefined || !isMap(node) || node.items.length !== 1) {
      throw failure('while constructing pairs: expected a mapping of length 1')
    }
    const [pair] = node.items as Pair<Node, Node | null>[]
    return new PyTuple([this.value(pair?.key), this.value(pair?.value)])
  }

  #mapping(node: YAMLMap): Value {
    const tag = tagOf(node, 'map')
    if (tag !== 'map' && tag !== 'set') {
      throw failure(`could not determine a constructor for the tag '${node.tag ?? tag}'`)
    }
    const dict = this.#named(node, new PyDict())
    const own: Pair<Node, Node | null>[] = []
    for (const pair of node.items as Pair<Node, Node | null>[]) {
      if (!node.flow) this.#checkKey(pair.key)
      if (isMergeKey(pair.key)) this.#merge(pair.value, dict)
      else own.push(pair)
    }
    for (const { key, value } of own) this.#setPair(dict, this.value(key), this.value(value))
    return dict
  }

  /** `: value` is no mapping for PyYAML, though `? : value` is. */
  #checkKey(key: Node | null): void {
    const start = key?.range?.[0]
    if (start === undefined || !isScalar(key) || key.type !== 'PLAIN' || key.source !== '') return
    if (key.anchor === undefined && key.tag === undefined && !/\?\s*$/.test(this.#source.slice(0, start))) {
      throw new PythonError('YAMLError', "expected <block end>, but found ':'")
    }
  }

  #setPair(dict: PyDict, key: Value, value: Value): void {
    if (Array.isArray(key) || key instanceof PyDict) throw failure('found unhashable key')
    dict.set(key, value)
  }

  /** Copies what `<<` names; of several mappings the first to have a key wins. */
  #merge(node: Node | null, into: PyDict): void {
    const source = isAlias(node) ? this.#nodes.get(node.source) : (node ?? undefined)
    const sources = source !== undefined && isSeq(source) ? [...source.items].reverse() : [node]
    for (const item of sources) {
      const value = this.value(item as Node)
      if (!(value instanceof PyDict)) {
        throw failure('expected a mapping or list of mappings for merging')
      }
      this.#step(value.size)
      for (const [key, inner] of value.entries()) into.set(key, inner)
    }
  }
}

function isMergeKey(key: Node | null): boolean {
  return key !== null && isScalar(key) && scalarTag(key) === 'merge'
}

function firstError(documents: readonly Document.Parsed[]): PythonError | undefined {
  for (const { errors } of documents) {
    const [error] = errors
    if (error === undefined) continue
    const at = error.linePos?.[0]
    const place = at === undefined ? '' : ` (line ${at.line}, column ${at.col})`
    return new PythonError('YAMLError', `${error.message.split('\n')[0]}${place}`, { cause: error })
  }
  return undefined
}

function parse(text: string): Document.Parsed[] {
  // The parser only finds the nodes: what a scalar means is decided here, by YAML 1.1 as PyYAML reads it.
  try {
    const found = parseAllDocuments(text, {
      version: '1.1',
      schema: 'failsafe',
      uniqueKeys: false,
      merge: false,
      prettyErrors: true,
      logLevel: 'silent',
    })
    return Array.isArray(found) ? (found as Document.Parsed[]) : []
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause
    throw new PythonError('RecursionError', 'maximum recursion depth exceeded while reading YAML', { cause })
  }
}

const maxNesting = 1000

/** Refuses collections nested beyond any use before the parser descends into them. */
function checkNesting(text: string): void {
  let flow = 0
  let dashes = 0
  let before = '\n'
  for (const char of text) {
    if (char === '[' || char === '{') flow++
    else if ((char === ']' || char === '}') && flow > 0) flow--
    // `- - - x`: each dash opens a list inside the one before.
    if (char === '-' && (before === ' ' || before === '\n')) dashes++
    else if (char !== ' ') dashes = 0
    if (flow > maxNesting || dashes > maxNesting) throw valueError(`collections are nested deeper than ${maxNesting}`)
    before = char
  }
}

/**
 * The value of a YAML text with one document, as PyYAML's SafeLoader reads it: YAML 1.1, merge keys, aliases shared,
 * the last of two equal keys wins. Throws YAMLError, ConstructorError, ValueError or RecursionError by Python's name.
 */
export function loadYaml(text: string, step: Step = () => undefined): Value {
  step(text.length >> 4)
  checkNesting(text)
  const documents = parse(text)
  const error = firstError(documents)
  if (error !== undefined) throw error
  if (documents.length > 1) throw new PythonError('YAMLError', 'expected a single document in the stream')
  return new Constructor(text, step).value(documents[0]?.contents)
}
