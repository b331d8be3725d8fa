import { EngineError, RefusedError } from '../errors.ts'
import type { EngineHost } from '../host.ts'
import { checkConfig } from '../project/parse.ts'
import { type VarsEntry, varsEntry } from '../project/schema/deployment.ts'
import { renderTree } from '../templating/render-tree.ts'
import type { Templates } from '../templating/templates.ts'
import { clone, emptyObject, isObject, type Json, type JsonObject, merge } from '../values.ts'
import { sources } from './registry.ts'
import { type AwsConfig, sourceNames, type VarsContext, type VarsSource } from './source.ts'
import { nest } from './target-path.ts'

/** What one entry of `vars` brought, for results that show it; sensitive values must never be shown. */
export interface LoadedEntry {
  readonly entry: VarsEntry
  readonly values: JsonObject
  readonly sensitive: boolean
}

/** What loaders share in a run. */
export interface VarsLoaderOptions {
  readonly host: EngineHost
  readonly templates: Templates
  readonly aws: AwsConfig | undefined
  readonly signal: AbortSignal
}

/** Loads lists of `vars`. */
export class VarsLoader {
  readonly #options: VarsLoaderOptions
  readonly #loaded: LoadedEntry[] = []

  constructor(options: VarsLoaderOptions) {
    this.#options = options
  }

  /** Everything loaded so far, from all lists: what masks values that came from sensitive entries. */
  get loaded(): readonly LoadedEntry[] {
    return this.#loaded
  }

  /**
   * The variables with all entries merged in, in order; each entry sees what the ones before it brought. The map that
   * was given stays as it is. @throws EngineError
   */
  async load(
    entries: readonly VarsEntry[] | undefined,
    variables: JsonObject,
    searchPath: readonly string[],
  ): Promise<{ variables: JsonObject; loaded: LoadedEntry[] }> {
    const loaded: LoadedEntry[] = []
    let all = variables
    for (const [index, entry] of (entries ?? []).entries()) {
      const found = await this.#loadEntry(entry, index, all, searchPath)
      if (found === undefined) continue
      const one = { entry, values: found.values, sensitive: entry.sensitive ?? found.sensitive }
      loaded.push(one)
      this.#loaded.push(one)
      if (one.sensitive) this.#options.host.onSensitive?.(one.values)
      if (found.skipped) continue
      all = entry.noOverride === true ? merge(clone(found.values), all) : merge(clone(all), found.values)
    }
    return { variables: all, loaded }
  }

  async #loadEntry(
    raw: VarsEntry,
    index: number,
    variables: JsonObject,
    searchPath: readonly string[],
  ): Promise<{ values: JsonObject; sensitive: boolean; skipped: boolean } | undefined> {
    const { templates } = this.#options
    const defined = Object.assign(emptyObject(), raw) as JsonObject
    const entry = checkConfig(renderTree(templates, defined, variables).value, varsEntry, undefined, ['vars', index])
    // A mistake in it counts even where it is not used today.
    const chosen = chooseSource(entry, index)
    if (!templates.holds(entry.when ?? '', variables)) return undefined
    if (entry.multidoc === true && !entry.targetPath) {
      throw new EngineError('multidoc vars sources can only be used when targetPath is also specified')
    }
    const { value, sensitive } = await this.#loadSource(entry, chosen, this.#context(entry, variables, searchPath))
    if (value === undefined) return { values: emptyObject(), sensitive, skipped: true }
    return { values: placed(entry, value), sensitive, skipped: false }
  }

  async #loadSource(
    entry: VarsEntry,
    { source, spec }: ChosenSource,
    context: VarsContext,
  ): Promise<{ value: Json | undefined; sensitive: boolean }> {
    const { policy } = this.#options.host
    if (policy.sources !== 'all' && !policy.sources.has(source.name)) {
      throw new RefusedError(`variables from ${source.name} are not allowed here: the project may not use this source`)
    }
    const loaded = await source.load(spec, context)
    if ('value' in loaded) return { value: loaded.value, sensitive: loaded.sensitive ?? source.sensitive }
    if (entry.ignoreMissing !== true) throw new EngineError(loaded.missing)
    return { value: 'instead' in loaded ? loaded.instead : emptyObject(), sensitive: source.sensitive }
  }

  #context(entry: VarsEntry, variables: JsonObject, searchPath: readonly string[]): VarsContext {
    const { host, templates, aws, signal } = this.#options
    return {
      host,
      aws,
      signal,
      variables,
      ignoreMissing: entry.ignoreMissing ?? false,
      multidoc: entry.multidoc ?? false,
      render: text => templates.renderText(text, variables),
      renderFile: (name, given) => {
        // Folders that a source brings are checkouts of its own.
        for (const folder of given ?? []) templates.allow(folder)
        const folders = given ?? searchPath
        const found = templates.find(name, folders)
        if (found === undefined) return undefined
        const text = templates.renderFile(found, variables, folders)
        return { path: found.path, text: typeof text === 'string' ? text : Buffer.from(text).toString('utf8') }
      },
    }
  }
}

interface ChosenSource {
  readonly source: VarsSource
  readonly spec: unknown
}

/** The source that an entry names, with what it is asked for. @throws ConfigError */
function chooseSource(entry: VarsEntry, index: number): ChosenSource {
  const name = sourceNames.find(one => entry[one] !== undefined)
  const source = name === undefined ? undefined : sources.get(name)
  if (name === undefined || source === undefined) throw new EngineError(`unknown vars source type ${name ?? ''}`)
  return { source, spec: checkConfig(entry[name] as Json, source.schema, undefined, ['vars', index, name]) }
}

function placed(entry: VarsEntry, value: Json): JsonObject {
  if (entry.targetPath) return nest(entry.targetPath, value)
  if (!isObject(value)) throw new EngineError("'targetPath' is required for this variable source")
  return value
}
