import { isMap, isScalar, isSeq, type Pair, type Scalar } from 'yaml'
import { EngineError } from '../../errors.ts'
import type { EncryptedFile } from '../file.ts'
import { decimal, type Plain } from '../value.ts'
import { parseDocuments, rootOf, Walk } from './yaml.ts'

/** A JSON file with SOPS metadata, or undefined when it has none. The order of keys is kept. */
export function openJson(text: string): EncryptedFile | undefined {
  if (!isJson(text)) return undefined
  // The parser for YAML keeps the order of keys that look like numbers, which JavaScript's objects do not.
  const [document] = parseDocuments(text)
  const metadata = document === undefined ? undefined : rootOf(document)?.get('sops', true)
  if (document === undefined || !isMap(metadata) || !metadata.has('mac')) return undefined
  return {
    metadata: (JSON.parse(text) as { sops: unknown }).sops,
    replace: (...visit) => new Walk(document, visit, plainJson).run(),
    write: () => Buffer.from(`${write(document.contents, '')}\n`),
  }
}

/** A binary file: its bytes in the value `data` of a JSON file that has nothing else. */
export function openBinary(text: string): EncryptedFile | undefined {
  if (!/^\s*\{/.test(text) || !isJson(text)) return undefined
  const keys = Object.keys(JSON.parse(text) as object).sort()
  const file = keys.join() === 'data,sops' ? openJson(text) : undefined
  if (file === undefined) return undefined
  let bytes: Uint8Array = Buffer.alloc(0)
  return {
    metadata: file.metadata,
    replace: (value, comment) =>
      file.replace(leaf => {
        const result = value(leaf)
        bytes = result.bytes
        return result
      }, comment),
    write: () => bytes,
  }
}

function isJson(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null
  } catch (error) {
    if (error instanceof SyntaxError) return false
    throw error
  }
}

/** SOPS reads every number of JSON as a double. */
function plainJson(scalar: Scalar): Plain | undefined {
  const { value } = scalar
  if (value === null) return undefined
  if (typeof value === 'boolean') return { type: 'bool', bytes: Buffer.from(value ? 'True' : 'False') }
  if (typeof value === 'number' || typeof value === 'bigint') {
    return { type: 'float', bytes: Buffer.from(decimal(Number(value))) }
  }
  return { type: 'str', bytes: Buffer.from(value as string) }
}

function write(node: unknown, indent: string): string {
  const inner = `${indent}\t`
  if (isMap(node)) {
    const members = (node.items as Pair[]).map(
      ({ key, value }) => `${inner}${JSON.stringify(isScalar(key) ? String(key.value) : '')}: ${write(value, inner)}`,
    )
    return members.length === 0 ? '{}' : `{\n${members.join(',\n')}\n${indent}}`
  }
  if (isSeq(node)) {
    const items = node.items.map(item => inner + write(item, inner))
    return items.length === 0 ? '[]' : `[\n${items.join(',\n')}\n${indent}]`
  }
  if (!isScalar(node)) throw new EngineError('the file holds something that is not JSON')
  const { value } = node
  return typeof value === 'bigint' ? value.toString() : escaped(JSON.stringify(value))
}

/** As Go writes JSON: safe inside HTML. */
function escaped(json: string): string {
  return json.replaceAll(/[<>&\u2028\u2029]/g, sign => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
