import picomatch from 'picomatch'
import { RE2JS, RE2JSException } from 're2js'

/** A test of a text that takes time linear in its length. */
export type Matcher = (text: string) => boolean

/** An expression or glob cannot be read; the message says why. */
export class PatternError extends Error {
  override readonly name = 'PatternError'
}

/** Most instructions one expression may compile to: `((a{99}){99}){99}` would fill the memory. */
const maxProgram = 5_000

/** Compiles an RE2 expression; it is searched anywhere in the text. @throws PatternError */
export function compileExpression(source: string): Matcher {
  const expression = compileRe2(source, 0)
  return text => expression.test(text)
}

function compileRe2(source: string, flags: number): RE2JS {
  try {
    const expression = RE2JS.compile(source, flags)
    if (expression.programSize() > maxProgram) throw new PatternError('the expression is too large')
    return expression
  } catch (error) {
    if (error instanceof RE2JSException) throw new PatternError(error.message, { cause: error })
    throw error
  }
}

/**
 * Compiles one glob: picomatch reads it, RE2 runs it, as a backtracking engine can be kept busy for hours by a glob
 * such as `*a*a*a*a*b`. `*` stays inside one path segment, `**` does not; a dot at the beginning is like any other
 * character. Extended globs such as `+(a)` are not supported. @throws PatternError
 */
export function compileGlob(glob: string): Matcher {
  const options = { dot: true, nonegate: true, noextglob: true, regex: false, strictBrackets: true, posix: true }
  let source: string
  try {
    source = picomatch.makeRe(glob, options).source
  } catch (error) {
    if (error instanceof Error) throw new PatternError(error.message, { cause: error })
    throw error
  }
  const expression = compileRe2(withoutLookahead(source), RE2JS.DOTALL)
  return text => expression.testExact(text)
}

/**
 * Takes the lookaheads out of an expression that picomatch made. With extended globs off they only keep `*` from
 * matching an empty segment, `.` or `..`, none of which is ever part of a path or a branch in Git.
 */
function withoutLookahead(source: string): string {
  let result = ''
  for (let at = 0; at < source.length; ) {
    if (source.startsWith('(?!', at) || source.startsWith('(?=', at)) at = endOfGroup(source, at)
    else if (source[at] === '\\') {
      result += source.slice(at, at + 2)
      at += 2
    } else result += source[at++]
  }
  return result
}

/** The position after the group that opens at `start`. */
function endOfGroup(source: string, start: number): number {
  let depth = 0
  for (let at = start; at < source.length; at++) {
    if (source[at] === '\\') at++
    else if (source[at] === '(') depth++
    else if (source[at] === ')' && --depth === 0) return at + 1
  }
  throw new PatternError('unbalanced parentheses')
}

/** A list of globs where the last match wins. */
export interface GlobList {
  readonly globs: readonly { exclude: boolean; matches: Matcher }[]
}

/** Splits `!` from a glob; `\!` is a literal one. */
export function compileGlobEntry(entry: string): { exclude: boolean; matches: Matcher } {
  return entry.startsWith('!')
    ? { exclude: true, matches: compileGlob(entry.slice(1)) }
    : { exclude: false, matches: compileGlob(entry) }
}

/**
 * Whether a list of globs lets the text in: the last glob that matches decides. A list that begins with an exclude
 * lets in what no glob speaks of; an empty list lets in everything.
 */
export function globListMatches(list: GlobList, text: string): boolean {
  const last = list.globs.findLast(glob => glob.matches(text))
  return last === undefined ? (list.globs[0]?.exclude ?? true) : !last.exclude
}
