import type { z } from 'zod'
import { messageOf } from '../../../util/errors.ts'
import { EngineError } from '../../errors.ts'
import { text } from '../../item.ts'
import { goString, requiredString, stringMap, struct } from '../../project/schema/go.ts'
import { isObject } from '../../values.ts'
import type { Loaded, VarsContext, VarsSource } from '../source.ts'
import { nest } from '../target-path.ts'
import { valueOfText } from '../text.ts'
import { nameOrLabels, remoteOf, shownLabels } from './shared.ts'

const schema = struct({
  name: goString.optional(),
  labels: stringMap.optional(),
  namespace: requiredString,
  key: requiredString,
  /** Deprecated in favour of the entry's own `targetPath`. */
  targetPath: goString.optional(),
}).superRefine(nameOrLabels)

type Spec = z.output<typeof schema>

/** `clusterConfigMap`: a key of a ConfigMap of the target's cluster, rendered and read as YAML. */
export const clusterConfigMap: VarsSource<Spec> = {
  name: 'clusterConfigMap',
  schema,
  sensitive: false,
  load: (spec, context) => load('ConfigMap', spec, context),
}

/** `clusterSecret`: a key of a Secret of the target's cluster, decoded, rendered and read as YAML. */
export const clusterSecret: VarsSource<Spec> = {
  name: 'clusterSecret',
  schema,
  sensitive: true,
  load: (spec, context) => load('Secret', spec, context),
}

async function load(kind: 'ConfigMap' | 'Secret', spec: Spec, context: VarsContext): Promise<Loaded> {
  const { name, labels, namespace, key } = spec
  const objects = await remoteOf(context).objects({ apiVersion: 'v1', kind, namespace, name, labels }, context.signal)
  if (objects.length > 1) throw new EngineError(`found more than one objects with labels ${shownLabels(labels)}`)
  const [object] = objects
  // `instead: undefined`: a default that an earlier entry gave stays.
  if (object === undefined) {
    const what = name
      ? `${kind} ${namespace}/${name} not found on cluster`
      : `no object found with labels ${shownLabels(labels)}`
    return { missing: what, instead: undefined }
  }
  const { metadata, data } = object
  const found = `${namespace}/${kind}/${isObject(metadata) ? text(metadata.name) : ''}`
  const value = isObject(data) && Object.hasOwn(data, key) ? data[key] : undefined
  if (value === undefined) return { missing: `key ${key} not found in ${found} on cluster`, instead: undefined }
  try {
    const plainText = kind === 'Secret' ? decode(text(value)) : text(value)
    const rendered = context.render(plainText)
    // With multidoc kluctl reads the text as it was before it was rendered.
    const read = valueOfText(context.multidoc ? plainText : rendered, context.multidoc, `key ${key}`)
    return { value: spec.targetPath ? nest(spec.targetPath, read) : read }
  } catch (error) {
    throw new EngineError(`failed to load vars from kubernetes object ${found} and key ${key}: ${messageOf(error)}`)
  }
}

function decode(base64: string): string {
  if (!/^[A-Za-z0-9+/\s]*={0,2}\s*$/.test(base64)) throw new EngineError('the value is not base64')
  return Buffer.from(base64, 'base64').toString('utf8')
}
