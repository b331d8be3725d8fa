import { blocks } from './transliteration.ts'

const tables = new Map<number, readonly string[]>()

function tableOf(block: number): readonly string[] {
  let table = tables.get(block)
  if (table === undefined) {
    table = (blocks[block] ?? '').split('·')
    tables.set(block, table)
  }
  return table
}

/**
 * ASCII for any text in NFKD form, as text-unidecode 1.3 gives it: `ß` is `ss`, `影` is `Ying `. Characters that it
 * does not know, and all beyond U+FFFF, vanish.
 */
export function transliterate(text: string): string {
  return text.replaceAll(/[\u0080-\u{10ffff}]/gu, char => {
    const code = char.codePointAt(0) ?? 0
    return code > 0xffff ? '' : (tableOf(code >> 8)[code & 0xff] ?? '')
  })
}
