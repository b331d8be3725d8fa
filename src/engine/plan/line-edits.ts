/** One line to take out of the old text, or to put in before its line `oldIndex`. */
export interface Edit {
  readonly kind: 'delete' | 'insert'
  readonly oldIndex: number
  readonly newIndex: number
}

/** More differences than this are not looked for line by line: the texts have little in common. */
const maxEdits = 2_000

/**
 * A shortest list of edits that makes one text of another (E. Myers, "An O(ND) Difference Algorithm and Its
 * Variations", 1986), in the order of the lines, deletions preferred first. Texts that differ in more than 2,000 lines
 * are replaced as a whole, but for what they begin and end with.
 */
export function lineEdits(before: readonly string[], after: readonly string[]): Edit[] {
  const rounds = search(before, after)
  if (rounds === undefined) return replaceMiddle(before, after)
  const edits: Edit[] = []
  let [x, y] = [before.length, after.length]
  for (let distance = rounds.length; distance > 0; distance--) {
    // Furthest old lines reached with one edit less, by diagonal; diagonal k is at k + distance - 1.
    const reached = rounds[distance - 1] ?? new Int32Array(0)
    const at = (diagonal: number) => reached[diagonal + distance - 1] ?? -1
    const diagonal = x - y
    const isInsert = diagonal === -distance || (diagonal !== distance && at(diagonal - 1) < at(diagonal + 1))
    const previous = isInsert ? diagonal + 1 : diagonal - 1
    x = at(previous)
    y = x - previous
    edits.push({ kind: isInsert ? 'insert' : 'delete', oldIndex: x, newIndex: y })
  }
  return edits.reverse()
}

/** What each round of the search reached before the last one found the end; undefined beyond the limit of edits. */
function search(before: readonly string[], after: readonly string[]): Int32Array[] | undefined {
  const rounds: Int32Array[] = []
  for (let distance = 0; distance <= maxEdits; distance++) {
    const last = rounds.at(-1)
    const at = (diagonal: number) => last?.[diagonal + distance - 1] ?? -1
    const reached = new Int32Array(2 * distance + 1).fill(-1)
    for (let diagonal = -distance; diagonal <= distance; diagonal += 2) {
      const isInsert = diagonal === -distance || (diagonal !== distance && at(diagonal - 1) < at(diagonal + 1))
      let x = distance === 0 ? 0 : isInsert ? at(diagonal + 1) : at(diagonal - 1) + 1
      let y = x - diagonal
      while (x < before.length && y < after.length && before[x] === after[y]) {
        x++
        y++
      }
      reached[diagonal + distance] = x
      if (x === before.length && y === after.length) return rounds
    }
    rounds.push(reached)
  }
  return undefined
}

function replaceMiddle(before: readonly string[], after: readonly string[]): Edit[] {
  let start = 0
  while (start < before.length && start < after.length && before[start] === after[start]) start++
  let [oldEnd, newEnd] = [before.length, after.length]
  while (oldEnd > start && newEnd > start && before[oldEnd - 1] === after[newEnd - 1]) {
    oldEnd--
    newEnd--
  }
  const edits: Edit[] = []
  for (let line = start; line < oldEnd; line++) edits.push({ kind: 'delete', oldIndex: line, newIndex: start })
  for (let line = start; line < newEnd; line++) edits.push({ kind: 'insert', oldIndex: oldEnd, newIndex: line })
  return edits
}
