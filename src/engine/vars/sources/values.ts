import { anyMap } from '../../project/schema/go.ts'
import type { JsonObject } from '../../values.ts'
import type { VarsSource } from '../source.ts'

/** `values`: variables that stand in the deployment file itself. */
export const values: VarsSource<JsonObject> = {
  name: 'values',
  schema: anyMap,
  sensitive: false,
  load: spec => Promise.resolve({ value: spec }),
}
