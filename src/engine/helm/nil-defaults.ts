import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { isObject, type Json, type JsonObject } from '../values.ts'
import { readYamlObject, writeYaml, YamlError } from '../yaml.ts'
import type { ChartFiles } from './chart-files.ts'

/**
 * Values files of a chart (and of its unpacked dependencies) without the nulls that Helm 4.2 and newer ignore.
 * Since 4.2.0 a null in a chart's own values is as good as absent, unless it is there to remove a dependency's
 * default; older versions pass it to the templates. Empty when nothing would change.
 * @param values of the release: what it sets to null itself stays
 */
export function withoutNilDefaults(files: ChartFiles, values: Uint8Array | undefined): Map<string, string> {
  const changed = new Map<string, string>()
  for (const [path, content] of files) {
    const [, folder] = /^((?:charts\/[^/]+\/)*)values\.yaml$/.exec(path) ?? []
    const text = folder === undefined ? '' : content.toString('utf8')
    if (folder === undefined || !mayHoldNull(text)) continue
    const kept = new Set([...dependenciesOf(files, folder), ...(folder === '' ? nullsOf(values) : [])])
    const defaults = read(text)
    if (defaults !== undefined && dropNulls(defaults, kept)) changed.set(path, writeYaml(defaults))
  }
  return changed
}

/** A copy of a chart made of links, with some files replaced; gone when disposed of. */
export async function chartWith(folder: string, files: ChartFiles, replaced: ReadonlyMap<string, string>) {
  const copy = await mkdtemp(join(tmpdir(), 'offshoot-chart-'))
  const remove = () => rm(copy, { recursive: true, force: true })
  try {
    for (const path of files.keys()) {
      const target = join(copy, path)
      await mkdir(dirname(target), { recursive: true })
      const text = replaced.get(path)
      if (text === undefined) await symlink(resolve(folder, path), target)
      else await writeFile(target, text, { mode: 0o600 })
    }
  } catch (error) {
    await remove()
    throw error
  }
  return { folder: copy, [Symbol.asyncDispose]: remove }
}

/** A quick look: `key: null`, or `key:` with nothing deeper after it. May see nulls where there are none. */
function mayHoldNull(text: string): boolean {
  if (/[:,{]\s*(?:null|Null|NULL|~)\s*(?:[,}#]|$)/m.test(text) || /:\s*[,}]/.test(text)) return true
  const lines = text.split('\n').filter(line => !/^\s*(?:#|$)/.test(line))
  return lines.some((line, index) => {
    if (!/:\s*(?:#.*)?$/.test(line)) return false
    const next = lines[index + 1] ?? ''
    const deeper = indentOf(next) > indentOf(line)
    return !deeper && !(indentOf(next) === indentOf(line) && /^\s*-/.test(next))
  })
}

function indentOf(line: string): number {
  return line.length - line.trimStart().length
}

/** Names under which a chart sets values of its dependencies. */
function dependenciesOf(files: ChartFiles, folder: string): string[] {
  const names: string[] = []
  for (const path of files.keys()) {
    if (!path.startsWith(`${folder}charts/`)) continue
    const [entry = ''] = path.slice(`${folder}charts/`.length).split('/')
    names.push(entry.replace(/-\d[^/]*\.tgz$/, ''))
  }
  const metadata = read(files.get(`${folder}Chart.yaml`)?.toString('utf8') ?? '')
  const { dependencies } = metadata ?? {}
  for (const dependency of Array.isArray(dependencies) ? dependencies : []) {
    if (!isObject(dependency)) continue
    for (const name of [dependency.name, dependency.alias]) if (typeof name === 'string') names.push(name)
  }
  return names
}

function nullsOf(values: Uint8Array | undefined): string[] {
  const own = values === undefined ? undefined : read(Buffer.from(values).toString('utf8'))
  return Object.entries(own ?? {})
    .filter(([, value]) => value === null)
    .map(([key]) => key)
}

/** Removes nulls from maps at any depth, not from lists. True if there were any. */
function dropNulls(map: JsonObject, kept: ReadonlySet<string> = new Set()): boolean {
  let found = false
  for (const [key, value] of Object.entries(map) as [string, Json][]) {
    if (kept.has(key)) continue
    if (value === null) {
      delete map[key]
      found = true
    } else if (isObject(value)) found = dropNulls(value) || found
  }
  return found
}

/** Undefined for what cannot be read: Helm says why. */
function read(text: string): JsonObject | undefined {
  try {
    return readYamlObject(text, { duplicates: 'last' })
  } catch (error) {
    if (error instanceof YamlError) return undefined
    throw error
  }
}
