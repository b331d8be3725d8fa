import { readdir, realpath } from 'node:fs/promises'
import { join, relative, sep } from 'node:path'
import { EngineError } from '../errors.ts'

const maxEntries = 200_000
const shown = 20

/**
 * Goes through a tree that is not trusted: regular files, folders, and links that stay inside.
 * @throws EngineError that names the links which lead out, and devices and sockets
 */
export async function checkTree(root: string): Promise<void> {
  const outside: string[] = []
  const folders = [root]
  let count = 0
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    for (const entry of await readdir(folder, { withFileTypes: true })) {
      if (++count > maxEntries) throw new EngineError(`the project has more than ${maxEntries} files`)
      const path = join(folder, entry.name)
      if (entry.isDirectory()) folders.push(path)
      else if (entry.isSymbolicLink() ? !(await staysInside(path, root)) : !entry.isFile()) outside.push(path)
    }
  }
  if (outside.length === 0) return
  const names = outside.slice(0, shown).map(path => relative(root, path))
  const more = outside.length > shown ? ` and ${outside.length - shown} more` : ''
  throw new EngineError(`an untrusted project may hold no links out of it and no devices: ${names.join(', ')}${more}`)
}

async function staysInside(link: string, root: string): Promise<boolean> {
  try {
    const target = await realpath(link)
    return target === root || target.startsWith(root + sep)
  } catch (error) {
    // A link to nothing leads nowhere now; nobody can create its target while the project is rendered.
    if (['ENOENT', 'ELOOP', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return true
    throw error
  }
}
