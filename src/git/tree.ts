import { GitError } from './errors.ts'
import { runGit } from './run.ts'

/** One file of a commit (or a folder, if one was asked for). */
export interface TreeEntry {
  mode: 'file' | 'executable' | 'symlink' | 'submodule' | 'folder'
  /** Blob's id. */
  id: string
  /** Bytes; 0 for a submodule or a folder. */
  size: number
  path: string
}

const modes: Record<string, TreeEntry['mode']> = {
  100644: 'file',
  100664: 'file',
  100755: 'executable',
  120000: 'symlink',
  160000: 'submodule',
  '040000': 'folder',
}

/**
 * Files of a commit, at one path or all of them.
 * @throws GitError `invalid` for a tree with names that must not be written to a disk.
 */
export async function readTree(gitDir: string, sha: string, path?: string, signal?: AbortSignal): Promise<TreeEntry[]> {
  const args = [`--git-dir=${gitDir}`, 'ls-tree', '-z', '-l', '--full-tree']
  const where = path === undefined ? ['-r', sha] : [sha, '--', path]
  const output = await runGit([...args, ...where], { signal })
  return output
    .toString('utf8')
    .split('\0')
    .filter(record => record !== '')
    .map(parseEntry)
}

/** Those of the files that are asked for; all, if one that is asked for is a link or lies behind one. */
export function chosen(entries: readonly TreeEntry[], only: readonly string[] | undefined): readonly TreeEntry[] {
  if (only === undefined) return entries
  const links = entries.filter(({ mode }) => mode === 'symlink')
  const linked = links.some(({ path }) => only.some(name => name === path || name.startsWith(`${path}/`)))
  return linked ? entries : entries.filter(({ path }) => only.includes(path))
}

function parseEntry(record: string): TreeEntry {
  const match = /^(\d{6}) (?:blob|tree|commit) ([0-9a-f]{40,64}) +(\d+|-)\t(.+)$/s.exec(record)
  const [, bits = '', id = '', size = '', path = ''] = match ?? []
  const mode = modes[bits]
  if (mode === undefined) throw new GitError('malformed', `git ls-tree said ${JSON.stringify(record.slice(0, 200))}`)
  checkPath(path)
  return { mode, id, size: size === '-' ? 0 : Number(size), path }
}

/**
 * Refuses paths that leave their folder, or reach into a `.git`.
 * @throws GitError `invalid`
 */
export function checkPath(path: string): void {
  const parts = path.split('/')
  // U+FFFD stands for bytes that are no UTF-8: such a name cannot be written as it is.
  const bad = parts.some(part => part === '' || part === '.' || part === '..' || part.toLowerCase() === '.git')
  if (bad || /[\p{Cc}\\\uFFFD]/u.test(path)) {
    throw new GitError('invalid', `${JSON.stringify(path.slice(0, 200))} is not a path that can be used`)
  }
}
