import { createHash } from 'node:crypto'

/**
 * What opens a forge or a Git remote. All absent: anonymous.
 * The keys are those of the Secret that `secretRef` names (`known_hosts` there).
 */
export interface Credential {
  /** API token; over HTTPS also the Git password, with the user name `x-access-token` unless `username` is given. */
  token?: string
  username?: string
  password?: string
  /** Private SSH key in PEM or OpenSSH form. */
  identity?: string
  /** Lines of an OpenSSH `known_hosts` file; without them an SSH remote is refused. */
  knownHosts?: string
}

/** A stable key for caches: equal credentials give equal keys, and a key does not give the credential away. */
export function credentialKey(credential: Credential | undefined): string {
  if (credential === undefined) return 'anonymous'
  const { token, username, password, identity, knownHosts } = credential
  const fields = [token, username, password, identity, knownHosts].map(field => field ?? null)
  return createHash('sha256').update(JSON.stringify(fields)).digest('hex')
}
