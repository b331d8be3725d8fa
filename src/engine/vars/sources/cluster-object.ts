import type { z } from 'zod'
import { messageOf } from '../../../util/errors.ts'
import { EngineError } from '../../errors.ts'
import { queryJsonPath } from '../../json-path.ts'
import { goBool, goString, requiredString, stringMap, struct } from '../../project/schema/go.ts'
import { emptyObject, isObject, type Json, type JsonObject } from '../../values.ts'
import type { Loaded, VarsContext, VarsSource } from '../source.ts'
import { valueOfText } from '../text.ts'
import { nameOrLabels, remoteOf } from './shared.ts'

const schema = struct({
  kind: requiredString,
  apiVersion: goString.optional(),
  namespace: goString.optional(),
  name: goString.optional(),
  labels: stringMap.optional(),
  list: goBool.optional(),
  path: requiredString,
  render: goBool.optional(),
  parseYaml: goBool.optional(),
}).superRefine(nameOrLabels)

type Spec = z.output<typeof schema>

/** `clusterObject`: any object of the target's cluster, or a part of it, or a list of them. */
export const clusterObject: VarsSource<Spec> = {
  name: 'clusterObject',
  schema,
  sensitive: true,
  async load(spec, context): Promise<Loaded> {
    const { kind, apiVersion, namespace = '', name, labels } = spec
    const objects = await remoteOf(context).objects({ kind, apiVersion, namespace, name, labels }, context.signal)
    if (objects.length === 0) return { missing: 'no object found' }
    if (objects.length > 1 && spec.list !== true) throw new EngineError('found more than one object')
    const values: Json[] = []
    for (const object of objects) {
      const value = valueIn(object, spec, context)
      if (value === undefined) return { missing: `${origin(object, spec)}: json path not found` }
      values.push(value)
    }
    return { value: spec.list === true ? values : (values[0] ?? null) }
  },
}

function valueIn(object: JsonObject, spec: Spec, context: VarsContext): Json | undefined {
  const [found, ...others] = queryJsonPath(spec.path, object)
  if (found === undefined) return undefined
  try {
    if (others.length > 0) throw new EngineError('json path resulted in multiple matches')
    const value = spec.render === true ? rendered(found, context) : found
    if (spec.parseYaml !== true) return value
    if (typeof value !== 'string') throw new EngineError('value is not a string, but parsing YAML was requested')
    return valueOfText(value, false, 'its text')
  } catch (error) {
    throw new EngineError(`${origin(object, spec)}: ${messageOf(error)}`, { cause: error })
  }
}

function origin(object: JsonObject, spec: Spec): string {
  const metadata = isObject(object.metadata) ? object.metadata : emptyObject()
  const parts = [metadata.namespace, spec.kind, metadata.name].filter(part => typeof part === 'string')
  return `failed to load vars from kubernetes object ${parts.join('/')} and json path ${spec.path}`
}

/** Renders every string; keys stay. */
function rendered(value: Json, context: VarsContext): Json {
  if (typeof value === 'string') return context.render(value)
  if (Array.isArray(value)) return value.map(item => rendered(item, context))
  if (!isObject(value)) return value
  const result = emptyObject()
  for (const [key, inner] of Object.entries(value)) result[key] = rendered(inner, context)
  return result
}
