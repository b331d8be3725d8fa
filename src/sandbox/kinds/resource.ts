import { splitApiVersion } from '../../kube/types.ts'
import { builtInTypes, resolve, type Schema } from '../schema/schema.ts'
import rows from './resources.json' with { type: 'json' }

/** How one kind is served. */
export interface Resource {
  apiVersion: string
  group: string
  version: string
  kind: string
  plural: string
  singular: string
  namespaced: boolean
  verbs: readonly string[]
  shortNames: readonly string[]
  categories: readonly string[]
  subresources: readonly string[]
  /** Where its objects are kept; all versions of a kind share it. */
  storage: string
  schema: Schema | undefined
  /** Absent for built-in kinds. */
  custom?: CustomResource
}

/** What a CustomResourceDefinition says besides. */
export interface CustomResource {
  definition: string
  listKind: string
  columns: readonly Column[]
  scale?: { specReplicasPath: string; statusReplicasPath: string; labelSelectorPath?: string }
  /** The version its objects are written in. */
  storageVersion: string
}

/** One of `additionalPrinterColumns`. */
export interface Column {
  name: string
  type: string
  jsonPath: string
  format?: string
  description?: string
  priority?: number
}

interface Row {
  apiVersion: string
  kind: string
  plural: string
  singular: string
  namespaced: boolean
  verbs: string[]
  shortNames?: string[]
  categories?: string[]
  subresources?: string[]
}

/** Kinds whose objects are those of another kind under another name. */
const sharedStorage: Readonly<Record<string, string>> = { 'events.events.k8s.io': 'events' }

function schemasByKind(): Map<string, Schema> {
  const found = new Map<string, Schema>()
  for (const schema of Object.values(builtInTypes)) {
    for (const { group, version, kind } of schema['x-kubernetes-group-version-kind'] ?? []) {
      found.set(`${group === '' ? '' : `${group}/`}${version} ${kind}`, schema)
    }
  }
  return found
}

/** Every built-in kind that the sandbox promises. */
export function builtInResources(): Resource[] {
  const schemas = schemasByKind()
  return (rows as Row[]).map(row => {
    const [group, version] = splitApiVersion(row.apiVersion)
    const schema = schemas.get(`${row.apiVersion} ${row.kind}`)
    const storage = group === '' ? row.plural : `${row.plural}.${group}`
    return {
      ...row,
      group,
      version,
      shortNames: row.shortNames ?? [],
      categories: row.categories ?? [],
      subresources: row.subresources ?? [],
      storage: sharedStorage[storage] ?? storage,
      schema: schema && resolve(schema),
    }
  })
}

/** What an object of the kind is called in errors. */
export function isReview(resource: Resource): boolean {
  return !resource.verbs.includes('get')
}
