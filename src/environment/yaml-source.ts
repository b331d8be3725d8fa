import {
  type Document,
  isAlias,
  isCollection,
  isMap,
  isPair,
  isScalar,
  LineCounter,
  parseAllDocuments,
  visit,
} from 'yaml'
import type { Problem } from '../util/errors.ts'

/** A field's place inside a document: keys and indexes. */
export type FieldPath = readonly (string | number)[]

/** One document of a YAML file. */
export interface YamlDocument {
  /** The data; undefined for an empty document. */
  value: unknown
  /** Line and column, from 1, of a field, or of the nearest one above that exists. */
  positionOf(path: FieldPath): { line: number; column: number }
}

/** A YAML file read strictly. */
export interface YamlSource {
  documents: YamlDocument[]
  problems: Problem[]
}

const maxDepth = 100

/**
 * Reads YAML 1.2 strictly: duplicate keys, unknown tags, aliases, deep nesting and texts over `maxBytes` are problems,
 * each with its position. Never throws for bad input.
 */
export function readYaml(text: string, options: { maxBytes: number; file?: string | undefined }): YamlSource {
  const place = options.file === undefined ? {} : { file: options.file }
  const bytes = Buffer.byteLength(text)
  if (bytes > options.maxBytes) {
    return refused({ ...place, message: `expected at most ${options.maxBytes} bytes, got ${bytes}` })
  }
  const nested = nestingProblem(text)
  if (nested) return refused({ ...place, ...nested })
  const lines = new LineCounter()
  const parsed = parseAllDocuments(text, { lineCounter: lines, uniqueKeys: true, strict: true, prettyErrors: false })
  const documents = 'empty' in parsed ? [] : parsed
  const problems = documents.flatMap(document => documentProblems(document, lines)).map(p => ({ ...place, ...p }))
  if (problems.length > 0) return { documents: [], problems }
  return { documents: documents.map(document => readDocument(document, lines)), problems }
}

function refused(problem: Omit<Problem, 'path'>): YamlSource {
  return { documents: [], problems: [{ path: '', ...problem }] }
}

/** The reader is recursive: what could exhaust its stack is refused before. */
function nestingProblem(text: string): Omit<Problem, 'path'> | undefined {
  let line = 1
  let open = 0
  for (const row of text.split('\n')) {
    // Each level of block nesting takes a character of indentation or a dash, each level of flow nesting a bracket.
    const opening = row.match(/[[{]/g)?.length ?? 0
    const levels = (/^[ \-?:\t]*/.exec(row)?.[0].length ?? 0) / 2 + open + opening
    open = Math.max(0, open + opening - (row.match(/[\]}]/g)?.length ?? 0))
    if (levels > maxDepth * 4) return { message: `expected at most ${maxDepth} levels of nesting`, line, column: 1 }
    line++
  }
  return undefined
}

function documentProblems(document: Document.Parsed, lines: LineCounter): Problem[] {
  const at = (offset: number) => {
    const { line, col } = lines.linePos(offset)
    return { line, column: col }
  }
  const found: Problem[] = [...document.errors, ...document.warnings].map(error => ({
    path: '',
    message: error.message,
    ...at(error.pos[0]),
  }))
  visit(document, (_key, node, ancestors) => {
    if (isAlias(node))
      found.push({ path: '', message: `expected no alias, got *${node.source}`, ...at(node.range?.[0] ?? 0) })
    if (isCollection(node) && ancestors.length > maxDepth * 2) {
      found.push({ path: '', message: `expected at most ${maxDepth} levels of nesting`, ...at(node.range?.[0] ?? 0) })
      return visit.BREAK
    }
    if (isPair(node) && isScalar(node.key) && node.key.value === '__proto__') {
      found.push({ path: '', message: 'expected another key than __proto__', ...at(node.key.range?.[0] ?? 0) })
    }
    return undefined
  })
  return found
}

function readDocument(document: Document.Parsed, lines: LineCounter): YamlDocument {
  return {
    value: document.toJS({ maxAliasCount: 0 }),
    positionOf: path => {
      const { line, col } = lines.linePos(offsetOf(document, path))
      return { line, column: col }
    },
  }
}

/** Offset of a field's key, or of a list's item; of the nearest field above where it does not exist. */
function offsetOf(document: Document.Parsed, path: FieldPath): number {
  let node: unknown = document.contents
  let offset = document.contents?.range[0] ?? document.range[0]
  for (const step of path) {
    if (isMap(node)) {
      const pair = node.items.find(item => isScalar(item.key) && String(item.key.value) === String(step))
      if (!pair) break
      offset = (isScalar(pair.key) ? pair.key.range?.[0] : undefined) ?? offset
      node = pair.value
    } else if (isCollection(node) && typeof step === 'number') {
      const item = node.items[step] as { range?: [number, number, number] } | undefined
      if (!item) break
      offset = item.range?.[0] ?? offset
      node = item
    } else break
  }
  return offset
}
