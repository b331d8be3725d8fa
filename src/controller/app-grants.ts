import type { ReviewProject } from '../api/index.ts'
import { deriveApiUrl, parseRepositoryUrl } from '../forge/index.ts'
import type { AppCredential } from '../util/credential.ts'
import { OffshootError } from '../util/errors.ts'

/** Which namespace may use the installation's App for which repositories; `*` for any. */
export interface AppGrant {
  namespace: string
  owner: string
  repo: string
}

/** The GitHub App of the whole installation, and who may use it. */
export interface InstallationApp {
  app: AppCredential
  /** Base of the REST API that the App belongs to. */
  apiUrl: string
  grants: readonly AppGrant[]
}

/**
 * A grant from `namespace=owner/repository`, where each part may be `*`.
 * @throws OffshootError for anything else
 */
export function parseAppGrant(text: string): AppGrant {
  const parts = /^([a-z0-9.-]{1,63}|\*)=([A-Za-z0-9_-]{1,100}|\*)\/([A-Za-z0-9._-]{1,100}|\*)$/.exec(text)
  const [, namespace, owner, repo] = parts ?? []
  if (namespace !== undefined && owner !== undefined && repo !== undefined) return { namespace, owner, repo }
  throw new OffshootError(`expected namespace=owner/repository, such as team-a=acme/*, not ${JSON.stringify(text)}`)
}

/**
 * Whether a project may use the installation's App: it sees more than one team's repositories, so that whoever may
 * write a project must not thereby get at all of them.
 */
export function mayUseApp({ apiUrl, grants }: InstallationApp, { metadata, spec }: ReviewProject): boolean {
  const { url, forge } = spec.source
  if (forge.type !== 'github' || slashless(forge.apiUrl ?? deriveApiUrl(url)) !== slashless(apiUrl)) return false
  const [owner = '', repo = '', ...rest] = parseRepositoryUrl(url).path.split('/')
  const matches = (pattern: string, value: string) => pattern === '*' || pattern.toLowerCase() === value.toLowerCase()
  const granted = (grant: AppGrant) =>
    (grant.namespace === '*' || grant.namespace === metadata.namespace) &&
    matches(grant.owner, owner) &&
    matches(grant.repo, repo)
  return rest.length === 0 && grants.some(granted)
}

function slashless(url: string): string {
  return url.replace(/\/+$/, '').toLowerCase()
}
