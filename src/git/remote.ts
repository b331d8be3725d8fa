import type { Credential } from '../util/credential.ts'
import { messageOf } from '../util/errors.ts'
import { parseRepositoryUrl } from '../util/repository-url.ts'
import { GitError } from './errors.ts'

/** A Git remote and what opens it. */
export interface Remote {
  url: string
  credential?: Credential
}

/** A remote that may be given to git: its URL holds no password and starts no program. */
export interface CheckedRemote {
  url: string
  protocol: 'https' | 'http' | 'ssh' | 'file'
  credential: Credential
}

/** Which remotes are let through. */
export interface RemotePolicy {
  /** Folders of this machine: for tests, and for people at their own command line. */
  allowFile: boolean
}

/**
 * Lets through HTTPS and SSH, plain HTTP without a credential or to this machine, and folders where allowed.
 * A password in the URL becomes part of the credential, since arguments of a process are public.
 * @throws GitError `invalid`
 */
export function checkRemote({ url, credential = {} }: Remote, policy: RemotePolicy): CheckedRemote {
  const { protocol, host } = parse(url)
  if (protocol === 'git' || (protocol === 'file' && !policy.allowFile)) throw refused(`${protocol}: is not allowed`)
  if (protocol === 'file') return { url, protocol, credential: {} }
  if (protocol === 'ssh') {
    const { identity, agent, knownHosts, anyHost } = credential
    if ((identity ?? agent) === undefined || (knownHosts === undefined && anyHost !== true)) {
      throw refused('SSH needs the credential keys identity and known_hosts')
    }
    return { url, protocol, credential }
  }
  const parsed = new URL(url)
  const inUrl = { username: decodeURIComponent(parsed.username), password: decodeURIComponent(parsed.password) }
  const own = inUrl.password === '' ? {} : inUrl
  parsed.username = ''
  parsed.password = ''
  const full = { ...own, ...credential }
  const secret = full.token !== undefined || full.password !== undefined
  const loopback = /^(127(\.[0-9]+){3}|localhost|\[::1\])(:|$)/.test(host)
  if (protocol === 'http' && secret && !loopback) throw refused('a credential is not sent over unencrypted http')
  return { url: parsed.href, protocol, credential: full }
}

function parse(url: string) {
  try {
    return parseRepositoryUrl(url)
  } catch (error) {
    throw refused(messageOf(error), error)
  }
}

function refused(reason: string, cause?: unknown): GitError {
  return new GitError('invalid', `the repository URL is refused: ${reason}`, { cause })
}
