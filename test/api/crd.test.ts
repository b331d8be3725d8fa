import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { reviewEnvironmentDefinition, reviewProjectDefinition } from '../../src/api/crd.ts'
import { generatedFiles } from '../../src/api/generate.ts'

type Json = Record<string, unknown>

describe('config/crd', () => {
  it.each(generatedFiles())('$path is what npm run generate writes', ({ path, text }) => {
    expect(readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')).toBe(text)
  })
})

/** Every schema inside a schema, with its path. */
function* schemas(schema: Json, path: string): Generator<[string, Json]> {
  yield [path, schema]
  for (const [name, child] of Object.entries((schema.properties ?? {}) as Record<string, Json>)) {
    yield* schemas(child, `${path}.${name}`)
  }
  if (schema.items) yield* schemas(schema.items as Json, `${path}[]`)
  if (typeof schema.additionalProperties === 'object') yield* schemas(schema.additionalProperties as Json, `${path}{}`)
}

describe.each([
  ['ReviewProject', reviewProjectDefinition()],
  ['ReviewEnvironment', reviewEnvironmentDefinition()],
])('%s', (_kind, definition) => {
  const [version] = (definition.spec as { versions: [Json] }).versions
  const root = (version.schema as { openAPIV3Schema: Json }).openAPIV3Schema
  const all = [...schemas(root, '')].filter(([path]) => path.startsWith('.spec') || path.startsWith('.status'))

  it('is structural: every node has a type or keeps what it does not know', () => {
    const bad = all.filter(
      ([, schema]) => schema.type === undefined && schema['x-kubernetes-preserve-unknown-fields'] !== true,
    )
    expect(bad.map(([path]) => path)).toEqual([])
  })

  it('uses no keyword that a CRD refuses', () => {
    const refused = ['$schema', '$ref', 'const', 'definitions', 'propertyNames', 'patternProperties', 'examples']
    const bad = all.filter(([, schema]) => refused.some(keyword => keyword in schema))
    expect(bad.map(([path]) => path)).toEqual([])
  })

  it('forbids no unknown field by additionalProperties beside properties, as the API server would', () => {
    expect(all.filter(([, schema]) => schema.properties && 'additionalProperties' in schema)).toEqual([])
  })

  it('bounds every list of the status', () => {
    const open = all.filter(
      ([path, schema]) => path.startsWith('.status') && schema.type === 'array' && schema.maxItems === undefined,
    )
    expect(open.map(([path]) => path)).toEqual([])
  })

  it('has a status subresource, columns and short names', () => {
    expect(version.subresources).toEqual({ status: {} })
    expect((version.additionalPrinterColumns as Json[]).length).toBeGreaterThan(3)
    expect((definition.spec as { names: { shortNames: string[] } }).names.shortNames).toHaveLength(1)
  })
})
