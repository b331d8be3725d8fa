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
  /** More private keys, tried after `identity`. */
  otherIdentities?: readonly string[]
  /** Socket of an SSH agent, whose keys are tried first. */
  agent?: string
  /** Believe any SSH host: only where the person at the command line said so. */
  anyHost?: boolean
  /** Certificate authorities in PEM form for HTTPS, instead of the machine's. */
  ca?: string
  /** A GitHub App, of which tokens are made; excludes all the others. */
  app?: AppCredential
  /**
   * What a short-lived token was made of, as a stable key: it stands for the token in `credentialKey`, so that what is
   * kept by that key outlives the token.
   */
  origin?: string
}

/** Who a GitHub App is. */
export interface AppCredential {
  /** App ID or client ID. */
  id: string
  /** RSA key in PEM form, as GitHub hands it out. */
  privateKey: string
  /** The one installation to use; absent: that of each repository. */
  installationId?: string
}

/** A stable key for caches: equal credentials give equal keys, and a key does not give the credential away. */
export function credentialKey(credential: Credential | undefined): string {
  if (credential === undefined) return 'anonymous'
  const { token, username, password, identity, knownHosts, app, origin } = credential
  if (origin !== undefined) return origin
  const given = [token, username, password, identity, knownHosts, ...localFields(credential)]
  const fields = [...given, ...(app ? [app.id, app.privateKey, app.installationId] : [])].map(field => field ?? null)
  return createHash('sha256').update(JSON.stringify(fields)).digest('hex')
}

/** What only command lines have, left out where it is absent: keys of before stay as they were. */
function localFields({ otherIdentities, agent, anyHost, ca }: Credential): string[] {
  const fields = { otherIdentities, agent, anyHost, ca }
  return Object.values(fields).some(field => field !== undefined) ? [JSON.stringify(fields)] : []
}
