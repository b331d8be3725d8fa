import { EngineError } from '../errors.ts'
import { lineEdits } from '../plan/line-edits.ts'

/**
 * What makes `after` of `before`, in diff-match-patch's delta format: `=n` keeps, `-n` drops n characters, `+text` puts
 * in text (percent-encoded but for spaces), with tabs between
 * (github:google/diff-match-patch, wiki "Unidiff", `diff_toDelta`).
 */
export function makeDelta(before: string, after: string): string {
  const [old, fresh] = [tokens(before), tokens(after)]
  const parts: string[] = []
  let [at, kept] = [0, 0]
  let [dropped, added] = ['', '']
  const flush = () => {
    if (dropped !== '') parts.push(`-${lengthOf(dropped)}`)
    if (added !== '') parts.push(`+${encodeURIComponent(added).replaceAll('%20', ' ')}`)
    dropped = ''
    added = ''
  }
  const keep = (end: number) => {
    if (end === at) return
    flush()
    kept = 0
    for (; at < end; at++) kept += lengthOf(old[at] ?? '')
    parts.push(`=${kept}`)
  }
  for (const { kind, oldIndex, newIndex } of lineEdits(old, fresh)) {
    keep(oldIndex)
    if (kind === 'insert') added += fresh[newIndex] ?? ''
    else dropped += old[at++] ?? ''
  }
  keep(old.length)
  flush()
  return parts.join('\t')
}

/** The text that a delta makes of `before`. @throws EngineError when it is not a delta of that text */
export function applyDelta(before: string, delta: string): string {
  const characters = Array.from(before)
  let at = 0
  let text = ''
  for (const part of delta.split('\t')) {
    const [kind, value] = [part[0], part.slice(1)]
    if (kind === '+') text += decode(value)
    else if (kind === '=' || kind === '-') {
      const end = at + Number(value)
      if (!/^\d+$/.test(value) || end > characters.length) throw broken(part)
      if (kind === '=') text += characters.slice(at, end).join('')
      at = end
    } else if (part !== '') throw broken(part)
  }
  if (at !== characters.length) throw broken('its end')
  return text
}

/** JSON taken apart where its values end, so that few pieces differ between two versions of an object. */
function tokens(json: string): string[] {
  return json.match(/[^,{}[\]]*[,{}[\]]|[^,{}[\]]+$/g) ?? []
}

/** In code points, as Go counts them. */
function lengthOf(text: string): number {
  let length = 0
  for (const _ of text) length++
  return length
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch (cause) {
    throw new EngineError('a stored result is damaged: text of a delta', { cause })
  }
}

function broken(part: string): EngineError {
  return new EngineError(`a stored result is damaged: ${part} of a delta does not fit`)
}
