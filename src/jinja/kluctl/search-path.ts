import { posix } from 'node:path'
import { TemplateNotFound } from '../errors.ts'
import type { Loader } from '../options.ts'
import { decodeUtf8 } from './filters.ts'
import type { KluctlHost } from './host.ts'

function isRelativeToParent(name: string): boolean {
  return name.startsWith('./') || name.startsWith('../')
}

function isWithin(folder: string, path: string): boolean {
  return path.startsWith(folder.endsWith('/') ? folder : `${folder}/`)
}

/** A file found on the search path. */
export interface FoundFile {
  /** Absolute path, which is also the template's name. */
  readonly path: string
  readonly content: Uint8Array
}

/** The paths a name may mean, best first. */
function candidates(host: KluctlHost, name: string, parent: string | null): string[] {
  const asked = isRelativeToParent(name) ? posix.join(posix.dirname(parent ?? ''), name) : name
  if (asked.startsWith('/')) {
    const path = posix.normalize(asked)
    return host.searchPath.some(folder => isWithin(folder, path)) ? [path] : []
  }
  if (asked === '' || asked.includes('\0') || asked.split('/').includes('..')) return []
  return host.searchPath.map(folder => posix.join(folder, asked))
}

/**
 * Finds a file as kluctl does: `./x` and `../x` beside the asking template, everything else in each folder of the
 * search path in turn; never outside them. Undefined when there is none.
 */
export function findFile(host: KluctlHost, name: string, parent: string | null): FoundFile | undefined {
  for (const path of candidates(host, name, parent)) {
    const content = host.readFile(path)
    if (content !== undefined) return { path, content }
  }
  return undefined
}

/** Like `findFile`. Throws TemplateNotFound. */
export function needFile(host: KluctlHost, name: string, parent: string | null): FoundFile {
  const found = findFile(host, name, parent)
  if (found === undefined) throw new TemplateNotFound([name], `template ${name} not found`)
  return found
}

/** A loader for `include`, `import`, `extends` and `load_template` over the host's search path. */
export function searchPathLoader(host: KluctlHost): Loader {
  return (name, parent) => {
    const found = findFile(host, name, parent)
    return found && { source: decodeUtf8(found.content), name: found.path }
  }
}
