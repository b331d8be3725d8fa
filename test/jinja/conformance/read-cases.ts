import { readdirSync, readFileSync } from 'node:fs'
import type { EncodedMap, OracleJob, OracleOptions } from '../oracle/oracle.ts'

/** One template of the conformance table and where it stands. */
export interface Case extends OracleJob {
  readonly area: string
  /** Line in the area's file, from 1. */
  readonly line: number
}

const folder = new URL('cases/', import.meta.url)

/** The areas of the table, in order: the names of the files in `cases/`. */
export function areas(): string[] {
  return readdirSync(folder)
    .filter(name => name.endsWith('.txt'))
    .map(name => name.slice(0, -4))
    .toSorted()
}

interface Setting {
  context: EncodedMap
  options: OracleOptions
  templates: Record<string, string>
}

function lines(text: string): string {
  return text.replaceAll('⏎', '\n').replaceAll('␍', '\r').replaceAll('␉', '\t')
}

function setting(before: Setting, name: string, rest: string): Setting {
  if (name === 'template') {
    const [file = '', ...text] = rest.split(' ')
    return { ...before, templates: { ...before.templates, [file]: lines(text.join(' ')) } }
  }
  if (name === 'context') return { ...before, context: JSON.parse(rest) as EncodedMap }
  if (name === 'options') return { ...before, options: JSON.parse(rest) as OracleOptions }
  if (name === 'new') return { context: {}, options: {}, templates: {} }
  throw new Error(`unknown directive @${name}`)
}

/** A line of nothing but `{{ … }}` holds a case for each. */
function split(source: string): string[] {
  if (!/^\{\{ .* \}\}\|?$/.test(source) || /\{[%#]/.test(source)) return [source]
  return source.split(/(?<= \}\}\|?) ?(?=\{\{ )/)
}

/**
 * The cases of one area. A file holds one template a line, `⏎` `␍` `␉` for the characters they show, lines with `##`
 * for comments, and directives for what follows: `@context JSON`, `@options JSON`, `@template NAME TEXT`, `@new`.
 */
export function readArea(area: string): Case[] {
  let now: Setting = { context: {}, options: {}, templates: {} }
  const cases: Case[] = []
  const text = readFileSync(new URL(`${area}.txt`, folder), 'utf8')
  text.split('\n').forEach((source, index) => {
    const directive = /^@(\w+) ?(.*)$/.exec(source)
    if (source === '' || source.startsWith('##')) return
    if (directive) now = setting(now, directive[1] ?? '', directive[2] ?? '')
    else for (const one of split(source)) cases.push({ ...now, template: lines(one), area, line: index + 1 })
  })
  return cases
}
