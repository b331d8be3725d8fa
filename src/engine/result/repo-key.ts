/** A remote's URL as kluctl keeps it (scp-like ones become `ssh://`), and the key of its repository. */
export interface Remote {
  readonly url: string
  /** `git://host/path`, the same for all ways to write the URL and for all protocols. */
  readonly key: string
}

const scp = /^(?![a-z][a-z0-9+.-]*:\/\/)(?:([^@/\s]+)@)?([^:/\s]{2,}):(?:(\d{1,5})(?:\/|:))?([^\\].*)$/
const ownPorts: Readonly<Record<string, string>> = { 'http:': '80', 'https:': '443', 'git:': '22', 'ssh:': '22' }

/**
 * Takes the URL of a Git remote apart as kluctl does (lib/git/types/git_url.go); undefined for folders of this machine,
 * which say nothing about where a project is from. Passwords, and for the web
 * names too (they are often tokens), are left out.
 */
export function parseRemote(text: string): Remote | undefined {
  const parsed = /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? URL.parse(text) : fromScp(text)
  if (parsed === null || parsed.protocol === 'file:' || parsed.hostname === '') return undefined
  const path = trimEnding(decode(parsed.pathname).toLowerCase()).replace(/^\//, '')
  const port = parsed.port === '' || parsed.port === ownPorts[parsed.protocol.replace('git+', '')] ? '' : parsed.port
  const host = `${parsed.hostname.toLowerCase()}${port === '' ? '' : `:${port}`}`
  let url = text
  const web = parsed.protocol === 'http:' || parsed.protocol === 'https:'
  if (parsed.password !== '' || (web && parsed.username !== '') || scp.test(text)) {
    parsed.password = ''
    if (web) parsed.username = ''
    url = parsed.href
  }
  return { url, key: `git://${host}/${path}` }
}

function fromScp(text: string): URL | null {
  const [, user, host, port, path] = scp.exec(text) ?? []
  if (host === undefined || path === undefined) return null
  const from = `${user === undefined ? '' : `${user}@`}${host}${port === undefined ? '' : `:${port}`}`
  return URL.parse(`ssh://${from}/${path.replace(/^\//, '')}`)
}

function trimEnding(path: string): string {
  const bare = path.endsWith('/.git') ? path : path.replace(/\.git$/, '')
  return bare.replace(/\/+$/, '')
}

function decode(path: string): string {
  try {
    return decodeURIComponent(path)
  } catch {
    // Not an encoded path: it is taken as it stands.
    return path
  }
}
