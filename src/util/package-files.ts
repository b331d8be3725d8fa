import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { OffshootError } from './errors.ts'

/** Path of a file that ships with the package, found from the sources as well as from `dist`. @throws OffshootError */
export function packageFile(path: string): string {
  for (let folder = import.meta.dirname; ; folder = dirname(folder)) {
    if (existsSync(join(folder, 'package.json'))) return join(folder, path)
    if (dirname(folder) === folder) throw new OffshootError(`the package is not complete: no ${path}`)
  }
}
