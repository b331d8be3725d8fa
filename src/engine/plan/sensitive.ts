import { isObject, type Json } from '../values.ts'

/** A text of this length or more is sought inside of other texts; a shorter one only hides texts that equal it. */
const soughtLength = 8
/** Shorter texts (`on`, `eu`) are no secrets, and hiding them would hide everything. */
const shortest = 4
/** Lines of a longer text are sought by themselves from this length on: indented, it stands nowhere as a whole. */
const lineLength = 16
/** Most texts that are sought where nobody has reviewed what marks them: each is looked for in every text. */
const maxSought = 2_000

/** Sensitive texts as plain data; `all` when there are too many to look for: then every text is one. */
export type ToldTexts = readonly string[] | 'all'

/** Texts that came from sensitive variables, and that must not be shown wherever they turn up. */
export class SensitiveTexts {
  readonly #whole = new Set<string>()
  readonly #sought = new Set<string>()
  #all = false

  /** Takes every text in the values that sensitive entries of `vars` brought. */
  constructor(loaded: Iterable<{ readonly values: Json; readonly sensitive: boolean }> = []) {
    for (const { values, sensitive } of loaded) if (sensitive) this.add(values)
  }

  /** The texts that somebody else has `told`. */
  static from(told: ToldTexts): SensitiveTexts {
    const texts = new SensitiveTexts()
    if (told !== 'all') texts.add([...told])
    texts.#all = told === 'all' || texts.told === 'all'
    return texts
  }

  /** Takes every text and number in a value. */
  add(value: Json): void {
    if (Array.isArray(value)) for (const item of value) this.add(item)
    else if (isObject(value)) for (const inner of Object.values(value)) this.add(inner)
    else if (typeof value === 'string') this.#addText(value)
    else if (typeof value === 'number' || typeof value === 'bigint') this.#addText(String(value))
  }

  /** For {@link SensitiveTexts.from}, in another process. */
  get told(): ToldTexts {
    return this.#all || this.size > maxSought ? 'all' : [...this.#whole]
  }

  /** How many texts are looked for. */
  get size(): number {
    return this.#whole.size + this.#sought.size
  }

  /** There is nothing to hide. */
  get isEmpty(): boolean {
    return !this.#all && this.#whole.size === 0
  }

  /** Whether a text is or holds a sensitive one. */
  isIn(text: string): boolean {
    if (this.#all || this.#whole.has(text)) return true
    for (const secret of this.#sought) if (text.includes(secret)) return true
    return false
  }

  /** The text with what is sensitive replaced: for messages. */
  mask(text: string, by: string): string {
    if (this.#all || this.#whole.has(text)) return by
    let result = text
    // A longer one may begin as a shorter one does.
    for (const secret of [...this.#sought].sort((a, b) => b.length - a.length))
      result = result.replaceAll(secret, () => by)
    return result
  }

  #addText(text: string): void {
    if (text.length < shortest) return
    this.#whole.add(text)
    if (text.length < soughtLength) return
    const trimmed = text.trim()
    if (trimmed.length >= soughtLength) this.#seek(trimmed)
    this.#sought.add(Buffer.from(text).toString('base64'))
    const lines = trimmed.split(/\r?\n/)
    if (lines.length === 1) return
    for (const line of lines.map(one => one.trim())) if (line.length >= lineLength) this.#seek(line)
  }

  #seek(text: string): void {
    this.#sought.add(text)
    // As messages quote it.
    const quoted = JSON.stringify(text).slice(1, -1)
    if (quoted !== text) this.#sought.add(quoted)
  }
}
