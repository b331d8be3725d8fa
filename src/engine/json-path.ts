import { jsonpath } from 'json-p3'
import { messageOf } from '../util/errors.ts'
import { EngineError } from './errors.ts'
import type { Json } from './values.ts'

const token = /\.\.|\.?\[|[.\]]|'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|[^.[\]'"]+/gy
const shorthand = /^(?:[\p{L}_][\p{L}\p{N}_]*|\*)$/u

/**
 * All values that a JSON path finds. The syntax is RFC 9535's; as kluctl also takes them, a path may lack its `$`
 * and names after a dot may hold dashes and the like (`status.my-field`).
 * @throws EngineError when the path cannot be read
 */
export function queryJsonPath(path: string, value: Json): Json[] {
  return find(path, value).values() as Json[]
}

/**
 * Where the values are that a JSON path finds, as keys and indexes; syntax and errors as {@link queryJsonPath}.
 * A path that ends in `..` finds everything below, as in kluctl.
 */
export function locateJsonPath(path: string, value: Json): (string | number)[][] {
  return find(path.replace(/\.\.\s*$/, '..*'), value).locations()
}

function find(path: string, value: Json): ReturnType<typeof jsonpath.query> {
  try {
    return jsonpath.query(standard(path.trim()), value as never)
  } catch (error) {
    throw new EngineError(`invalid json path ${path}: ${messageOf(error)}`, { cause: error })
  }
}

/** The path as RFC 9535 writes it. */
function standard(path: string): string {
  if (path === '$' || path.startsWith('$[')) return quoteNames('', path.slice(1))
  if (path.startsWith('$')) return quoteNames('', path.slice(1))
  return quoteNames(path.startsWith('[') || path.startsWith('.') ? '' : '.', path)
}

function quoteNames(first: string, path: string): string {
  let result = '$'
  let depth = 0
  let dotted = false
  for (const [part] of `${first}${path}`.matchAll(token)) {
    if (depth === 0 && (part === '.' || part === '..')) {
      dotted = true
      result += part
      continue
    }
    if (part.endsWith('[') && part.length <= 2) {
      // `a.[0]` is `a[0]`.
      depth++
      result += '['
    } else if (part === ']') {
      depth--
      result += part
    } else if (depth === 0 && dotted && !shorthand.test(part)) {
      const bare = result.endsWith('..') ? result : result.slice(0, -1)
      result = `${bare}[${JSON.stringify(part)}]`
    } else {
      result += part
    }
    dotted = false
  }
  return result
}
