import { InvalidInputError } from './errors.ts'

/** A Git remote's URL, taken apart. */
export interface RepositoryUrl {
  protocol: 'https' | 'http' | 'ssh' | 'git' | 'file'
  /** Lower case, with the port for http(s) where it is not the usual one; empty for `file`. */
  host: string
  /** Without slashes at either end and without `.git`. */
  path: string
}

const scp = /^(?:[A-Za-z0-9._-]+@)?([A-Za-z0-9][A-Za-z0-9.-]*):(?!\/\/)([^\s]+)$/
const protocols = new Set(['https', 'http', 'ssh', 'git', 'file'])

/**
 * Takes a clone URL apart: `https://host/path.git`, `ssh://git@host/path`, `git@host:path`, `file:///path` or `/path`.
 * @throws InvalidInputError for anything else, options and `ext::` among it.
 */
export function parseRepositoryUrl(url: string): RepositoryUrl {
  if (/[\p{Cc}\s]/u.test(url) || url.startsWith('-')) throw invalid(url)
  if (url.startsWith('/')) return { protocol: 'file', host: '', path: trim(url) }
  const parsed = /^(file:\/\/\/|[a-z]+:\/\/[^/])/.test(url) ? URL.parse(url) : null
  if (parsed === null) {
    const [, host, path] = scp.exec(url) ?? []
    if (host === undefined || path === undefined || path.startsWith('-')) throw invalid(url)
    return { protocol: 'ssh', host: host.toLowerCase(), path: trim(path) }
  }
  const protocol = parsed.protocol.slice(0, -1)
  const path = trim(decode(parsed.pathname, url))
  if (!protocols.has(protocol) || path === '' || (parsed.host === '') !== (protocol === 'file')) throw invalid(url)
  // An SSH port says nothing about the repository: the same one has another port over HTTPS.
  const host = protocol === 'http' || protocol === 'https' ? parsed.host : parsed.hostname
  return { protocol: protocol as RepositoryUrl['protocol'], host: host.toLowerCase(), path }
}

/**
 * Keys that a repository's URL is known by: equal for all ways to write it and for HTTPS and SSH.
 * A webhook speaks of a project's repository if they share a key; that is a hint, not a permission.
 * @throws InvalidInputError as `parseRepositoryUrl`.
 */
export function repositoryKeys(url: string): string[] {
  const { host, path } = parseRepositoryUrl(url)
  return [`${host}/${path.toLowerCase()}`]
}

function trim(path: string): string {
  return path
    .replace(/^\/+/, '')
    .replace(/\/+$/, '')
    .replace(/\.git$/, '')
}

function decode(path: string, url: string): string {
  try {
    return decodeURIComponent(path)
  } catch (error) {
    throw invalid(url, error)
  }
}

function invalid(url: string, cause?: unknown): InvalidInputError {
  const shown = JSON.stringify(url.slice(0, 200).replace(/\/\/[^/@]*@/, '//***@'))
  const message = `${shown} is not a repository URL; expected https://host/path, ssh://user@host/path or user@host:path`
  return new InvalidInputError([{ path: 'url', message }], { cause })
}
