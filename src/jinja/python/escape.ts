import type { Context } from '../runtime/context.ts'
import { Markup, Undefined, type Value } from '../values.ts'
import { str } from './display.ts'

const special = /[&<>"']/
const specials = /[&<>"']/g
const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&#34;', "'": '&#39;' }

/** Text with HTML's five special characters replaced. */
export function escapeText(text: string): string {
  return special.test(text) ? text.replace(specials, char => entities[char] ?? char) : text
}

/** `markupsafe.escape(x)` as text: markup stays, everything else is printed and escaped. */
export function escapeValue(context: Context, value: Value): string {
  if (typeof value === 'number') return String(value)
  if (value instanceof Markup) return value.text
  if (value instanceof Undefined && value.kind === 'chainable') return str(context, value)
  const text = str(context, value)
  if (text.length > 4096) context.allocate(text.length * 6)
  return escapeText(text)
}
