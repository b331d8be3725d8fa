import types from '../kinds/types.json' with { type: 'json' }

/** A structural OpenAPI v3 schema as Kubernetes uses it; `$ref` names a built-in type. */
export interface Schema {
  $ref?: string
  type?: string
  format?: string
  description?: string
  properties?: Record<string, Schema>
  additionalProperties?: Schema | boolean
  items?: Schema
  required?: string[]
  enum?: unknown[]
  default?: unknown
  nullable?: boolean
  pattern?: string
  minimum?: number
  maximum?: number
  exclusiveMinimum?: boolean
  exclusiveMaximum?: boolean
  multipleOf?: number
  minLength?: number
  maxLength?: number
  minItems?: number
  maxItems?: number
  uniqueItems?: boolean
  minProperties?: number
  maxProperties?: number
  allOf?: Schema[]
  anyOf?: Schema[]
  oneOf?: Schema[]
  not?: Schema
  'x-kubernetes-list-type'?: string
  'x-kubernetes-list-map-keys'?: string[]
  'x-kubernetes-map-type'?: string
  'x-kubernetes-patch-strategy'?: string
  'x-kubernetes-patch-merge-key'?: string
  'x-kubernetes-int-or-string'?: boolean
  'x-kubernetes-preserve-unknown-fields'?: boolean
  'x-kubernetes-embedded-resource'?: boolean
  'x-kubernetes-validations'?: Rule[]
  'x-kubernetes-group-version-kind'?: { group: string; version: string; kind: string }[]
}

/** One CEL rule of a schema. */
export interface Rule {
  rule: string
  message?: string
  messageExpression?: string
  reason?: string
  fieldPath?: string
  optionalOldSelf?: boolean
}

const refPrefix = '#/components/schemas/'

/** Every built-in type by its name in the API server's OpenAPI. */
export const builtInTypes = types as unknown as Readonly<Record<string, Schema>>

const resolved = new WeakMap<Schema, Schema>()

/** The schema itself, with a `$ref` replaced by the type it names; what stands beside the `$ref` wins. */
export function resolve(schema: Schema): Schema {
  if (schema.$ref === undefined) return schema
  const known = resolved.get(schema)
  if (known) return known
  const { $ref, ...own } = schema
  const type = builtInTypes[$ref.slice(refPrefix.length)]
  if (type === undefined) throw new TypeError(`no built-in type ${$ref}`)
  const merged = { ...type, ...own }
  // Such as RawExtension and FieldsV1: any fields.
  const isOpen = type.type === 'object' && !type.properties && !type.additionalProperties
  if (isOpen) merged['x-kubernetes-preserve-unknown-fields'] = true
  resolved.set(schema, merged)
  return merged
}

/** A reference to a built-in type. */
export function reference(name: string): Schema {
  return { $ref: `${refPrefix}${name}` }
}

/** `metav1.ObjectMeta`. */
export const objectMeta = reference('io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta')

/** Whether a value may be a number or a string. */
export function isIntOrString(schema: Schema): boolean {
  return schema['x-kubernetes-int-or-string'] === true || schema.format === 'int-or-string'
}

/** The schema of one field of an object, and whether the schema names it. */
export function fieldSchema(schema: Schema | undefined, name: string): { schema: Schema | undefined; named: boolean } {
  const own = schema?.properties
  if (own !== undefined && Object.hasOwn(own, name)) {
    const field = own[name]
    return { schema: field && resolve(field), named: true }
  }
  const additional = schema?.additionalProperties
  return { schema: typeof additional === 'object' ? resolve(additional) : undefined, named: false }
}

/** The schema of a list's items. */
export function itemSchema(schema: Schema | undefined): Schema | undefined {
  return schema?.items && resolve(schema.items)
}

/** How the fields of a value are owned: as one, by name, by key or by value. */
export type Topology = 'atomic' | 'map' | 'keyed' | 'set'

/** How the value's parts are merged and owned (the topology of the server-side apply documentation). */
export function topologyOf(schema: Schema | undefined, value: unknown): Topology {
  if (Array.isArray(value)) {
    const type = schema?.['x-kubernetes-list-type']
    return type === 'map' ? 'keyed' : type === 'set' ? 'set' : 'atomic'
  }
  if (typeof value !== 'object' || value === null) return 'atomic'
  return schema?.['x-kubernetes-map-type'] === 'atomic' ? 'atomic' : 'map'
}

/** Whether a value is an object with fields. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
