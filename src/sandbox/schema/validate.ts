import { isDeepStrictEqual } from 'node:util'
import type { FieldProblem } from '../errors.ts'
import { fieldSetProblems } from './lists.ts'
import { isIntOrString, isRecord, itemSchema, resolve, type Schema } from './schema.ts'

const maxProblems = 50
const maxDepth = 200

/** What in a value breaks its schema (structural OpenAPI v3, without CEL); at most 50 problems. */
export function validateSchema(value: unknown, schema: Schema, path = ''): FieldProblem[] {
  const problems: FieldProblem[] = []
  check(value, schema, path, problems, 0)
  return problems.slice(0, maxProblems)
}

function check(value: unknown, schema: Schema, path: string, problems: FieldProblem[], depth: number): void {
  if (problems.length >= maxProblems || depth > maxDepth) return
  if (value === null && schema.nullable === true) return
  const mismatch = typeProblem(value, schema, path)
  if (mismatch) {
    problems.push(mismatch)
    return
  }
  if (schema.enum && !schema.enum.some(one => isDeepStrictEqual(one, value))) {
    const supported = schema.enum.map(one => JSON.stringify(one)).join(', ')
    problems.push(
      problem(path, 'FieldValueNotSupported', `Unsupported value: ${show(value)}: supported values: ${supported}`),
    )
  }
  if (typeof value === 'string') checkString(value, schema, path, problems)
  else if (typeof value === 'number') checkNumber(value, schema, path, problems)
  else if (Array.isArray(value)) checkList(value, schema, path, problems, depth)
  else if (isRecord(value)) checkMap(value, schema, path, problems, depth)
  checkCombinations(value, schema, path, problems, depth)
}

function typeProblem(value: unknown, schema: Schema, path: string): FieldProblem | undefined {
  const actual = jsonType(value)
  if (isIntOrString(schema)) {
    return actual === 'integer' || actual === 'string' ? undefined : mistyped(path, 'integer,string', actual, value)
  }
  if (schema.type === undefined || schema.type === actual) return undefined
  if (schema.type === 'number' && actual === 'integer') return undefined
  return mistyped(path, schema.type, actual, value)
}

function mistyped(path: string, expected: string, actual: string, value: unknown): FieldProblem {
  const shown = isRecord(value) || Array.isArray(value) ? JSON.stringify(actual) : show(value)
  const text = `Invalid value: ${shown}: ${path || '<nil>'} in body must be of type ${expected}: ${JSON.stringify(actual)}`
  return problem(path, 'FieldValueTypeInvalid', text)
}

/** `null`, `boolean`, `integer`, `number`, `string`, `array` or `object`. */
export function jsonType(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'array'
  return typeof value === 'number' ? (Number.isInteger(value) ? 'integer' : 'number') : typeof value
}

function checkString(value: string, schema: Schema, path: string, problems: FieldProblem[]): void {
  const bad = (text: string) => problems.push(invalidValue(path, value, `${path} in body ${text}`))
  const { minLength, maxLength, pattern, format } = schema
  const length = minLength === undefined && maxLength === undefined ? 0 : Array.from(value).length
  if (minLength !== undefined && length < minLength) bad(`should be at least ${minLength} chars long`)
  if (maxLength !== undefined && length > maxLength) {
    problems.push(problem(path, 'FieldValueTooLong', `Too long: may not be more than ${maxLength} bytes`))
  }
  if (pattern !== undefined && !compiled(pattern).test(value)) bad(`should match '${pattern}'`)
  if (format === 'date-time' && !isDateTime(value)) bad(`must be of type date-time: ${JSON.stringify(value)}`)
}

function isDateTime(value: string): boolean {
  return (
    /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/.test(value) && !Number.isNaN(Date.parse(value))
  )
}

const patterns = new Map<string, RegExp>()

/** The pattern as a regular expression; those that come with CRDs are trusted as an administrator's are. */
function compiled(pattern: string): RegExp {
  let regexp = patterns.get(pattern)
  if (!regexp) {
    regexp = new RegExp(pattern, 'u')
    if (patterns.size < 10_000) patterns.set(pattern, regexp)
  }
  return regexp
}

