import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  type Node,
  type Pair,
  parseAllDocuments,
  Scalar,
  type YAMLMap,
  type YAMLSeq,
} from 'yaml'
import { EngineError } from '../../errors.ts'
import { resolvePlain } from '../../yaml.ts'
import type { EncryptedFile, Leaf } from '../file.ts'
import { decimal, type Plain } from '../value.ts'

const maxNodes = 500_000
const maxDepth = 500

type Replace = Parameters<EncryptedFile['replace']>

/** A YAML file with SOPS metadata, or undefined when it has none. JSON is YAML, read by JSON's rules for numbers. */
export function openYaml(text: string): EncryptedFile | undefined {
  const documents = parseDocuments(text)
  const metadata = documents[0] === undefined ? undefined : rootOf(documents[0])?.get('sops', true)
  if (documents[0] === undefined || !isMap(metadata) || !metadata.has('mac')) return undefined
  return {
    metadata: metadata.toJS(documents[0]),
    replace: (...visit) => {
      for (const document of documents) new Walk(document, visit, plainYaml).run()
    },
    write: () => Buffer.from(documents.map(writeDocument).join('---\n')),
  }
}

/** Documents as nodes; comments and order are kept. @throws EngineError with the parser's words */
export function parseDocuments(text: string): Document.Parsed[] {
  const documents = parseAllDocuments(text, { version: '1.2', schema: 'core', intAsBigInt: true, merge: false })
  if (!Array.isArray(documents)) return []
  for (const document of documents) {
    const [error] = document.errors
    // The message's second line would show the text around it.
    if (error !== undefined) throw new EngineError(`the file cannot be read: ${error.message.split('\n')[0]}`)
  }
  return documents as Document.Parsed[]
}

/** The map that a document holds. */
export function rootOf(document: Document): YAMLMap | undefined {
  return isMap(document.contents) ? document.contents : undefined
}

/** Visits a document's values in order and puts others in their place; removes the metadata. */
export class Walk {
  readonly #document: Document
  readonly #visit: Replace
  readonly #plainOf: (scalar: Scalar) => Plain | undefined
  #left = maxNodes

  constructor(document: Document, visit: Replace, plainOf: (scalar: Scalar) => Plain | undefined) {
    this.#document = document
    this.#visit = visit
    this.#plainOf = plainOf
  }

