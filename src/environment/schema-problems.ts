import { inspect } from 'node:util'
import { z } from 'zod'
import type { Problem } from '../util/errors.ts'
import { quote } from './names.ts'
import type { FieldPath, YamlDocument } from './yaml-source.ts'

/** `spec.changes.pullRequests.paths[1]`; keys that are no plain words in brackets and quotes. */
export function formatPath(path: FieldPath): string {
  return path.reduce<string>((text, step) => {
    if (typeof step === 'number') return `${text}[${step}]`
    if (!/^[A-Za-z_][\w-]*$/.test(step)) return `${text}[${JSON.stringify(step)}]`
    return text === '' ? step : `${text}.${step}`
  }, '')
}

/** Every mistake that a schema found, with its path, what was expected and, given a document, its position. */
export function schemaProblems(
  error: z.ZodError,
  schema: z.ZodType,
  input: unknown,
  document?: YamlDocument,
): Problem[] {
  return error.issues
    .flatMap(issue => issueProblems(issue, schema, input))
    .map(({ at, message }) => ({
      path: formatPath(at),
      message,
      ...document?.positionOf(at),
    }))
}

interface Located {
  at: FieldPath
  message: string
}

function issueProblems(issue: z.core.$ZodIssue, schema: z.ZodType, input: unknown): Located[] {
  const at = issue.path.map(step => (typeof step === 'symbol' ? String(step) : step))
  switch (issue.code) {
    case 'unrecognized_keys': {
      const known = fieldsAt(schema, at)
      return issue.keys.map(key => ({ at: [...at, key], message: `unknown field; expected ${oneOf(known, key)}` }))
    }
    case 'invalid_type': {
      const got = valueAt(input, at)
      return [
        { at, message: `expected ${article(issue.expected)}, got ${got === undefined ? 'nothing' : kindOf(got)}` },
      ]
    }
    case 'invalid_value':
      return [{ at, message: `expected ${issue.values.map(String).join(' or ')}, got ${show(valueAt(input, at))}` }]
    case 'too_big':
      return [
        {
          at,
          message: `expected at most ${issue.maximum}${unitOf(issue.origin, issue.maximum)}, got ${sizeOf(valueAt(input, at))}`,
        },
      ]
    case 'too_small':
      return [
        {
          at,
          message: `expected at least ${issue.minimum}${unitOf(issue.origin, issue.minimum)}, got ${sizeOf(valueAt(input, at))}`,
        },
      ]
    case 'invalid_format': {
      const pattern = issue.pattern === undefined ? issue.format : `text that matches ${issue.pattern}`
      const expected = issue.message.startsWith('expected') ? issue.message : `expected ${pattern}`
      return [{ at, message: `${expected}, got ${show(valueAt(input, at))}` }]
    }
    case 'invalid_key':
      return [{ at, message: `invalid key: ${issue.issues.map(inner => inner.message).join('; ')}` }]
    default:
      return [{ at, message: issue.message }]
  }
}

const articles: Record<string, string> = {
  object: 'an object',
  array: 'a list',
  int: 'a whole number',
  record: 'an object',
}

function article(kind: string): string {
  return articles[kind] ?? `a ${kind}`
}

function kindOf(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object') return 'an object'
  return `${article(typeof value)} (${show(value)})`
}

function show(value: unknown): string {
  if (value === undefined) return 'nothing'
  return typeof value === 'string'
    ? quote(value)
    : quote(inspect(value, { depth: 2, breakLength: Infinity })).slice(1, -1)
}

const units: Record<string, [one: string, many: string]> = {
  string: ['character', 'characters'],
  array: ['entry', 'entries'],
  record: ['entry', 'entries'],
  map: ['entry', 'entries'],
}

function unitOf(origin: string, count: number | bigint): string {
  const unit = units[origin]
  return unit ? ` ${unit[Number(count) === 1 ? 0 : 1]}` : ''
}

function sizeOf(value: unknown): string {
  if (typeof value === 'string' || Array.isArray(value)) return String(value.length)
  return typeof value === 'object' && value !== null ? String(Object.keys(value).length) : show(value)
}

function valueAt(input: unknown, path: FieldPath): unknown {
  let value = input
  for (const step of path) {
    if (typeof value !== 'object' || value === null) return undefined
    value = Object.hasOwn(value, step) ? (value as Record<string | number, unknown>)[step] : undefined
  }
  return value
}

/** The field names that the schema knows at a path. */
function fieldsAt(schema: z.ZodType, path: FieldPath): string[] {
  let at: z.ZodType | undefined = unwrap(schema)
  for (const step of path) at = at && unwrap(child(at, step))
  return at instanceof z.ZodObject ? Object.keys(at.shape) : []
}

function child(schema: z.ZodType, step: string | number): z.ZodType | undefined {
  if (schema instanceof z.ZodObject) return schema.shape[step] as z.ZodType | undefined
  if (schema instanceof z.ZodArray) return schema.element as z.ZodType
  if (schema instanceof z.ZodRecord) return schema.valueType as z.ZodType
  return undefined
}

function unwrap(schema: z.ZodType | undefined): z.ZodType | undefined {
  let at = schema
  while (
    at instanceof z.ZodOptional ||
    at instanceof z.ZodDefault ||
    at instanceof z.ZodPrefault ||
    at instanceof z.ZodNullable
  ) {
    at = at.unwrap() as z.ZodType
  }
  return at
}

function oneOf(known: readonly string[], key: string): string {
  if (known.length === 0) return 'no such field here'
  const distances = known.map(name => ({ name, edits: distance(name.toLowerCase(), key.toLowerCase()) }))
  const near = distances.sort((a, b) => a.edits - b.edits).find(({ edits }) => edits <= (key.length < 4 ? 1 : 2))?.name
  return `one of ${known.join(', ')}${near === undefined ? '' : ` (did you mean ${near}?)`}`
}

/** Levenshtein distance; texts over 64 characters are as far apart as they are long. */
function distance(a: string, b: string): number {
  if (a.length > 64 || b.length > 64) return Math.max(a.length, b.length)
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const substitution = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min((next[j - 1] ?? 0) + 1, (row[j] ?? 0) + 1, substitution))
    }
    row = next
  }
  return row[b.length] ?? 0
}
