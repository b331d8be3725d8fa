import { readdir, readFile } from 'node:fs/promises'
import { join, posix } from 'node:path'
import picomatch from 'picomatch'
import { RE2JS } from 're2js'
import type { z } from 'zod'
import { EngineError, RefusedError } from '../../errors.ts'
import type { GitRef } from '../../host.ts'
import { goBool, list, requiredString, struct } from '../../project/schema/go.ts'
import { gitRef, gitUrl } from '../../project/schema/sources.ts'
import { compareBytes, emptyObject, type Json, type JsonObject } from '../../values.ts'
import { readYaml, readYamlAll } from '../../yaml.ts'
import type { VarsContext, VarsSource } from '../source.ts'

const wanted = struct({
  glob: requiredString,
  render: goBool.default(false),
  parseYaml: goBool.default(false),
  yamlMultiDoc: goBool.default(false),
})
type Wanted = z.output<typeof wanted>
const schema = struct({ url: gitUrl, ref: gitRef.optional(), files: list(wanted).default([]) })

/** Refs and files of one source; a repository with more is meant for something else. */
const maxRefs = 500
const maxFileBytes = 8 * 1024 * 1024

/** `gitFiles`: files of all branches or tags that match, as a list with one entry per ref, sorted by ref. */
export const gitFiles: VarsSource<z.output<typeof schema>> = {
  name: 'gitFiles',
  schema,
  sensitive: false,
  async load({ url, ref, files }, context) {
    const { host, signal } = context
    if (!host.policy.allowsUrl(url)) throw new RefusedError(`variables from ${url} are not allowed here`)
    const remote = await host.git.listRefs(url, signal)
    const refs = matchingRefs(ref, remote.refs, remote.defaultRef)
    if (refs.length > maxRefs) throw new EngineError(`${url}: more than ${maxRefs} refs match`)
    const value: Json[] = []
    let sensitive = false
    for (const [name, commit] of refs) {
      const { folder } = await host.git.checkout(url, { commit }, signal)
      const found = await filesOf(folder, files, context)
      sensitive ||= found.sensitive
      value.push(entryOf(name, found.files))
    }
    return { value, sensitive }
  },
}

function matchingRefs(
  ref: GitRef | undefined,
  refs: ReadonlyMap<string, string>,
  defaultRef: string,
): (readonly [string, string])[] {
  const all = [...refs]
    .filter(([name]) => /^refs\/(?:heads|tags)\//.test(name))
    .sort((a, b) => compareBytes(a[0], b[0]))
  if (ref === undefined) {
    const commit = refs.get(defaultRef)
    if (commit === undefined) throw new EngineError(`default ref ${defaultRef} not found`)
    return [[defaultRef, commit]]
  }
  if (ref.commit !== undefined) {
    const first = all.find(([, commit]) => commit === ref.commit)
    if (first === undefined) throw new EngineError(`commit ${ref.commit} not found`)
    return [first]
  }
  const kind = ref.tag === undefined ? 'branch' : 'tag'
  const pattern = `^refs/${kind === 'tag' ? 'tags' : 'heads'}/${ref.tag ?? ref.branch ?? ''}$`
  let compiled: ReturnType<typeof RE2JS.compile>
  try {
    compiled = RE2JS.compile(pattern)
  } catch (error) {
    throw new EngineError(`invalid ${kind} regex specified`, { cause: error })
  }
  return all.filter(([name]) => compiled.matcher(name).find())
}

async function filesOf(
  folder: string,
  files: readonly Wanted[],
  context: VarsContext,
): Promise<{ files: JsonObject[]; sensitive: boolean }> {
  const matchers = files.map(wish => ({ wish, matches: picomatch(wish.glob, { dot: true }) }))
  const names = (await readdir(folder, { recursive: true, withFileTypes: true }))
    .filter(entry => entry.isFile())
    .map(entry => posix.relative(folder, join(entry.parentPath, entry.name)))
    .sort(compareBytes)
  const found: JsonObject[] = []
  let sensitive = false
  for (const path of names) {
    const wish = matchers.find(({ matches }) => matches(path))?.wish
    if (wish === undefined) continue
    const file = await fileOf(join(folder, path), path, wish, context)
    sensitive ||= file.encrypted
    found.push(file.value)
  }
  return { files: found, sensitive }
}

async function fileOf(
  absolute: string,
  path: string,
  wish: Wanted,
  context: VarsContext,
): Promise<{ value: JsonObject; encrypted: boolean }> {
  const bytes = await readFile(absolute)
  if (bytes.length > maxFileBytes) throw new EngineError(`${path} has more than ${maxFileBytes} bytes`)
  let content = bytes.toString('utf8')
  let size = bytes.length
  try {
    if (wish.render) content = context.render(content)
  } catch (error) {
    throw new EngineError(`failed to render ${path}`, { cause: error })
  }
  const plain = await context.host.sops.decrypt(Buffer.from(content), absolute, context.signal)
  if (plain !== undefined) {
    content = Buffer.from(plain).toString('utf8')
    size = plain.length
  }
  const file = Object.fromEntries(Object.entries(wish).filter(([, value]) => value !== false)) as JsonObject
  const value: JsonObject = Object.assign(emptyObject(), { file, path, size, content })
  if (wish.parseYaml) value.parsed = parse(content, path, wish.yamlMultiDoc)
  return { value, encrypted: plain !== undefined }
}

function parse(content: string, path: string, all: boolean): Json {
  try {
    return all ? readYamlAll(content) : readYaml(content)
  } catch (error) {
    throw new EngineError(`failed to parse ${path}`, { cause: error })
  }
}

function entryOf(refStr: string, files: JsonObject[]): JsonObject {
  const [, kind = '', ...name] = refStr.split('/')
  const filesByPath = emptyObject()
  const filesTree = emptyObject()
  for (const file of files) {
    const path = typeof file.path === 'string' ? file.path : ''
    filesByPath[path] = file
    const parts = path.split('/')
    let at = filesTree
    for (const part of parts.slice(0, -1)) {
      at[part] ??= emptyObject()
      at = at[part] as JsonObject
    }
    at[parts.at(-1) ?? ''] = file
  }
  const ref = { [kind === 'tags' ? 'tag' : 'branch']: name.join('/') }
  return Object.assign(emptyObject(), { ref, refStr, files, filesByPath, filesTree })
}
