import { lstat, mkdir, readdir, readFile, readlink, realpath, symlink, writeFile } from 'node:fs/promises'
import { join, posix, sep } from 'node:path'
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
  await refuseOutside(folder.root, source)
  const tree = await walk(source)
  const domain = folder.path === '.' ? [] : folder.path.split('/')
  const patterns = await ignorePatterns(folder.root, domain, tree)
  await mkdir(folder.target, { recursive: true, mode: 0o700 })
  for (const name of tree.folders) await mkdir(join(folder.target, name), { recursive: true, mode: 0o700 })
  const errors: unknown[] = []
  for (const name of tree.files) {
    const ignored = isIgnored(patterns, [...domain, ...name.split('/')])
    try {
      const content = ignored ? await readFile(join(source, name)) : render(templates, folder, join(source, name))
      await writeFile(join(folder.target, name), content, { mode: 0o600 })
    } catch (error) {
      errors.push(error)
    }
  }
  if (errors.length === 0) for (const name of tree.links) await copyLink(join(source, name), join(folder.target, name))
  return errors
}

/** Links on the way to the folder may lead elsewhere in the repository, but not out of it. */
async function refuseOutside(root: string, folder: string): Promise<void> {
  const [realRoot, real] = await Promise.all([realpath(root), realpath(folder)])
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

async function copyLink(from: string, to: string): Promise<void> {
  const target = await readlink(from)
  try {
    await symlink(target, to)
  } catch (error) {
    // Rendering into a folder that was rendered into before.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || !(await isLinkTo(to, target))) throw error
  }
}

async function isLinkTo(path: string, target: string): Promise<boolean> {
  const stat = await lstat(path)
  return stat.isSymbolicLink() && (await readlink(path)) === target
}

async function walk(root: string): Promise<Tree> {
  const tree: Tree = { folders: [], files: [], links: [], charts: [] }
  const visit = async (folder: string): Promise<void> => {
    const entries = await readdir(join(root, folder), { withFileTypes: true })
    entries.sort((a, b) => compareBytes(a.name, b.name))
    if (entries.some(({ name }) => name === 'Chart.yaml' || name === 'Chart.yml')) tree.charts.push(folder)
    for (const entry of entries) {
      // What Git keeps for itself is no part of any item.
      if (entry.name === '.git') continue
      const path = folder === '' ? entry.name : posix.join(folder, entry.name)
      if (entry.isSymbolicLink()) tree.links.push(path)
      else if (entry.isDirectory()) {
        tree.folders.push(path)
        await visit(path)
      } else if (entry.isFile()) tree.files.push(path)
      if (tree.files.length > maxFiles) throw new EngineError(`${root} holds more than ${maxFiles} files`)
    }
  }
  await visit('')
  return tree
}

/** Patterns of the folders above, of this one and of those below, then what is never rendered; later ones win. */
async function ignorePatterns(root: string, domain: readonly string[], tree: Tree): Promise<IgnorePattern[]> {
  const above = domain.map((_, length) => domain.slice(0, length))
  const below = tree.files
    .filter(name => posix.basename(name) === '.templateignore' && posix.dirname(name) !== '.')
    .map(name => [...domain, ...posix.dirname(name).split('/')])
  const patterns: IgnorePattern[] = []
  for (const folder of [...above, [...domain], ...below]) {
    const text = await readIfThere(join(root, ...folder, '.templateignore'))
    if (text !== undefined) patterns.push(...parseIgnoreFile(text, folder))
  }
  // Charts are Helm's templates, not Jinja2's.
  const excluded = tree.charts.filter(chart => chart !== '').map(chart => `${chart}/**`)
  return [...patterns, ...excluded.map(pattern => parseIgnorePattern(pattern, domain))]
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
