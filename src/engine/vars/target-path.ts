import { EngineError } from '../errors.ts'
import { emptyObject, type Json, type JsonObject } from '../values.ts'

const step = /^(?:\.?([^.[\]'"\s$*@]+)|\.?\[\s*(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"|([0-9]{1,4}))\s*\])/

/** Lists that a path makes are no longer than this. */
const maxIndex = 1000

/**
 * The keys and indexes of a simple JSON path: `a.b`, `$.a.b`, `a["b.c"]`, `a[0]`. Wildcards have no place in a target
 * path. @throws EngineError
 */
export function parseTargetPath(path: string): (string | number)[] {
  const keys: (string | number)[] = []
  let rest = path.trim().replace(/^\$\.?/, '')
  while (rest !== '') {
    const found = step.exec(rest)
    const index = Number(found?.[4] ?? 0)
    if (found === null || index > maxIndex) {
      throw new EngineError(
        `failed to parse targetPath: ${JSON.stringify(path)} is no simple path; expected a.b, a["b"] or a[0]`,
      )
    }
    keys.push(found[4] === undefined ? (found[1] ?? (found[2] ?? found[3] ?? '').replaceAll(/\\(.)/g, '$1')) : index)
    rest = rest.slice(found[0].length)
  }
  if (keys.length === 0) throw new EngineError(`failed to parse targetPath: ${JSON.stringify(path)} names nothing`)
  return keys
}

/** A map that holds the value at the path and nothing else; lists on the way are filled up with null. @throws EngineError */
export function nest(path: string, value: Json): JsonObject {
  const [first, ...rest] = parseTargetPath(path)
  if (typeof first !== 'string') {
    throw new EngineError(`failed to set value to targetPath: ${JSON.stringify(path)} does not begin with a key`)
  }
  return Object.assign(emptyObject(), { [first]: rest.reduceRight<Json>((inner, key) => holding(key, inner), value) })
}

function holding(key: string | number, value: Json): Json {
  if (typeof key === 'string') return Object.assign(emptyObject(), { [key]: value })
  return [...Array.from({ length: key }, () => null), value]
}
