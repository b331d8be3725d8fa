import { createHash } from 'node:crypto'
import { PythonError, typeError } from '../errors.ts'
import { dumpJson } from '../json/dumps.ts'
import type { HostFilter } from '../options.ts'
import { type ContextView, Markup, PyBytes, type Value } from '../values.ts'
import { dumpYaml } from '../yaml/dump.ts'
import { loadYaml } from '../yaml/load.ts'
import { filter } from './arguments.ts'
import { noAttribute } from './dicts.ts'
import { slugifyFilter } from './slugify.ts'

/** The text of a str or Markup; AttributeError for everything else, as Python's `x.encode` gives. */
export function textOf(value: Value, attribute = 'encode'): string {
  if (typeof value === 'string') return value
  if (value instanceof Markup) return value.text
  throw noAttribute(value, attribute)
}

/** UTF-8 bytes of a str. Throws UnicodeEncodeError for a lone surrogate. */
function encode(text: string): Buffer {
  if (!text.isWellFormed()) {
    throw new PythonError('UnicodeEncodeError', "'utf-8' codec can't encode character: surrogates not allowed")
  }
  return Buffer.from(text, 'utf8')
}

/** Text of UTF-8 bytes. Throws UnicodeDecodeError for anything else. */
export function decodeUtf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch (cause) {
    throw new PythonError('UnicodeDecodeError', "'utf-8' codec can't decode the bytes: invalid UTF-8", { cause })
  }
}

function bytesOf(value: Value): Uint8Array {
  return value instanceof PyBytes ? value.bytes : encode(textOf(value))
}

function base64Encode(context: ContextView, value: Value): Value {
  const text = textOf(value)
  context.step(text.length >> 4)
  context.allocate(text.length * 2)
  return encode(text).toString('base64')
}

/** Base64 as Python reads it: other characters are skipped, what follows the padding is ignored. */
function base64Decode(context: ContextView, value: Value): Value {
  const text = Buffer.from(bytesOf(value)).toString('latin1')
  context.step(text.length >> 4)
  const clean = text.replaceAll(/[^A-Za-z0-9+/=]/g, '').replace(/^=+/, '')
  const [, data = '', padding = ''] = /^([^=]*)(=*)/.exec(clean) ?? []
  const rest = data.length % 4
  if (rest === 1) {
    const problem = `number of data characters (${data.length}) cannot be 1 more than a multiple of 4`
    throw new PythonError('Error', `Invalid base64-encoded string: ${problem}`)
  }
  if (rest !== 0 && padding.length < 4 - rest) throw new PythonError('Error', 'Incorrect padding')
  return decodeUtf8(Buffer.from(data, 'base64'))
}

/** The first `length` characters of a digest; None or absent means all, a negative number cuts from the end. */
export function cut(digest: string, length: Value | undefined): string {
  if (length === undefined || length === null) return digest
  const count = typeof length === 'boolean' ? Number(length) : length
  if (typeof count === 'number' || typeof count === 'bigint') return digest.slice(0, Number(count))
  throw typeError('slice indices must be integers or None or have an __index__ method')
}

/** SHA-256 of a text's UTF-8 bytes, in hex. */
export function sha256Hex(context: ContextView, text: string): string {
  context.step(text.length >> 4)
  return createHash('sha256').update(encode(text)).digest('hex')
}

function fromYaml(context: ContextView, value: Value): Value {
  if (value instanceof PyBytes) return loadYaml(decodeUtf8(value.bytes), count => context.step(count))
  return loadYaml(textOf(value, 'read'), count => context.step(count))
}

function toYaml(context: ContextView, value: Value): Value {
  const text = dumpYaml(value, { step: count => context.step(count) })
  context.allocate(text.length)
  return text
}

function toJson(context: ContextView, value: Value): Value {
  const text = dumpJson(value, { step: count => context.step(count) })
  context.allocate(text.length)
  return text
}

/** kluctl's filters that need neither files nor other templates. */
export function plainFilters(): [string, HostFilter][] {
  return [
    ['b64encode', filter('b64encode', [], base64Encode)],
    ['b64decode', filter('b64decode', [], base64Decode)],
    ['from_yaml', filter('from_yaml', [], fromYaml)],
    ['to_yaml', filter('to_yaml', [], toYaml)],
    ['to_json', filter('to_json', [], toJson)],
    [
      'sha256',
      filter('sha256', ['digest_len?'], (context, value, [length]) => cut(sha256Hex(context, textOf(value)), length)),
    ],
    ['slugify', slugifyFilter],
  ]
}