  run(): void {
    const { contents } = this.#document
    if (contents === null || (isScalar(contents) && contents.value === null)) return
    const root = rootOf(this.#document)
    if (root === undefined) throw new EngineError('the file must hold a map')
    root.delete('sops')
    this.#comments(this.#document, [])
    this.#map(root, [], 0)
  }

  #node(node: unknown, path: readonly string[], depth: number): unknown {
    if (--this.#left < 0 || depth > maxDepth) throw new EngineError('the file has too many or too deep values')
    const own = isAlias(node) ? (node.resolve(this.#document)?.clone() as Node | undefined) : node
    if (isAlias(own)) throw new EngineError('an alias of an alias cannot be followed')
    if (isMap(own) || isSeq(own) || isScalar(own)) own.anchor = undefined as never
    if (isMap(own)) this.#map(own, path, depth)
    else if (isSeq(own)) this.#list(own, path, depth)
    else if (isScalar(own)) return this.#scalar(own, path)
    return own
  }

  #map(map: YAMLMap, path: readonly string[], depth: number): void {
    this.#comments(map, path)
    for (const pair of map.items as Pair[]) {
      if (!isScalar(pair.key)) throw new EngineError(`a key in ${path.join('.') || 'the file'} is not a string`)
      this.#comments(pair.key, path)
      const key = typeof pair.key.value === 'string' ? pair.key.value : (pair.key.source ?? String(pair.key.value))
      pair.value = this.#node(pair.value, [...path, key], depth + 1)
    }
  }

  #list(list: YAMLSeq, path: readonly string[], depth: number): void {
    this.#comments(list, path)
    list.items = list.items.map(item => this.#node(item, path, depth + 1))
  }

  #scalar(scalar: Scalar, path: readonly string[]): Scalar {
    this.#comments(scalar, path)
    const plain = this.#plainOf(scalar)
    if (plain === undefined) return scalar
    const leaf: Leaf = { path, plain }
    const result = this.#visit[0](leaf)
    return result === plain ? scalar : replaced(scalar, result)
  }

  #comments(node: { comment?: string | null; commentBefore?: string | null }, path: readonly string[]): void {
    for (const field of ['comment', 'commentBefore'] as const) {
      const text = node[field]
      if (typeof text !== 'string' || !text.includes('ENC[')) continue
      node[field] = text
        .split('\n')
        .map(line => this.#visit[1](line, path) ?? line)
        .join('\n')
    }
  }
}

function replaced(old: Scalar, { type, bytes }: Plain): Scalar {
  const text = bytes.toString('utf8')
  const scalar = new Scalar<unknown>(text)
  scalar.comment = old.comment ?? null
  scalar.commentBefore = old.commentBefore ?? null
  if (type === 'int') scalar.value = BigInt(text)
  else if (type === 'float') scalar.value = Number(text.replace(/^([+-])Inf$/, '$1Infinity'))
  else if (type === 'bool') scalar.value = text === 'True'
  else if (type === 'time') scalar.type = 'PLAIN'
  else if (isAmbiguous(text)) scalar.type = 'QUOTE_DOUBLE'
  else scalar.type = text.includes('\n') ? 'BLOCK_LITERAL' : 'PLAIN'
  return scalar
}

/** A text that some reader of YAML takes for something else when it is not quoted. */
function isAmbiguous(text: string): boolean {
  return (
    typeof resolvePlain(text) !== 'string' ||
    plainScalar(text).type !== 'str' ||
    /^(?:y|n|yes|no|on|off|true|false|null|~|)$/i.test(text) ||
    /^[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?$/.test(text)
  )
}

function plainYaml(scalar: Scalar): Plain | undefined {
  if (scalar.type === 'PLAIN' && scalar.tag === undefined) {
    const source = scalar.source ?? ''
    return /^(?:|~|null|Null|NULL)$/.test(source) ? undefined : plainScalar(source)
  }
  return { type: 'str', bytes: Buffer.from(String(scalar.value)) }
}

const timeForm =
  /^(\d{4})-(\d\d?)-(\d\d?)(?:(?:[Tt]|[ \t]+)(\d\d?):(\d\d):(\d\d)(\.\d+)?(?:[ \t]*(Z|[+-]\d\d(?::?\d\d)?))?)?$/

/** An unquoted scalar as SOPS (Go's yaml.v3) understands it. */
function plainScalar(text: string): Plain {
  const plain = (type: Plain['type'], value: string): Plain => ({ type, bytes: Buffer.from(value) })
  if (/^(?:true|True|TRUE)$/.test(text)) return plain('bool', 'True')
  if (/^(?:false|False|FALSE)$/.test(text)) return plain('bool', 'False')
  const digits = text.replaceAll('_', '')
  const integer = /^([-+]?)(0[xX][\da-fA-F]+|0[oO]?[0-7]+|0[bB][01]+|0|[1-9]\d*)$/.exec(digits)
  if (integer !== null && /^[-+\d]/.test(text)) {
    const [, sign, number = ''] = integer
    const octal = /^0[0-7]+$/.test(number) ? `0o${number.slice(1)}` : number
    return plain('int', `${sign === '-' && BigInt(octal) !== 0n ? '-' : ''}${BigInt(octal)}`)
  }
  if (/^[-+]?(?:\.\d+|\d+(?:\.\d*)?)(?:[eE][-+]?\d+)?$/.test(digits)) return plain('float', decimal(Number(digits)))
  if (/^[-+]?\.(?:inf|Inf|INF)$/.test(text)) return plain('float', text.startsWith('-') ? '-Inf' : '+Inf')
  if (/^\.(?:nan|NaN|NAN)$/.test(text)) return plain('float', 'NaN')
  const time = timeForm.exec(text)
  return time === null ? plain('str', text) : plain('time', rfc3339(time))
}

function rfc3339([
  ,
  year = '',
  month = '',
  day = '',
  hour = '0',
  minute = '0',
  second = '0',
  part = '',
  zone,
]: string[]): string {
  const two = (value: string) => value.padStart(2, '0')
  const fraction = part.replace(/\.?0*$/, '')
  const offset =
    zone === undefined || /^(?:Z|[+-]00:?(?:00)?)$/.test(zone)
      ? 'Z'
      : zone.replace(/^(...)(?::?(\d\d))?$/, (_, hours: string, minutes = '00') => `${hours}:${minutes as string}`)
  return `${year}-${two(month)}-${two(day)}T${two(hour)}:${two(minute)}:${two(second)}${fraction}${offset}`
}

function writeDocument(document: Document): string {
  return document.toString({ indent: 4, lineWidth: 0, singleQuote: true, directives: false })
}
