import picomatch from 'picomatch'
import { EngineError } from '../errors.ts'

/** What flags and variables say of the repositories of a host, or of those whose path matches. Files hold PEM. */
export interface GitCredentialEntry {
  /** `*` for any host; only for SSH, where a key betrays nothing to a host that does not know it. */
  readonly host: string
  readonly matches: (path: string) => boolean
  username?: string
  password?: string
  keyFile?: string
  knownHostsFile?: string
  caFile?: string
}

type Field = 'username' | 'password' | 'keyFile' | 'knownHostsFile' | 'caFile'

/** Credentials of the command line: each value is `host/path=value`, the path a glob and optional. */
export interface GitCredentialFlags {
  readonly gitUsername?: readonly string[] | undefined
  readonly gitPassword?: readonly string[] | undefined
  readonly gitCaFile?: readonly string[] | undefined
  readonly gitSshKeyFile?: readonly string[] | undefined
  readonly gitSshKnownHostsFile?: readonly string[] | undefined
}

const flagFields: Readonly<Record<keyof GitCredentialFlags, Field>> = {
  gitUsername: 'username',
  gitPassword: 'password',
  gitCaFile: 'caFile',
  gitSshKeyFile: 'keyFile',
  gitSshKnownHostsFile: 'knownHostsFile',
}

const variableFields: Readonly<Record<string, Field>> = {
  USERNAME: 'username',
  PASSWORD: 'password',
  SSH_KEY: 'keyFile',
  CA_BUNDLE: 'caFile',
}

/** Entries of the flags; values with the same `host/path` make one. @throws EngineError naming the flag */
export function flagEntries(flags: GitCredentialFlags): GitCredentialEntry[] {
  const entries = new Map<string, GitCredentialEntry>()
  for (const [flag, field] of Object.entries(flagFields)) {
    for (const text of flags[flag as keyof GitCredentialFlags] ?? []) {
      const at = text.indexOf('=')
      if (at <= 0) throw new EngineError(`invalid ${flagName(flag)}: expected host/path=value`)
      const key = text.slice(0, at)
      const entry = entries.get(key) ?? entryFor(key)
      entries.set(key, entry)
      entry[field] = text.slice(at + 1)
    }
  }
  return [...entries.values()]
}

/**
 * Entries of sets of variables: `KLUCTL_GIT_HOST`, `…_PATH`, `…_USERNAME`, `…_PASSWORD`, `…_SSH_KEY`, `…_CA_BUNDLE`,
 * with an index after `GIT`, and the same with `OFFSHOOT_`.
 */
export function environmentEntries(environment: Readonly<Record<string, string | undefined>>): GitCredentialEntry[] {
  const entries: { index: number; entry: GitCredentialEntry }[] = []
  for (const [name, host] of Object.entries(environment)) {
    const [, prefix, index] = /^((?:OFFSHOOT|KLUCTL)_GIT_(?:([0-9]+)_)?)HOST$/.exec(name) ?? []
    if (prefix === undefined || host === undefined || host === '') continue
    const path = environment[`${prefix}PATH`] ?? ''
    const entry = entryFor(path === '' ? host : `${host}/${path}`)
    for (const [suffix, field] of Object.entries(variableFields)) {
      const value = environment[`${prefix}${suffix}`]
      if (value !== undefined && value !== '') entry[field] = value
    }
    entries.push({ index: Number(index ?? -1), entry })
  }
  return entries.sort((a, b) => a.index - b.index).map(({ entry }) => entry)
}

function entryFor(key: string): GitCredentialEntry {
  const [host = '', ...path] = key.split('/')
  const glob = path.join('/').replace(/\.git$/, '')
  return { host: host.toLowerCase(), matches: glob === '' ? () => true : picomatch(glob, { dot: true }) }
}

function flagName(field: string): string {
  return `--${field.replaceAll(/[A-Z]/g, letter => `-${letter.toLowerCase()}`)}`
}
