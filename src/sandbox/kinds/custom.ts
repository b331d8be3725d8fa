import type { KubeObject } from '../../kube/types.ts'
import { promisedVerbs } from '../contract.ts'
import { objectMeta, type Schema } from '../schema/schema.ts'
import type { Column, CustomResource, Resource } from './resource.ts'

/** `spec` of a CustomResourceDefinition, as its own schema has checked it. */
export interface DefinitionSpec {
  group: string
  scope: string
  names: {
    plural: string
    kind: string
    singular?: string
    listKind?: string
    shortNames?: string[]
    categories?: string[]
  }
  versions: DefinitionVersion[]
  preserveUnknownFields?: boolean
}

interface DefinitionVersion {
  name: string
  served: boolean
  storage: boolean
  deprecated?: boolean
  schema?: { openAPIV3Schema?: Schema }
  subresources?: { status?: object; scale?: NonNullable<CustomResource['scale']> }
  additionalPrinterColumns?: Column[]
}

const age: Column = { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' }

/** How the kinds of a definition are served: one resource for each served version. */
export function resourcesOf(definition: KubeObject): Resource[] {
  const spec = definition.spec as DefinitionSpec
  const { group, scope, names, versions } = spec
  const storageVersion = versions.find(({ storage }) => storage)?.name ?? versions[0]?.name ?? ''
  return versions
    .filter(({ served }) => served)
    .map(version => {
      const { status, scale } = version.subresources ?? {}
      const custom: CustomResource = {
        definition: definition.metadata.name ?? '',
        listKind: names.listKind ?? `${names.kind}List`,
        columns: version.additionalPrinterColumns ?? [age],
        storageVersion,
        ...(scale ? { scale } : {}),
      }
      return {
        apiVersion: `${group}/${version.name}`,
        group,
        version: version.name,
        kind: names.kind,
        plural: names.plural,
        singular: names.singular ?? names.kind.toLowerCase(),
        namespaced: scope === 'Namespaced',
        verbs: promisedVerbs,
        shortNames: names.shortNames ?? [],
        categories: names.categories ?? [],
        subresources: [...(scale ? ['scale'] : []), ...(status ? ['status'] : [])],
        storage: `${names.plural}.${group}`,
        schema: rootSchema(version.schema?.openAPIV3Schema ?? {}, spec),
        custom,
      }
    })
}

/** The schema of whole objects: what every object has comes from the API server, not from the definition. */
function rootSchema(schema: Schema, { preserveUnknownFields }: DefinitionSpec): Schema {
  const string: Schema = { type: 'string' }
  return {
    ...schema,
    type: 'object',
    properties: { ...schema.properties, apiVersion: string, kind: string, metadata: objectMeta },
    ...(preserveUnknownFields ? { 'x-kubernetes-preserve-unknown-fields': true } : {}),
  }
}
