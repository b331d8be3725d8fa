import { compileGlob, PatternError } from '../environment/patterns.ts'
import type { Credential } from '../util/credential.ts'
import { TerminalError } from '../util/errors.ts'
import { parseRepositoryUrl } from '../util/repository-url.ts'

/** What opens the Git repositories of an environment's project; Secrets are those of the project's namespace. */
export interface GitCredentials {
  /** The forge's, for the change's own repository; undefined: anonymous. */
  own(): Promise<Credential | undefined>
  /** A Secret's. Rejects, with a `reason`, when there is none or it holds none. */
  secret(name: string): Promise<Credential>
}

/** An entry of KluctlDeployment's `spec.credentials.git`. */
export interface GitSecretReference {
  host: string
  path?: string | undefined
  secretRef: { name: string }
}

/**
 * What opens a repository: the forge's credential if it is the change's own, else the first entry that matches, as
 * kluctl does it (docs/gitops/spec/v1beta1, "Git authentication"). The forge's goes to no other repository.
 * @throws TerminalError for a glob that cannot be read; what reading the Secret throws
 */
export async function gitCredentialFor(
  credentials: GitCredentials,
  { url, ownRepository }: { url: string; ownRepository: boolean },
  entries: readonly GitSecretReference[] = [],
): Promise<Credential | undefined> {
  const own = ownRepository ? await credentials.own() : undefined
  if (own !== undefined) return own
  const entry = entries.find(each => matches(each, url))
  return entry && credentials.secret(entry.secretRef.name)
}

function matches({ host: wanted, path: glob = '' }: GitSecretReference, url: string): boolean {
  const { protocol, host, path } = parseRepositoryUrl(url)
  // A password goes only to a host that is named.
  const anyHost = wanted === '*' && protocol === 'ssh'
  if (!anyHost && wanted.toLowerCase() !== host) return false
  if (glob === '') return true
  try {
    return compileGlob(glob.replace(/\.git$/, ''))(path)
  } catch (error) {
    if (!(error instanceof PatternError)) throw error
    const message = `credentials.git: the path ${JSON.stringify(glob)} is no glob: ${error.message}`
    throw new TerminalError('Invalid', message, { cause: error })
  }
}
