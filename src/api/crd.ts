import { z } from 'zod'
import { ReviewEnvironmentSpec, ReviewEnvironmentStatus } from './environment.ts'
import { group, version } from './meta.ts'
import { ReviewProjectSpec, ReviewProjectStatus } from './project.ts'

type Json = Record<string, unknown>

/** Keywords of JSON Schema that a structural CRD schema has no place for. */
const dropped = new Set(['$schema', 'additionalProperties', 'propertyNames', 'const', '~standard', 'id'])

/** Turns a zod schema into a structural OpenAPI v3 schema, as CustomResourceDefinition v1 wants it. */
export function structuralSchema(schema: z.ZodType): Json {
  return structural(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any', reused: 'inline' }) as Json)
}

function structural(schema: Json): Json {
  const result: Json = {}
  for (const [keyword, value] of Object.entries(schema)) {
    if (keyword === 'properties') {
      result[keyword] = Object.fromEntries(Object.entries(value as Json).map(([k, v]) => [k, structural(v as Json)]))
    } else if (keyword === 'items') result[keyword] = structural(value as Json)
    else if (keyword === 'format' && value !== 'date-time') continue
    else if (keyword === 'pattern' && schema.format === 'date-time') continue
    else if (!dropped.has(keyword)) result[keyword] = value
  }
  const additional = schema.additionalProperties as Json | boolean | undefined
  if (schema.type === 'object' && result.properties === undefined && typeof additional === 'object') {
    if (Object.keys(additional).length > 0) result.additionalProperties = structural(additional)
    else result['x-kubernetes-preserve-unknown-fields'] = true
  }
  if (result['x-kubernetes-preserve-unknown-fields'] === true) delete result.additionalProperties
  return result
}

interface Column {
  name: string
  type: 'string' | 'integer' | 'date'
  jsonPath: string
  description?: string
  priority?: number
}

function definition(names: { kind: string; plural: string; short: string[] }, schema: Json, columns: Column[]): Json {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${names.plural}.${group}`, labels: { 'app.kubernetes.io/name': 'offshoot' } },
    spec: {
      group,
      scope: 'Namespaced',
      names: {
        kind: names.kind,
        listKind: `${names.kind}List`,
        plural: names.plural,
        singular: names.kind.toLowerCase(),
        shortNames: names.short,
        categories: ['offshoot'],
      },
      versions: [
        {
          name: version,
          served: true,
          storage: true,
          subresources: { status: {} },
          additionalPrinterColumns: columns,
          schema: { openAPIV3Schema: schema },
        },
      ],
    },
  }
}

function resource(description: string, spec: z.ZodType, status: z.ZodType, rules?: Json[]): Json {
  return {
    type: 'object',
    description,
    required: ['spec'],
    properties: {
      apiVersion: { type: 'string' },
      kind: { type: 'string' },
      metadata: { type: 'object' },
      spec: structuralSchema(spec),
      // We alone write it. Followed field by field, it would cost the API server a third more at each write.
      status: { ...structuralSchema(status), 'x-kubernetes-map-type': 'atomic' },
    },
    ...(rules ? { 'x-kubernetes-validations': rules } : {}),
  }
}

const age: Column = { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' }

/** The CustomResourceDefinition of ReviewProject. */
export function reviewProjectDefinition(): Json {
  return definition(
    { kind: 'ReviewProject', plural: 'reviewprojects', short: ['rproj'] },
    resource(
      'A repository, which of its changes get environments, and how they are deployed',
      ReviewProjectSpec,
      ReviewProjectStatus,
      [{ rule: 'size(self.metadata.name) <= 63', message: 'the name of a ReviewProject has at most 63 characters' }],
    ),
    [
      { name: 'Environments', type: 'integer', jsonPath: '.status.environments' },
      { name: 'Ready', type: 'integer', jsonPath: '.status.ready' },
      { name: 'Waiting', type: 'integer', jsonPath: '.status.waiting', priority: 1 },
      { name: 'Last listing', type: 'date', jsonPath: '.status.lastListing.time' },
      { name: 'Status', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].reason', priority: 1 },
      age,
    ],
  )
}

/** The CustomResourceDefinition of ReviewEnvironment. */
export function reviewEnvironmentDefinition(): Json {
  return definition(
    { kind: 'ReviewEnvironment', plural: 'reviewenvironments', short: ['renv'] },
    resource('One environment: what a change gets', ReviewEnvironmentSpec, ReviewEnvironmentStatus),
    [
      { name: 'Change', type: 'string', jsonPath: '.status.summary' },
      { name: 'State', type: 'string', jsonPath: '.status.state' },
      { name: 'URL', type: 'string', jsonPath: '.status.url' },
      { name: 'Namespace', type: 'string', jsonPath: '.status.namespace', priority: 1 },
      { name: 'Message', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].message', priority: 1 },
      age,
    ],
  )
}
