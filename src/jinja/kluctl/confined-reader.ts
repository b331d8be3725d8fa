import { closeSync, constants, fstatSync, openSync, readFileSync, realpathSync } from 'node:fs'
import { sep } from 'node:path'
import { valueError } from '../errors.ts'

/** Limits of a confined reader. */
export interface ConfinedReaderOptions {
  /** Folders that files must really lie in, after following every link. */
  readonly within: readonly string[]
  /** Largest file in bytes; default 32 MiB. */
  readonly maxBytes?: number
}

const defaultMaxBytes = 32 * 1024 * 1024
const missing = new Set(['ENOENT', 'ENOTDIR', 'EISDIR', 'ELOOP', 'ENAMETOOLONG', 'EACCES', 'ERR_INVALID_ARG_VALUE'])

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && missing.has(String(error.code))
}

function realPath(path: string): string | undefined {
  try {
    return realpathSync.native(path)
  } catch (error) {
    if (isMissing(error)) return undefined
    throw error
  }
}

function readRegular(path: string, maxBytes: number): Uint8Array | undefined {
  // The path is real already, so a link here was put in between: it is not followed. A pipe must not block.
  const descriptor = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  try {
    const stat = fstatSync(descriptor)
    if (!stat.isFile()) return undefined
    if (stat.size > maxBytes) throw valueError(`${path} has ${stat.size} bytes, more than ${maxBytes}`)
    return readFileSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

/**
 * Reads files that really lie in one of the folders: a link that leads out of them is as good as no file. Gives
 * undefined for what does not exist, is no regular file or may not be read; throws ValueError for a file too large.
 */
export function confinedReader(options: ConfinedReaderOptions): (path: string) => Uint8Array | undefined {
  const roots = options.within.map(folder => realPath(folder)).filter(root => root !== undefined)
  const maxBytes = options.maxBytes ?? defaultMaxBytes
  return path => {
    const real = realPath(path)
    if (real === undefined || !roots.some(root => real.startsWith(root.endsWith(sep) ? root : root + sep))) {
      return undefined
    }
    try {
      return readRegular(real, maxBytes)
    } catch (error) {
      if (isMissing(error)) return undefined
      throw error
    }
  }
}
