import { printableLines } from '../../util/printable.ts'
import { formatRef } from '../plan/refs.ts'
import type { Change, DeploymentError, ObjectRef } from '../plan/types.ts'
import { boxTable } from './table.ts'
import type { CommandResult, ResultObject, ValidateResult } from './types.ts'

/** What a piece of text means, for whoever colours it. */
export type Meaning = 'heading' | 'added' | 'removed' | 'place' | 'warning' | 'error'

/** How results are printed. */
export interface TextOptions {
  /** Columns of the terminal. */
  readonly width: number
  /** Names of changed objects only, without their changes. */
  readonly short?: boolean | undefined
  readonly paint?: ((text: string, meaning: Meaning) => string) | undefined
}

/** What a command's result is printed from; a dry run's diff has no more than this. */
export type Printed = Pick<CommandResult, 'objects' | 'errors' | 'warnings'>

/** A command's result for people: objects by what happened to them, changes as tables of diffs, warnings, errors. */
export function commandResultText(result: Printed, options: TextOptions): string {
  const { objects, warnings, errors } = result
  const named = (title: string, has: (object: ResultObject) => boolean) => {
    const found = objects.filter(has)
    if (found.length === 0) return ''
    return `\n${heading(title, options)}\n${found.map(({ ref }) => `  ${nameOf(ref)}\n`).join('')}`
  }
  const changed = objects.filter(isChanged)
  return [
    named('New objects:', object => object.new === true),
    named('Changed objects:', isChanged),
    options.short === true ? '' : changed.map(({ ref, changes }) => changesText(ref, changes ?? [], options)).join(''),
    named('Deleted objects:', ({ deleted }) => deleted === true),
    named('Applied hooks:', ({ hook }) => hook === true),
    named('Orphan objects:', ({ orphan }) => orphan === true),
    problemsText('Warnings:', warnings, 'warning', options),
    problemsText('Errors:', errors, 'error', options),
  ].join('')
}

/** A validation's result for people. */
export function validateResultText(result: ValidateResult, options: TextOptions): string {
  const { warnings, errors, results } = result
  const rows = results.map(({ ref, message }): [string, string] => [nameOf(ref), printableLines(message)])
  const table = boxTable([['Object', 'Message'], ...rows], options.width)
  return [
    problemsText('Validation Warnings:', warnings, 'warning', options),
    problemsText('Validation Errors:', errors, 'error', options),
    rows.length === 0 ? '' : `\n${heading('Results:', options)}\n${table}`,
  ].join('')
}

/** In one line: `2 new, 1 changed, 1 deleted, 3 orphans, 1 warning, 1 error`, or `no changes`. */
export function summaryLine({ objects, warnings, errors }: Printed): string {
  const count = (has: (object: ResultObject) => boolean) => objects.filter(has).length
  const plural = (number: number, word: string) => `${number} ${word}${number === 1 ? '' : 's'}`
  const parts: [number, string][] = []
  const add = (number: number, text: string) => void (number > 0 && parts.push([number, text]))
  const [fresh, changed, deleted] = [count(object => object.new === true), count(isChanged), count(isDeleted)]
  const [hooks, orphans] = [count(({ hook }) => hook === true), count(({ orphan }) => orphan === true)]
  add(fresh, `${fresh} new`)
  add(changed, `${changed} changed`)
  add(deleted, `${deleted} deleted`)
  add(hooks, plural(hooks, 'hook'))
  add(orphans, plural(orphans, 'orphan'))
  if (parts.length === 0) parts.push([0, 'no changes'])
  add(warnings.length, plural(warnings.length, 'warning'))
  add(errors.length, plural(errors.length, 'error'))
  return parts.map(([, text]) => text).join(', ')
}

function isChanged({ changes = [] }: ResultObject): boolean {
  return changes.length > 0
}

function isDeleted({ deleted }: ResultObject): boolean {
  return deleted === true
}

function changesText(ref: ObjectRef, changes: readonly Change[], options: TextOptions): string {
  const rows = changes.map(({ jsonPath, unifiedDiff = '' }): [string, string] => [
    printableLines(jsonPath),
    printableLines(unifiedDiff),
  ])
  const table = boxTable([['Path', 'Diff'], ...rows], options.width, (piece, line) => paintDiff(piece, line, options))
  return `\n${heading(`Diff for object ${nameOf(ref)}`, options)}\n${table}`
}

function paintDiff(piece: string, line: string, { paint }: TextOptions): string {
  if (paint === undefined) return piece
  if (line.startsWith('@@')) return paint(piece, 'place')
  if (line.startsWith('+')) return paint(piece, 'added')
  return line.startsWith('-') ? paint(piece, 'removed') : piece
}

function problemsText(
  title: string,
  problems: readonly DeploymentError[],
  meaning: 'warning' | 'error',
  options: TextOptions,
): string {
  if (problems.length === 0) return ''
  const lines = problems.map(({ ref, message }) => {
    const name = nameOf(ref)
    return `  ${name === '' ? '' : `${name}: `}${printableLines(message).trimEnd().replaceAll('\n', '\n    ')}\n`
  })
  return `\n${options.paint?.(title, meaning) ?? title}\n${lines.join('')}`
}

function heading(text: string, { paint }: TextOptions): string {
  return paint?.(text, 'heading') ?? text
}

function nameOf(ref: ObjectRef): string {
  return printableLines(formatRef(ref))
}
