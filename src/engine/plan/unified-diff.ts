import { isObject, type Json, sortKeys } from '../values.ts'
import { writeYaml } from '../yaml.ts'
import { type Edit, lineEdits } from './line-edits.ts'

/** Lines around a difference that are shown with it. */
const context = 3

/**
 * How a value changed, line by line, as kluctl's results show it: structures as YAML, texts as they are. Short values
 * give two lines, `-old` and `+new`; what is new or gone gives only lines of its kind; longer ones give the hunks of a
 * unified diff without its file header. Undefined stands for a value that does not exist.
 */
export function unifiedDiff(before: Json | undefined, after: Json | undefined): string {
  const [old, fresh] = [shown(before), shown(after)]
  if (old === '') return prefixed('+', fresh)
  if (fresh === '') return prefixed('-', old)
  if (!old.includes('\n') && !fresh.includes('\n')) return `-${old}\n+${fresh}`
  return hunks(splitLines(old), splitLines(fresh))
}

function shown(value: Json | undefined): string {
  if (value === undefined) return ''
  if (value === null) return '<nil>'
  if (Array.isArray(value) || isObject(value)) return writeYaml(sortKeys(value))
  return String(value)
}

function prefixed(sign: string, text: string): string {
  return sign + text.replace(/\n$/, '').replaceAll('\n', `\n${sign}`)
}

/** Lines with their line ends; the last one may have none. */
function splitLines(text: string): string[] {
  return text.match(/[^\n]*\n|[^\n]+$/g) ?? []
}

interface Hunk {
  oldStart: number
  newStart: number
  oldCount: number
  newCount: number
  text: string
}

function hunks(before: readonly string[], after: readonly string[]): string {
  const edits = lineEdits(before, after)
  const groups: Edit[][] = []
  for (const edit of edits) {
    const last = groups.at(-1)
    const previous = last?.at(-1)
    if (last && previous && edit.oldIndex - afterEdit(previous) <= 2 * context) last.push(edit)
    else groups.push([edit])
  }
  return groups.map(group => formatHunk(makeHunk(group, before, after))).join('')
}

/** Index of the old line that follows an edit. */
function afterEdit({ kind, oldIndex }: Edit): number {
  return kind === 'delete' ? oldIndex + 1 : oldIndex
}

function makeHunk(group: readonly Edit[], before: readonly string[], after: readonly string[]): Hunk {
  const [first] = group
  const start = Math.max(0, (first?.oldIndex ?? 0) - context)
  const lead = (first?.oldIndex ?? 0) - start
  const hunk = { oldStart: start + 1, newStart: (first?.newIndex ?? 0) - lead + 1, oldCount: 0, newCount: 0, text: '' }
  let at = start
  const keep = (end: number) => {
    for (; at < Math.min(end, before.length); at++) {
      hunk.text += formatLine(' ', before[at])
      hunk.oldCount++
      hunk.newCount++
    }
  }
  for (const { kind, oldIndex, newIndex } of group) {
    keep(oldIndex)
    if (kind === 'delete') {
      hunk.text += formatLine('-', before[at++])
      hunk.oldCount++
    } else {
      hunk.text += formatLine('+', after[newIndex])
      hunk.newCount++
    }
  }
  keep(at + context)
  return hunk
}

function formatLine(sign: string, line = ''): string {
  return line.endsWith('\n') ? sign + line : `${sign}${line}\n\\ No newline at end of file\n`
}

function formatHunk({ oldStart, newStart, oldCount, newCount, text }: Hunk): string {
  const range = (start: number, count: number) => (count > 1 ? `${start},${count}` : String(start))
  return `@@ -${range(oldStart, oldCount)} +${range(newStart, newCount)} @@\n${text}`
}
