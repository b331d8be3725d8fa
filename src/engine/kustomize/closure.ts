import { readdir, readFile, realpath, stat } from 'node:fs/promises'
import { isAbsolute, join, relative, resolve, sep } from 'node:path'
import { EngineError } from '../errors.ts'
import { isObject, type Json } from '../values.ts'
import { readYamlAll } from '../yaml.ts'
import { pluginEntries, pluginReferences, type References, referencesOf } from './references.ts'

const maxFiles = 20_000
/** Names that Kustomize takes for its own file. */
export const kustomizationNames = ['kustomization.yaml', 'kustomization.yml', 'Kustomization']

/** All that a build reads, as far as it can be told without building. */
export interface Closure {
  /** Contents by path relative to the root, with `/`. */
  readonly files: Map<string, Buffer>
  /** Named but not there. */
  readonly missing: Set<string>
  /** To be fetched by Kustomize itself; what comes back is not known. */
  readonly remote: Set<string>
  /** Something could not be read, or is made by plugins of plugins: only Kustomize knows what it makes of it. */
  unknown: boolean
  /** There are generators, transformers or validators. */
  plugins: boolean
  /** A kustomization names a file that is not in its own folder. */
  outside: boolean
}

/**
 * Follows a kustomization to every file that it names.
 * @throws EngineError for a path, or a link, that leads out of `root`
 */
export async function closureOf(root: string, folder: string): Promise<Closure> {
  const closure: Closure = {
    files: new Map(),
    missing: new Set(),
    remote: new Set(),
    unknown: false,
    plugins: false,
    outside: false,
  }
  await new Walk(await realpath(root), closure).folder(folder)
  return closure
}

class Walk {
  readonly #root: string
  readonly #closure: Closure
  readonly #seen = new Set<string>()

  constructor(root: string, closure: Closure) {
    this.#root = root
    this.#closure = closure
  }

  /** A folder with a kustomization. */
  async folder(path: string): Promise<void> {
    const real = await this.#inside(path)
    if (real === undefined || this.#seen.has(real)) return
    this.#seen.add(real)
    const names = new Set(await readdir(real))
    for (const name of kustomizationNames) {
      if (!names.has(name)) continue
      const content = await this.#read(join(real, name))
      for (const value of content) {
        if (!isObject(value)) continue
        await this.#follow(real, referencesOf(value))
        for (const entry of pluginEntries(value)) await this.#plugin(real, entry)
      }
    }
  }

  async #follow(folder: string, { paths, remote }: References): Promise<void> {
    for (const url of remote) this.#closure.remote.add(url)
    for (const path of paths) {
      // What looks like a URL may be a path all the same; then it exists.
      const target = resolve(folder, path)
      const real = await this.#inside(target, remote.includes(path))
      if (real === undefined) continue
      const info = await stat(real)
      if (info.isDirectory()) await this.folder(target)
      else if (info.isFile()) {
        this.#closure.outside ||= !isBelow(folder, real)
        await this.#add(real, target)
      }
    }
  }

  /** A generator's, transformer's or validator's configuration: a file, a folder, or written in place. */
  async #plugin(folder: string, entry: string): Promise<void> {
    this.#closure.plugins = true
    const inline = entry.includes('\n') ? this.#parse(entry) : inlineValues(entry)
    if (inline !== undefined) {
      for (const value of inline) await this.#follow(folder, pluginReferences(value))
      return
    }
    const real = await this.#inside(resolve(folder, entry), true)
    if (real === undefined) {
      // No file and no YAML of ours: it may be YAML to Kustomize.
      this.#closure.unknown = true
      return
    }
    const info = await stat(real)
    // What a folder builds is configuration too, and may be patched on the way.
    if (!info.isFile()) this.#closure.unknown = true
    else for (const value of await this.#read(real)) await this.#follow(folder, pluginReferences(value))
  }

  async #read(file: string): Promise<Json[]> {
    const content = await this.#add(file, file)
    return this.#parse(content.toString('utf8'))
  }

  #parse(text: string): Json[] {
    try {
      return readYamlAll(text)
    } catch {
      // Kustomize has its own words for it.
      this.#closure.unknown = true
      return []
    }
  }

  async #add(real: string, named: string): Promise<Buffer> {
    const path = relative(this.#root, real).split(sep).join('/')
    const known = this.#closure.files.get(path)
    const content = known ?? (await readFile(real))
    this.#closure.files.set(path, content)
    // A link's own place counts too: the build finds the content there.
    if (named !== real) this.#closure.files.set(relative(this.#root, named).split(sep).join('/'), content)
    if (this.#closure.files.size > maxFiles) throw new EngineError(`more than ${maxFiles} files in one kustomization`)
    return content
  }

  /** The real path, undefined when there is nothing there; `optional` for what may be no path at all. */
  async #inside(path: string, optional = false): Promise<string | undefined> {
    const real = await realpath(path).catch(() => undefined)
    const way = relative(this.#root, path)
    if (real !== undefined && isBelow(this.#root, real)) return real
    if (real === undefined && (optional || isBelow(this.#root, path))) {
      this.#closure.missing.add(way)
      return undefined
    }
    throw new EngineError(`${way}: the path leads out of the project and is not read`)
  }
}

/** Kustomize takes an entry for YAML first, on one line too, and for a path when it is no object. */
function inlineValues(entry: string): Json[] | undefined {
  try {
    const values = readYamlAll(entry)
    return values.some(isObject) ? values : undefined
  } catch {
    return undefined
  }
}

function isBelow(root: string, path: string): boolean {
  const way = relative(root, path)
  return way === '' || (way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way))
}
