import { isMap, isScalar, isSeq, type Node, type Pair, parseAllDocuments, type Scalar } from 'yaml'
import { emptyObject, isObject, type Json, type JsonObject } from '../values.ts'
import { plainScalar } from './plain-scalar.ts'

/** Not beyond doubt: the real Kustomize has to read it. */
const doubtful = Symbol('doubtful')

/**
 * The objects of a file as Kustomize reads them, or undefined if anything in it could be read in another way: then
 * the real Kustomize has to. Accepted is what manifests mostly are: maps, lists and scalars without anchors, tags,
 * merge keys, duplicate keys, dates, octal numbers and the like.
 */
export function readPlainYaml(text: string): JsonObject[] | undefined {
  if (hasOddLines(text)) return undefined
  const objects: JsonObject[] = []
  const parts = text.replace(/^---[ ]*\n/, '').split(/\n---[ ]*\n/)
  for (const [index, part] of parts.entries()) {
    // Kustomize gives every document but the last its line break back, which block scalars at its end may keep.
    const value = readDocument(index === parts.length - 1 ? part : `${part}\n`)
    if (value === doubtful) return undefined
    if (value === null) continue
    if (!isObject(value)) return undefined
    objects.push(value)
  }
  return objects
}

/** Tabs before content, carriage returns, byte order marks, directives, ends of documents, control characters. */
function hasOddLines(text: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
  return /[\r\ufeff\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]|^[ ]*\t|^%|^\.\.\.|^---(?![ ]*$)/m.test(
    text,
  )
}

function readDocument(text: string): Json | typeof doubtful {
  const found = parseAllDocuments(text, {
    version: '1.2',
    schema: 'failsafe',
    uniqueKeys: true,
    merge: false,
    prettyErrors: false,
    logLevel: 'silent',
  })
  if (!Array.isArray(found) || found.length > 1) return doubtful
  const [document] = found
  if (document === undefined || document.contents === null) return null
  if (document.errors.length > 0 || document.warnings.length > 0) return doubtful
  return readNode(document.contents, text, 0)
}

function readNode(node: Node | null | undefined, text: string, depth: number): Json | typeof doubtful {
  if (node == null) return null
  if (depth > 200 || (node as { anchor?: string }).anchor !== undefined || node.tag?.startsWith('!') === true) {
    return doubtful
  }
  if (isScalar(node)) return readScalar(node, text)
  if (isMap(node)) return readMap(node.items as Pair<Node, Node | null>[], text, depth)
  if (!isSeq(node)) return doubtful
  const list: Json[] = []
  for (const item of node.items) {
    const value = isScalar(item) || isMap(item) || isSeq(item) ? readNode(item, text, depth + 1) : doubtful
    if (value === doubtful) return doubtful
    list.push(value)
  }
  return list
}

function readMap(pairs: Pair<Node, Node | null>[], text: string, depth: number): JsonObject | typeof doubtful {
  const map = emptyObject()
  for (const pair of pairs) {
    const key = isScalar(pair.key) ? readNode(pair.key, text, depth + 1) : doubtful
    if (typeof key !== 'string' || Object.hasOwn(map, key)) return doubtful
    const value = readNode(pair.value, text, depth + 1)
    if (value === doubtful) return doubtful
    map[key] = value
  }
  return map
}

function readScalar(node: Scalar, text: string): Json | typeof doubtful {
  const value = node.value
  if (typeof value !== 'string') return doubtful
  switch (node.type) {
    case 'PLAIN':
      return readPlain(value)
    case 'QUOTE_DOUBLE':
    case 'QUOTE_SINGLE':
      return value
    case 'BLOCK_LITERAL':
    case 'BLOCK_FOLDED':
      return readBlock(node, value, text)
    default:
      return doubtful
  }
}

function readPlain(value: string): Json | typeof doubtful {
  const known = plainScalar(value)
  return known === undefined ? doubtful : known.value
}

/** A block scalar that the text ends in without a line break has none either. */
function readBlock(node: Scalar, value: string, text: string): string | typeof doubtful {
  // Kustomize writes and reads a folded text once more, and what stands on lines of its own does not survive that.
  if (node.type === 'BLOCK_FOLDED' && /\n[\s\S]/.test(value)) return doubtful
  const [start = 0, end = 0] = node.range ?? []
  if (text.endsWith('\n') || end < text.length) return value
  // `|+` keeps what is there; other libraries differ in how they count the lines of blanks at the very end.
  if (/^[|>][0-9]*\+/.test(text.slice(start)) || /\n[ ]*$/.test(text)) return doubtful
  return value.endsWith('\n') ? value.slice(0, -1) : value
}