function checkNumber(value: number, schema: Schema, path: string, problems: FieldProblem[]): void {
  const bad = (text: string) => problems.push(invalidValue(path, value, `${path} in body ${text}`))
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf, format } = schema
  if (minimum !== undefined && (exclusiveMinimum ? value <= minimum : value < minimum)) {
    bad(`should be greater than${exclusiveMinimum ? '' : ' or equal to'} ${minimum}`)
  }
  if (maximum !== undefined && (exclusiveMaximum ? value >= maximum : value > maximum)) {
    bad(`should be less than${exclusiveMaximum ? '' : ' or equal to'} ${maximum}`)
  }
  if (multipleOf !== undefined && value % multipleOf !== 0) bad(`should be a multiple of ${multipleOf}`)
  if (format === 'int32' && (value > 2 ** 31 - 1 || value < -(2 ** 31))) bad('should be a 32-bit integer')
}

function checkList(value: unknown[], schema: Schema, path: string, problems: FieldProblem[], depth: number): void {
  const { minItems, maxItems } = schema
  if (minItems !== undefined && value.length < minItems) {
    problems.push(invalidValue(path, value.length, `${path} in body should have at least ${minItems} items`))
  }
  if (maxItems !== undefined && value.length > maxItems) {
    problems.push(problem(path, 'FieldValueTooMany', `Too many: ${value.length}: must have at most ${maxItems} items`))
    return
  }
  const items = itemSchema(schema)
  if (items) for (const [index, item] of value.entries()) check(item, items, `${path}[${index}]`, problems, depth + 1)
  problems.push(...fieldSetProblems(value, schema, path))
}

function checkMap(
  value: Record<string, unknown>,
  schema: Schema,
  path: string,
  problems: FieldProblem[],
  depth: number,
) {
  for (const name of schema.required ?? []) {
    if (value[name] === undefined) problems.push(problem(join(path, name), 'FieldValueRequired', 'Required value'))
  }
  const size = Object.keys(value).length
  if (schema.minProperties !== undefined && size < schema.minProperties) {
    problems.push(invalidValue(path, size, `${path} in body should have at least ${schema.minProperties} properties`))
  }
  if (schema.maxProperties !== undefined && size > schema.maxProperties) {
    const text = `Too many: ${size}: must have at most ${schema.maxProperties} items`
    problems.push(problem(path, 'FieldValueTooMany', text))
  }
  const { properties, additionalProperties } = schema
  for (const [name, inner] of Object.entries(value)) {
    const own = properties !== undefined && Object.hasOwn(properties, name) ? properties[name] : undefined
    const field = own ?? (typeof additionalProperties === 'object' ? additionalProperties : undefined)
    if (field && inner !== undefined) check(inner, resolve(field), join(path, name), problems, depth + 1)
  }
}

function checkCombinations(
  value: unknown,
  schema: Schema,
  path: string,
  problems: FieldProblem[],
  depth: number,
): void {
  const { allOf, anyOf, oneOf, not } = schema
  const passes = (one: Schema) => {
    const found: FieldProblem[] = []
    check(value, one, path, found, depth + 1)
    return found.length === 0
  }
  for (const one of allOf ?? []) check(value, one, path, problems, depth + 1)
  if (anyOf && !isIntOrString(schema) && !anyOf.some(passes)) {
    problems.push(invalidValue(path, '', `${show(path)} must validate at least one schema (anyOf)`))
  }
  if (oneOf && !isIntOrString(schema) && oneOf.filter(passes).length !== 1) {
    problems.push(invalidValue(path, '', `${show(path)} must validate one and only one schema (oneOf)`))
  }
  if (not && passes(not)) problems.push(invalidValue(path, '', `${show(path)} must not validate the schema (not)`))
}

/** `path.name`, or the name alone at the top. */
export function join(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`
}

export function problem(field: string, reason: FieldProblem['reason'], message: string): FieldProblem {
  return { field: field === '' ? '<nil>' : field, reason, message }
}

export function invalidValue(field: string, value: unknown, text: string): FieldProblem {
  return problem(field, 'FieldValueInvalid', `Invalid value: ${show(value)}: ${text}`)
}

function show(value: unknown): string {
  const text = JSON.stringify(value) ?? 'null'
  return text.length > 500 ? `${text.slice(0, 500)}…` : text
}
