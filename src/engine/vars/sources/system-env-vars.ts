import { EngineError } from '../../errors.ts'
import { anyMap } from '../../project/schema/go.ts'
import { compareBytes, emptyObject, isObject, type Json, type JsonObject } from '../../values.ts'
import { readYaml } from '../../yaml.ts'
import type { VarsContext, VarsSource } from '../source.ts'

/** `systemEnvVars`: a map of maps whose leaves name environment variables, each with an optional `:default`. */
export const systemEnvVars: VarsSource<JsonObject> = {
  name: 'systemEnvVars',
  schema: anyMap,
  sensitive: true,
  load: (spec, context) => Promise.resolve({ value: resolveMap(spec, '$', context) }),
}

function resolveMap(spec: JsonObject, path: string, context: VarsContext): JsonObject {
  const result = emptyObject()
  for (const key of Object.keys(spec).sort(compareBytes)) {
    const leaf = spec[key] as Json
    const at = `${path}[${JSON.stringify(key)}]`
    if (isObject(leaf)) {
      if (Object.keys(leaf).length === 0) continue
      const inner = resolveMap(leaf, at, context)
      if (Object.keys(inner).length > 0) result[key] = inner
      continue
    }
    if (Array.isArray(leaf)) {
      refuseList(leaf, at, context)
      continue
    }
    const value = resolveLeaf(leaf, at, context)
    if (value !== undefined) result[key] = value
  }
  return result
}

/** kluctl's documentation shows lists, but kluctl itself cannot set into them; of an empty one it makes nothing. */
function refuseList(list: readonly Json[], path: string, context: VarsContext): void {
  for (const [index, leaf] of list.entries()) {
    const at = `${path}[${index}]`
    if (isObject(leaf)) resolveMap(leaf, at, context)
    else if (Array.isArray(leaf)) refuseList(leaf, at, context)
    else if (resolveLeaf(leaf, at, context) === undefined) continue
    throw new EngineError(`failed to set value for ${at}: key is not a string`)
  }
}

function resolveLeaf(leaf: Json, at: string, context: VarsContext): Json | undefined {
  if (typeof leaf !== 'string') throw new EngineError(`value at ${at} is not a string`)
  const colon = leaf.indexOf(':')
  const name = colon < 0 ? leaf : leaf.slice(0, colon)
  const { environment } = context.host
  // An empty default is an empty string, not YAML's nothing.
  const fallback = colon < 0 ? undefined : leaf.slice(colon + 1) || '""'
  const text = (Object.hasOwn(environment, name) ? environment[name] : undefined) ?? fallback
  if (text === undefined) {
    if (context.ignoreMissing) return undefined
    throw new EngineError(`environment variable ${name} not found for ${at}`)
  }
  try {
    return readYaml(text)
  } catch (error) {
    throw new EngineError(`failed to parse the value of environment variable ${name} for ${at}`, { cause: error })
  }
}
