import { isObject, type Json, type JsonObject } from '../values.ts'

/** What a kustomization names: paths (relative to its folder) and things to be fetched. */
export interface References {
  /** Files, or folders with a kustomization of their own. */
  readonly paths: string[]
  readonly remote: string[]
}

const listsOfPaths = ['resources', 'components', 'bases', 'crds', 'configurations', 'patchesStrategicMerge']
const listsOfPlugins = ['generators', 'transformers', 'validators']
const pathKeys = new Set([
  'path',
  'paths',
  'files',
  'envs',
  'env',
  'envfiles',
  'valuesfile',
  'additionalvaluesfiles',
  'loadrestrictor',
])

/** All that a kustomization file names, by its fields (api/types/kustomization.go of Kustomize). */
export function referencesOf(kustomization: JsonObject): References {
  const found: References = { paths: [], remote: [] }
  for (const field of [...listsOfPaths, ...listsOfPlugins]) {
    for (const entry of listsAt(kustomization, field)) if (typeof entry === 'string') addEntry(entry, found)
  }
  for (const field of ['patches', 'patchesJson6902', 'replacements']) {
    for (const entry of listsAt(kustomization, field)) addPaths(entry, found)
  }
  for (const field of ['configMapGenerator', 'secretGenerator']) {
    for (const entry of listsAt(kustomization, field)) if (isObject(entry)) addPlugin(entry, found)
  }
  for (const entry of valuesAt(kustomization, 'openapi')) addPaths(entry, found)
  return found
}

/** What the configuration of a generator, transformer or validator names: its path-like fields, at any depth. */
export function pluginReferences(value: Json, found: References = { paths: [], remote: [] }): References {
  if (Array.isArray(value)) for (const item of value) pluginReferences(item, found)
  else if (isObject(value)) {
    addPlugin(value, found)
    for (const inner of Object.values(value)) pluginReferences(inner, found)
  }
  return found
}

/** Fields of a kustomization whose entries are plugin configurations. */
export function pluginEntries(kustomization: JsonObject): string[] {
  return listsOfPlugins.flatMap(field => listsAt(kustomization, field)).filter(entry => typeof entry === 'string')
}

/** True for what Kustomize would clone or download: URLs, `git@host:…`, `host.tld/owner/repo`. */
export function isRemote(entry: string): boolean {
  return (
    /^(?:[a-z][a-z0-9+.-]*::|[a-z][a-z0-9+.-]*:\/\/|[\w.-]+@[\w.-]+:)/i.test(entry) ||
    /^(?:[\w-]+\.)+[a-z]{2,}\/[^/]+\/[^/]+/i.test(entry) ||
    /\?(?:ref|version|timeout|submodules)=/.test(entry) ||
    /\.git(?:\/|$)/.test(entry)
  )
}

function addPlugin(entry: JsonObject, found: References): void {
  for (const [key, value] of Object.entries(entry)) if (pathKeys.has(folded(key))) addAll(value, found)
}

function addPaths(entry: Json, found: References): void {
  if (!isObject(entry)) return
  for (const path of valuesAt(entry, 'path')) addAll(path, found)
}

function addAll(value: Json | undefined, found: References): void {
  for (const entry of typeof value === 'string' ? [value] : strings(value)) {
    // A generator's files may be given as `key=path`.
    addEntry(entry.slice(entry.indexOf('=') + 1), found)
    if (entry.includes('=')) addEntry(entry, found)
  }
}

function addEntry(entry: string, found: References): void {
  // Several lines are content, not a path.
  if (entry.includes('\n') || entry === '') return
  if (isRemote(entry)) found.remote.push(entry)
  found.paths.push(entry)
}

/** Values of a field under every spelling of its name that Kustomize takes for it. */
function valuesAt(object: JsonObject, field: string): Json[] {
  const wanted = folded(field)
  return Object.entries(object).flatMap(([key, value]) => (folded(key) === wanted ? [value] : []))
}

function listsAt(object: JsonObject, field: string): Json[] {
  return valuesAt(object, field).flatMap(list)
}

/** Go's encoding/json folds case, and takes ſ for s and the Kelvin sign for k. */
function folded(key: string): string {
  return key.toUpperCase().toLowerCase()
}

function list(value: Json | undefined): Json[] {
  return Array.isArray(value) ? value : []
}

function strings(value: Json | undefined): string[] {
  return list(value).filter(item => typeof item === 'string')
}
