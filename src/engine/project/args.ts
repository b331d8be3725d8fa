import { readFile } from 'node:fs/promises'
import { EngineError } from '../errors.ts'
import { clone, emptyObject, getPath, isObject, type Json, type JsonObject, merge } from '../values.ts'
import { readYaml, readYamlObject } from '../yaml.ts'
import type { Argument } from './schema/project.ts'

/** Arguments as a command line gives them. */
export interface ArgumentFlags {
  /** Values that need no reading, below those of the flags. */
  readonly values?: JsonObject | undefined
  /** `name=value`; nested names with points; the value is YAML, or `@file`. */
  readonly arg?: readonly string[] | undefined
  /** YAML files whose maps are merged over the ones above, in order. */
  readonly argsFromFile?: readonly string[] | undefined
}

const form = /^[a-zA-Z0-9_./-]*=.*$/

/** The map that the flags mean. @throws EngineError naming the flag */
export async function readArguments(flags: ArgumentFlags): Promise<JsonObject> {
  const values = new Map<string, string>()
  for (const given of flags.arg ?? []) {
    if (!form.test(given)) {
      throw new EngineError(`invalid --arg argument. Must be --arg=some_var_name=value, not '${given}'`)
    }
    const at = given.indexOf('=')
    values.set(given.slice(0, at), given.slice(at + 1))
  }
  const all = clone(flags.values ?? emptyObject())
  for (const [name, value] of values) setArgument(all, name.split('.'), await argumentValue(name, value))
  for (const path of flags.argsFromFile ?? []) {
    try {
      merge(all, readYamlObject(await readFile(path, 'utf8')))
    } catch (error) {
      throw new EngineError(`failed to load arguments from ${path}`, { cause: error })
    }
  }
  return all
}

async function argumentValue(name: string, given: string): Promise<Json> {
  try {
    if (given.startsWith('@')) return readYaml(await readFile(given.slice(1), 'utf8'))
    return readYaml(given.startsWith('\\@') ? given.slice(1) : given)
  } catch (error) {
    throw new EngineError(`invalid value of argument ${name}`, { cause: error })
  }
}

/** Sets a nested value, making the maps on the way; a value that is no map is in the way and stays. */
function setArgument(target: JsonObject, path: readonly string[], value: Json): void {
  let at = target
  for (const key of path.slice(0, -1)) {
    const known = Object.hasOwn(at, key) ? at[key] : undefined
    if (known === undefined || known === null) at[key] = emptyObject()
    else if (!isObject(known)) return
    at = at[key] as JsonObject
  }
  at[path.at(-1) ?? ''] = value
}

/**
 * The arguments with the declared defaults below them. Undeclared ones are accepted.
 * @throws EngineError for a declared argument that has neither value nor default
 */
export function withDefaults(declared: readonly Argument[], given: JsonObject): JsonObject {
  const all = emptyObject()
  for (const { name, default: value } of declared) {
    if (value === undefined || value === null) continue
    merge(all, Object.assign(emptyObject(), { [name]: value }))
  }
  merge(all, given)
  const [missing] = missingArguments(declared, all)
  if (missing !== undefined) throw new EngineError(`required argument ${missing} not set`)
  return all
}

/** Names of the declared arguments that have neither a default nor a value among those given. */
export function missingArguments(declared: readonly Argument[], given: JsonObject): string[] {
  return declared
    .filter(({ default: value }) => value === undefined || value === null)
    .map(({ name }) => name)
    .filter(name => getPath(given, name.split('.')) === undefined)
}
