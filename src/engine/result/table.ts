import { graphemesOf } from '../../util/graphemes.ts'

/**
 * Rows in boxes of lines, long cells wrapped: the first column takes at most half of `width` (and 60 characters), the
 * second what is left. `paint` may colour a piece of a cell of the second column; it gets the whole line that the
 * piece is of.
 */
export function boxTable(
  rows: readonly (readonly [string, string])[],
  width: number,
  paint: (piece: string, line: string) => string = piece => piece,
): string {
  const limit = Math.min(60, Math.max(20, Math.floor(width / 2)))
  const widest = rows.reduce((most, [cell]) => Math.max(most, ...cell.split('\n').map(columnsOf)), 0)
  const first = Math.min(limit, widest)
  const second = Math.max(20, width - first - 7)
  const rule = `+-${'-'.repeat(first)}-+-${'-'.repeat(second)}-+\n`
  const body = rows.map(([left, right]) => {
    const lefts = wrap(left, first).map(({ piece }) => piece)
    const rights = wrap(right, second)
    let lines = ''
    for (let at = 0; at < Math.max(lefts.length, rights.length); at++) {
      const { piece = '', line = '' } = rights[at] ?? {}
      const painted = paint(piece, line) + ' '.repeat(second - columnsOf(piece))
      lines += `| ${pad(lefts[at] ?? '', first)} | ${painted} |\n`
    }
    return lines + rule
  })
  return rule + body.join('')
}

interface Piece {
  readonly piece: string
  /** The line it is of. */
  readonly line: string
}

function wrap(text: string, width: number): Piece[] {
  const pieces: Piece[] = []
  for (const line of text.replace(/\n$/, '').split('\n')) {
    let piece = ''
    let columns = 0
    for (const segment of graphemesOf(line)) {
      if (columns === width) {
        pieces.push({ piece, line })
        piece = ''
        columns = 0
      }
      piece += segment
      columns++
    }
    pieces.push({ piece, line })
  }
  return pieces
}

function pad(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - columnsOf(text)))
}

/** Text takes as much room on a terminal as it seems to: one grapheme, one column. */
function columnsOf(text: string): number {
  return graphemesOf(text).length
}
