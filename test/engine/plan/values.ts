import fc from 'fast-check'
import type { Manifest } from '../../../src/engine/item.ts'
import type { Json } from '../../../src/engine/values.ts'

const key = fc.oneof(
  fc.constantFrom('name', 'spec', 'app.kubernetes.io/name', 'a', 'q"q', '0'),
  fc.stringMatching(/^[a-z]{1,6}$/),
)
const leaf: fc.Arbitrary<Json> = fc.oneof(
  fc.constantFrom('', 'x', 'y', 'line one\nline two\n', 'line one\nline three', '1', 'true'),
  fc.string(),
  fc.integer(),
  fc.boolean(),
  fc.constant(null),
)

/** Values as objects of a cluster have them. */
export const json: fc.Arbitrary<Json> = fc.letrec<{ value: Json }>(tie => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    leaf,
    fc.dictionary(key, tie('value'), { maxKeys: 4 }),
    fc.array(tie('value'), { maxLength: 4 }),
  ),
})).value

/** A ConfigMap with any contents. */
export const anyObject: fc.Arbitrary<Manifest> = fc
  .dictionary(key, json, { maxKeys: 4 })
  .map(fields => ({ ...fields, apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'x', namespace: 'ns' } }))

/** The value in a form that is the same for lists that differ in order only. */
export function unordered(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(unordered).sort().join()}]`
  if (typeof value !== 'object' || value === null) return `${typeof value}:${JSON.stringify(value)}`
  const entries = Object.keys(value).sort()
  return `{${entries.map(one => `${JSON.stringify(one)}:${unordered(value[one] ?? null)}`).join()}}`
}
