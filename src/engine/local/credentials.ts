import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import picomatch from 'picomatch'
import type { Credential } from '../../util/credential.ts'
import { parseRepositoryUrl } from '../../util/repository-url.ts'
import { EngineError } from '../errors.ts'

/** Credentials of the command line: each value is `host/path=value`, the path a glob and optional. */
export interface GitCredentialFlags {
  readonly gitUsername?: readonly string[] | undefined
  readonly gitPassword?: readonly string[] | undefined
  readonly gitSshKeyFile?: readonly string[] | undefined
  readonly gitSshKnownHostsFile?: readonly string[] | undefined
}

interface Entry {
  readonly host: string
  readonly matches: (path: string) => boolean
  username?: string
  password?: string
  keyFile?: string
  knownHostsFile?: string
}

/**
 * What opens a repository: the flags, then sets of environment variables (`KLUCTL_GIT_HOST`, `…_PATH`, `…_USERNAME`,
 * `…_PASSWORD`, `…_SSH_KEY`, with an index after `GIT`), then for SSH the user's own keys and known hosts.
 */
export function gitCredentials(
  flags: GitCredentialFlags,
  environment: Readonly<Record<string, string | undefined>>,
): (url: string) => Promise<Credential | undefined> {
  const entries = [...flagEntries(flags), ...environmentEntries(environment)]
  const home = environment.HOME ?? ''
  return async url => {
    const { protocol, host, path } = parseRepositoryUrl(url)
    const entry = entries.find(one => one.host === host && one.matches(path))
    if (protocol === 'ssh') return sshCredential(entry, home)
    if (entry?.password === undefined) return undefined
    return { password: entry.password, ...(entry.username === undefined ? {} : { username: entry.username }) }
  }
}

function flagEntries(flags: GitCredentialFlags): Entry[] {
  const entries = new Map<string, Entry>()
  const fill = (values: readonly string[] | undefined, flag: string, set: (entry: Entry, value: string) => void) => {
    for (const text of values ?? []) {
      const at = text.indexOf('=')
      if (at <= 0) throw new EngineError(`invalid ${flag}: expected host/path=value`)
      const key = text.slice(0, at)
      const entry = entries.get(key) ?? entryFor(key)
      entries.set(key, entry)
      set(entry, text.slice(at + 1))
    }
  }
  fill(flags.gitUsername, '--git-username', (entry, value) => (entry.username = value))
  fill(flags.gitPassword, '--git-password', (entry, value) => (entry.password = value))
  fill(flags.gitSshKeyFile, '--git-ssh-key-file', (entry, value) => (entry.keyFile = value))
  fill(flags.gitSshKnownHostsFile, '--git-ssh-known-hosts-file', (entry, value) => (entry.knownHostsFile = value))
  return [...entries.values()]
}

function entryFor(key: string): Entry {
  const [host = '', ...path] = key.split('/')
  const glob = path.join('/').replace(/\.git$/, '')
  return { host: host.toLowerCase(), matches: glob === '' ? () => true : picomatch(glob, { dot: true }) }
}

function environmentEntries(environment: Readonly<Record<string, string | undefined>>): Entry[] {
  const entries: Entry[] = []
  for (const [name, host] of Object.entries(environment)) {
    const prefix = /^((?:OFFSHOOT|KLUCTL)_GIT_(?:[0-9]+_)?)HOST$/.exec(name)?.[1]
    if (prefix === undefined || host === undefined || host === '') continue
    const path = environment[`${prefix}PATH`] ?? ''
    const entry = entryFor(path === '' ? host : `${host}/${path}`)
    const fields = { username: 'USERNAME', password: 'PASSWORD', keyFile: 'SSH_KEY' } as const
    for (const [field, suffix] of Object.entries(fields)) {
      const value = environment[`${prefix}${suffix}`]
      if (value !== undefined) Object.assign(entry, { [field]: value })
    }
    entries.push(entry)
  }
  return entries
}

async function sshCredential(entry: Entry | undefined, home: string): Promise<Credential | undefined> {
  const standard = ['id_ed25519', 'id_ecdsa', 'id_rsa'].map(name => join(home, '.ssh', name))
  const keys = entry?.keyFile === undefined ? standard : [entry.keyFile.replace(/^~(?=\/)/, home)]
  const identity = await firstReadable(keys)
  const knownHosts = await firstReadable([entry?.knownHostsFile ?? join(home, '.ssh', 'known_hosts')])
  if (identity === undefined || knownHosts === undefined) return undefined
  return { identity, knownHosts }
}

async function firstReadable(paths: readonly string[]): Promise<string | undefined> {
  for (const path of paths) {
    try {
      return await readFile(path, 'utf8')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    }
  }
  return undefined
}
