import { isObject, type Json } from '../values.ts'

/** A text of this length or more is sought inside of other texts; a shorter one only hides texts that equal it. */
const soughtLength = 8
/** Shorter texts (`on`, `eu`) are no secrets, and hiding them would hide everything. */
const shortest = 4

/** Texts that came from sensitive variables, and that must not be shown wherever they turn up. */
export class SensitiveTexts {
  readonly #whole = new Set<string>()
  readonly #sought = new Set<string>()

  /** Takes every text in the values that sensitive entries of `vars` brought. */
  constructor(loaded: Iterable<{ readonly values: Json; readonly sensitive: boolean }> = []) {
    for (const { values, sensitive } of loaded) if (sensitive) this.#add(values)
  }

  /** There is nothing to hide. */
  get isEmpty(): boolean {
    return this.#whole.size === 0
  }

  /** Whether a text is or holds a sensitive one. */
  isIn(text: string): boolean {
    if (this.#whole.has(text)) return true
    for (const secret of this.#sought) if (text.includes(secret)) return true
    return false
  }

  /** The text with what is sensitive replaced: for messages. */
  mask(text: string, by: string): string {
    if (this.#whole.has(text)) return by
    let result = text
    for (const secret of this.#sought) result = result.replaceAll(secret, () => by)
    return result
  }

  #add(value: Json): void {
    if (Array.isArray(value)) for (const item of value) this.#add(item)
    else if (isObject(value)) for (const inner of Object.values(value)) this.#add(inner)
    else if (typeof value === 'string') this.#addText(value)
  }

  #addText(text: string): void {
    if (text.length < shortest) return
    this.#whole.add(text)
    if (text.length < soughtLength) return
    const trimmed = text.trim()
    if (trimmed.length >= soughtLength) this.#sought.add(trimmed)
    this.#sought.add(Buffer.from(text).toString('base64'))
  }
}
