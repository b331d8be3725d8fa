import { Environment } from '@marcbachmann/cel-js'
import { messageOf } from '../../util/errors.ts'
import type { FieldProblem } from '../errors.ts'
import { isIntOrString, isRecord, itemSchema, type Rule, resolve, type Schema, topologyOf } from './schema.ts'
import { join, problem } from './validate.ts'

const environment = new Environment({ unlistedVariablesAreDyn: true })
type Program = (context: Record<string, unknown>) => unknown

/** Compiled rules; a rule's text is its key. */
const programs = new Map<string, Program>()

function compile(rule: string): Program {
  let program = programs.get(rule)
  if (!program) {
    program = environment.parse(rule) as unknown as Program
    if (programs.size < 10_000) programs.set(rule, program)
  }
  return program
}

/** What is wrong with the rules of a schema: those that are no CEL. */
export function ruleProblems(schema: Schema, path: string): FieldProblem[] {
  const problems: FieldProblem[] = []
  for (const [index, { rule }] of (schema['x-kubernetes-validations'] ?? []).entries()) {
    try {
      compile(rule)
    } catch (error) {
      const text = `Invalid value: ${JSON.stringify(rule)}: compilation failed: ${messageOf(error)}`
      problems.push(problem(`${path}.x-kubernetes-validations[${index}].rule`, 'FieldValueInvalid', text))
    }
  }
  for (const [name, inner] of Object.entries(schema.properties ?? {})) {
    problems.push(...ruleProblems(inner, `${path}.properties[${name}]`))
  }
  if (schema.items) problems.push(...ruleProblems(schema.items, `${path}.items`))
  const { additionalProperties } = schema
  if (typeof additionalProperties === 'object') {
    problems.push(...ruleProblems(additionalProperties, `${path}.additionalProperties`))
  }
  return problems
}

/** Whether a schema has rules anywhere, so that values without any cost nothing. */
export function hasRules(schema: Schema): boolean {
  const known = rules.get(schema)
  if (known !== undefined) return known
  const inner = [...Object.values(schema.properties ?? {}), schema.items, schema.additionalProperties]
  const found =
    schema['x-kubernetes-validations'] !== undefined ||
    inner.some(one => typeof one === 'object' && one.$ref === undefined && hasRules(one))
  rules.set(schema, found)
  return found
}

const rules = new WeakMap<Schema, boolean>()

/** The rules (`x-kubernetes-validations`) that a value breaks; transition rules count where there was a value before. */
export function validateRules(value: unknown, before: unknown, schema: Schema, path = ''): FieldProblem[] {
  if (value === undefined || !hasRules(schema)) return []
  const problems: FieldProblem[] = []
  for (const rule of schema['x-kubernetes-validations'] ?? []) {
    const broken = brokenRule(rule, value, before, schema, path)
    if (broken) problems.push(broken)
  }
  if (Array.isArray(value)) {
    const items = itemSchema(schema)
    if (!items) return problems
    const old = previousItems(before, schema)
    for (const [index, item] of value.entries()) {
      problems.push(...validateRules(item, old(item), items, `${path}[${index}]`))
    }
  } else if (isRecord(value)) {
    for (const [name, inner] of Object.entries(value)) {
      const own = schema.properties && Object.hasOwn(schema.properties, name) ? schema.properties[name] : undefined
      const field = own ?? (typeof schema.additionalProperties === 'object' ? schema.additionalProperties : undefined)
      if (field === undefined) continue
      problems.push(...validateRules(inner, isRecord(before) ? before[name] : undefined, field, join(path, name)))
    }
  }
  return problems
}

function brokenRule(rule: Rule, value: unknown, before: unknown, schema: Schema, path: string) {
  const isTransition = /\boldSelf\b/.test(rule.rule)
  if (isTransition && before === undefined && rule.optionalOldSelf !== true) return undefined
  const place = rule.fieldPath === undefined ? path : `${path}${rule.fieldPath}`
  const shown = isRecord(value) ? '"object"' : Array.isArray(value) ? '"array"' : JSON.stringify(value)
  const context = { self: toCel(value, schema), ...(isTransition ? { oldSelf: toCel(before, schema) } : {}) }
  try {
    if (compile(rule.rule)(context) === true) return undefined
    const message = messageFor(rule, context)
    if (rule.reason === 'FieldValueRequired') return problem(place, 'FieldValueRequired', `Required value: ${message}`)
    if (rule.reason === 'FieldValueForbidden') return problem(place, 'FieldValueForbidden', `Forbidden: ${message}`)
    return problem(place, 'FieldValueInvalid', `Invalid value: ${shown}: ${message}`)
  } catch (error) {
    const text = `Invalid value: ${shown}: rule evaluation failed: ${messageOf(error)} evaluating rule: ${rule.rule}`
    return problem(place, 'FieldValueInvalid', text)
  }
}

function messageFor(rule: Rule, context: Record<string, unknown>): string {
  if (rule.messageExpression !== undefined) {
    try {
      const text = compile(rule.messageExpression)(context)
      if (typeof text === 'string' && text !== '') return text
    } catch {
      // Kubernetes falls back to `message` as well.
    }
  }
  return rule.message ?? `failed rule: ${rule.rule}`
}

/** Items of before by key, or none: rules of items see their old value only in lists with keys. */
function previousItems(before: unknown, schema: Schema): (item: unknown) => unknown {
  if (!Array.isArray(before) || topologyOf(schema, before) !== 'keyed') return () => undefined
  const keys = schema['x-kubernetes-list-map-keys'] ?? []
  const id = (item: unknown) => JSON.stringify(keys.map(key => (isRecord(item) ? item[key] : undefined)))
  const old = new Map(before.map(item => [id(item), item]))
  return item => old.get(id(item))
}

/** CEL tells integers from doubles, JSON does not: the schema decides. */
function toCel(value: unknown, schema: Schema | undefined): unknown {
  if (typeof value === 'number') {
    const isInteger = schema && (schema.type === 'integer' || isIntOrString(schema))
    return (isInteger || schema?.type === undefined) && Number.isInteger(value) ? BigInt(value) : value
  }
  if (Array.isArray(value)) {
    const items = schema && itemSchema(schema)
    return value.map(item => toCel(item, items))
  }
  if (!isRecord(value)) return value
  const result: Record<string, unknown> = {}
  for (const [name, inner] of Object.entries(value)) {
    const own = schema?.properties && Object.hasOwn(schema.properties, name) ? schema.properties[name] : undefined
    const additional = schema?.additionalProperties
    const field = own ?? (typeof additional === 'object' ? additional : undefined)
    result[name] = toCel(inner, field && resolve(field))
  }
  return result
}
