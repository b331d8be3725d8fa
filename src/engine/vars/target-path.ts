import { EngineError } from '../errors.ts'
import { emptyObject, type Json, type JsonObject } from '../values.ts'

const step = /^(?:\.?([^.[\]'"\s$*@]+)|\.?\[\s*(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)")\s*\])/

/**
 * The keys of a simple JSON path: `a.b`, `$.a.b`, `a["b.c"]`. Lists and wildcards have no place in a target path.
 * @throws EngineError
 */
export function parseTargetPath(path: string): string[] {
  const keys: string[] = []
  let rest = path.trim().replace(/^\$\.?/, '')
  while (rest !== '') {
    const found = step.exec(rest)
    if (found === null) {
      throw new EngineError(
        `failed to parse targetPath: ${JSON.stringify(path)} is no simple path; expected a.b or a["b"]`,
      )
    }
    keys.push(found[1] ?? (found[2] ?? found[3] ?? '').replaceAll(/\\(.)/g, '$1'))
    rest = rest.slice(found[0].length)
  }
  if (keys.length === 0) throw new EngineError(`failed to parse targetPath: ${JSON.stringify(path)} names nothing`)
  return keys
}

/** A map that holds the value at the path and nothing else. @throws EngineError */
export function nest(path: string, value: Json): JsonObject {
  const root = emptyObject()
  const keys = parseTargetPath(path)
  let at = root
  for (const key of keys.slice(0, -1)) {
    const inner = emptyObject()
    at[key] = inner
    at = inner
  }
  at[keys.at(-1) ?? ''] = value
  return root
}
