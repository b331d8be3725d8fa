// Read and written without handing each small file to another thread and back, which takes longer than the work itself.
import {
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join, posix, sep } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { EngineError, within } from '../errors.ts'
import { compareBytes, type JsonObject } from '../values.ts'
import { type IgnorePattern, isIgnored, parseIgnoreFile, parseIgnorePattern } from './ignore.ts'
import type { Templates } from './templates.ts'

/** A folder to render and where to. */
export interface RenderFolder {
  /** Root of the repository: `.templateignore` files from there downwards count. */
  readonly root: string
  /** Folder relative to the root, `.` for the root itself. */
  readonly path: string
  readonly target: string
  readonly variables: JsonObject
  readonly searchPath: readonly string[]
}

/** Files of one item, links not followed; a chart of 20,000 files is none that anybody deploys. */
const maxFiles = 50_000

interface Tree {
  readonly folders: string[]
  readonly files: string[]
  readonly links: string[]
  readonly charts: string[]
}

/**
 * Renders every file of a folder into another: README and binaries too, unless `.templateignore` says no or they
 * belong to a Helm chart. Links stay links.
 * @returns every error, so that all broken templates are reported at once
 */
export async function renderFolder(templates: Templates, folder: RenderFolder): Promise<unknown[]> {
  const source = join(folder.root, folder.path)
  // Whatever else is going on, such as an end by Ctrl-C, gets its turn between folders.
  await setImmediate()
  refuseOutside(folder.root, source)
  const tree = walk(source)
  const domain = folder.path === '.' ? [] : folder.path.split('/')
  const patterns = ignorePatterns(folder.root, domain, tree)
  mkdirSync(folder.target, { recursive: true, mode: 0o700 })
  for (const name of tree.folders) mkdirSync(join(folder.target, name), { recursive: true, mode: 0o700 })
  const errors: unknown[] = []
  for (const name of tree.files) {
    const ignored = isIgnored(patterns, [...domain, ...name.split('/')])
    try {
      const content = ignored ? readFileSync(join(source, name)) : render(templates, folder, join(source, name))
      writeFileSync(join(folder.target, name), content, { mode: 0o600 })
    } catch (error) {
      errors.push(error)
    }
  }
  if (errors.length === 0) for (const name of tree.links) copyLink(join(source, name), join(folder.target, name))
  return errors
}

/** Links on the way to the folder may lead elsewhere in the repository, but not out of it. */
function refuseOutside(root: string, folder: string): void {
  const [realRoot, real] = [realpathSync.native(root), realpathSync.native(folder)]
  if (real === realRoot || real.startsWith(`${realRoot}${sep}`)) return
  throw new EngineError(`path/include is not part of the deployment project: ${folder} is a link out of it`)
}

function render(templates: Templates, folder: RenderFolder, path: string): Uint8Array | string {
  const content = templates.readFile(path)
  if (content === undefined) throw new EngineError(`${path}: cannot be read`)
  try {
    return templates.renderFile({ path, content }, folder.variables, folder.searchPath)
  } catch (error) {
    if (!(error instanceof EngineError)) throw error
    throw within(`failed rendering template '${path}'`, error)
  }
}

function copyLink(from: string, to: string): void {
  const target = readlinkSync(from)
  try {
    symlinkSync(target, to)
  } catch (error) {
    // Rendering into a folder that was rendered into before.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || !isLinkTo(to, target)) throw error
  }
}

function isLinkTo(path: string, target: string): boolean {
  return lstatSync(path).isSymbolicLink() && readlinkSync(path) === target
}

function walk(root: string): Tree {
  const tree: Tree = { folders: [], files: [], links: [], charts: [] }
  const visit = (folder: string): void => {
    const entries = readdirSync(join(root, folder), { withFileTypes: true })
    entries.sort((a, b) => compareBytes(a.name, b.name))
    if (entries.some(({ name }) => name === 'Chart.yaml' || name === 'Chart.yml')) tree.charts.push(folder)
    for (const entry of entries) {
      // What Git keeps for itself is no part of any item.
      if (entry.name === '.git') continue
      const path = folder === '' ? entry.name : posix.join(folder, entry.name)
      if (entry.isSymbolicLink()) tree.links.push(path)
      else if (entry.isDirectory()) {
        tree.folders.push(path)
        visit(path)
      } else if (entry.isFile()) tree.files.push(path)
      if (tree.files.length > maxFiles) throw new EngineError(`${root} holds more than ${maxFiles} files`)
    }
  }
  visit('')
  return tree
}

/** Patterns of the folders above, of this one and of those below, then what is never rendered; later ones win. */
function ignorePatterns(root: string, domain: readonly string[], tree: Tree): IgnorePattern[] {
  const above = domain.map((_, length) => domain.slice(0, length))
  const below = tree.files
    .filter(name => posix.basename(name) === '.templateignore' && posix.dirname(name) !== '.')
    .map(name => [...domain, ...posix.dirname(name).split('/')])
  const patterns: IgnorePattern[] = []
  for (const folder of [...above, [...domain], ...below]) {
    const text = readIfThere(join(root, ...folder, '.templateignore'))
    if (text !== undefined) patterns.push(...parseIgnoreFile(text, folder))
  }
  // Charts are Helm's templates, not Jinja2's.
  const excluded = tree.charts.filter(chart => chart !== '').map(chart => `${chart}/**`)
  return [...patterns, ...excluded.map(pattern => parseIgnorePattern(pattern, domain))]
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
