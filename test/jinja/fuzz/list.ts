/** The entries of a text that `¦` and blanks part: long lists of template fragments stay readable. */
export function list(text: string): string[] {
  return text.split('¦').map(entry => entry.trim())
}
