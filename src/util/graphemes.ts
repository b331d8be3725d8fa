let segmenter: Intl.Segmenter | undefined

/** Characters as people count them: an emoji is one. */
export function graphemesOf(text: string): string[] {
  // Plain letters need no rules of Unicode, whose loading takes longer than many a command's work.
  if (/^[\x20-\x7e]*$/.test(text)) return text.split('')
  segmenter ??= new Intl.Segmenter()
  return Array.from(segmenter.segment(text), ({ segment }) => segment)
}
