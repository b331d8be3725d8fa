/**
 * Text as a terminal may show it: what somebody else wrote must not move the cursor, change colours or reverse the
 * direction of reading.
 */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu, '�')
}

/** The same for text of several lines; a tab becomes two blanks. */
export function printableLines(text: string): string {
  return text.replaceAll('\t', '  ').split('\n').map(printable).join('\n')
}
