import { readFile } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import type { Credential } from '../../util/credential.ts'
import { parseRepositoryUrl } from '../../util/repository-url.ts'
import {
  environmentEntries,
  flagEntries,
  type GitCredentialEntry,
  type GitCredentialFlags,
} from './credential-entries.ts'
import { storedGitLogin } from './git-credentials-file.ts'

export type { GitCredentialFlags } from './credential-entries.ts'

type Environment = Readonly<Record<string, string | undefined>>

/**
 * What opens a repository: the flags, then sets of environment variables; after them, over HTTPS what Git's `store`
 * helper keeps in `.git-credentials`, over SSH the agent, the user's own keys and known hosts.
 * @throws EngineError for a flag of another form
 */
export function gitCredentials(
  flags: GitCredentialFlags,
  environment: Environment,
): (url: string) => Promise<Credential | undefined> {
  const entries = [...flagEntries(flags), ...environmentEntries(environment)]
  return async url => {
    const { protocol, host, path } = parseRepositoryUrl(url)
    const user = userOf(url)
    const fits = (one: GitCredentialEntry) => one.matches(path) && fitsUser(one, user)
    if (protocol === 'ssh') {
      const entry = entries.find(one => (one.host === host || one.host === '*') && fits(one))
      return sshCredential(entry, environment)
    }
    return webCredential(
      entries.find(one => one.host === host && fits(one)),
      url,
      environment,
    )
  }
}

function userOf(url: string): string | undefined {
  return /^(?:[a-z]+:\/\/)?([^/@:\s]+)(?::[^/@\s]*)?@/i.exec(url)?.[1]
}

function fitsUser({ username }: GitCredentialEntry, user: string | undefined): boolean {
  return username === undefined || username === '*' || user === undefined || username === user
}

async function webCredential(
  entry: GitCredentialEntry | undefined,
  url: string,
  environment: Environment,
): Promise<Credential | undefined> {
  const home = environment.HOME ?? ''
  const ca = entry?.caFile === undefined ? {} : { ca: await readFile(expanded(entry.caFile, home), 'utf8') }
  const { username, password } = entry ?? {}
  const own = password === undefined ? undefined : { password, ...(username === undefined ? {} : { username }) }
  const found = own ?? (await storedGitLogin(url, environment))
  return found === undefined && entry?.caFile === undefined ? undefined : { ...found, ...ca }
}

async function sshCredential(entry: GitCredentialEntry | undefined, environment: Environment): Promise<Credential> {
  const home = environment.HOME ?? ''
  const { SSH_AUTH_SOCK: socket, SSH_KNOWN_HOSTS: lists } = environment
  const given = entry?.keyFile
  const standard = ['id_rsa', 'id_ecdsa', 'id_ed25519'].map(name => join(home, '.ssh', name))
  const [identity, ...others] = await readAll(given === undefined ? standard : [expanded(given, home)])
  const usual = lists ? lists.split(delimiter) : [join(home, '.ssh', 'known_hosts')]
  const files = entry?.knownHostsFile === undefined ? usual : [expanded(entry.knownHostsFile, home)]
  const knownHosts = await readAll(files)
  return {
    ...(identity === undefined ? {} : { identity }),
    ...(others.length === 0 ? {} : { otherIdentities: others }),
    // A key that was named is the one to use.
    ...(socket && given === undefined ? { agent: socket } : {}),
    ...(knownHosts.length === 0 ? {} : { knownHosts: knownHosts.join('\n') }),
    ...(believesAnyHost(environment) ? { anyHost: true } : {}),
  }
}

function believesAnyHost(environment: Environment): boolean {
  return ['OFFSHOOT', 'KLUCTL'].some(prefix =>
    /^(?:1|t|true)$/i.test(environment[`${prefix}_SSH_DISABLE_STRICT_HOST_KEY_CHECKING`] ?? ''),
  )
}

function expanded(path: string, home: string): string {
  return path.replace(/^~(?=\/)/, home)
}

/** Contents of the files that are there. */
async function readAll(paths: readonly string[]): Promise<string[]> {
  const contents: string[] = []
  for (const path of paths) {
    try {
      contents.push(await readFile(path, 'utf8'))
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    }
  }
  return contents
}
