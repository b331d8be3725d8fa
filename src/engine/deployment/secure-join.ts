import { lstat, readlink } from 'node:fs/promises'
import { join, posix } from 'node:path'
import { EngineError } from '../errors.ts'

/** Links followed on the way to one path. */
const maxLinks = 255

/**
 * The path below a root that a relative path leads to, links followed as if the root were the root of the file system:
 * neither `..` nor a link leaves it. What does not exist stays as it is written.
 */
export async function secureJoin(root: string, path: string): Promise<string> {
  let rest = path.split('/')
  let at = '/'
  let links = 0
  while (rest.length > 0) {
    const [part = '', ...more] = rest
    rest = more
    if (part === '' || part === '.') continue
    if (part === '..') {
      at = posix.dirname(at)
      continue
    }
    const next = posix.join(at, part)
    const target = await linkTarget(join(root, next))
    if (target === undefined) {
      at = next
      continue
    }
    if (++links > maxLinks) throw new EngineError(`${path}: too many levels of symbolic links`)
    if (target.startsWith('/')) at = '/'
    rest = [...target.split('/'), ...rest]
  }
  return at === '/' ? root : join(root, at)
}

async function linkTarget(path: string): Promise<string | undefined> {
  try {
    return (await lstat(path)).isSymbolicLink() ? await readlink(path) : undefined
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    throw error
  }
}
