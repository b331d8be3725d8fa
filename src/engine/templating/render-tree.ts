import { throwAll } from '../errors.ts'
import { emptyObject, isObject, type Json, type JsonObject } from '../values.ts'
import type { Templates } from './templates.ts'

/** A value whose strings were rendered, and whether that changed anything. */
export interface RenderedTree<T extends Json> {
  readonly value: T
  readonly changed: boolean
}

/**
 * Renders every string of a value, keys included. What a template gives stays a string, whatever it looks like.
 * @throws EngineErrors with everything that failed
 */
export function renderTree<T extends Json>(templates: Templates, value: T, variables: JsonObject): RenderedTree<T> {
  const { tree, changed, errors } = renderTreeLenient(templates, value, variables)
  throwAll(errors)
  return { value: tree, changed }
}

/** Like `renderTree`, but strings that fail stay as they are and their errors are returned. */
export function renderTreeLenient<T extends Json>(
  templates: Templates,
  value: T,
  variables: JsonObject,
): { tree: T; changed: boolean; errors: unknown[] } {
  const errors: unknown[] = []
  let changed = false
  const renderString = (text: string): string => {
    if (!text.includes('{')) return text
    try {
      const rendered = templates.renderText(text, variables)
      if (rendered !== text) changed = true
      return rendered
    } catch (error) {
      errors.push(error)
      return text
    }
  }
  const walk = (at: Json): Json => {
    if (typeof at === 'string') return renderString(at)
    if (Array.isArray(at)) return at.map(walk)
    if (!isObject(at)) return at
    const result = emptyObject()
    for (const [key, inner] of Object.entries(at)) result[renderString(key)] = walk(inner)
    return result
  }
  return { tree: walk(value) as T, changed, errors }
}
