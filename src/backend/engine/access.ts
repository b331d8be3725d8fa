import type { Tools } from '../../engine/binaries/index.ts'
import { ChartPuller } from '../../engine/helm/index.ts'
import type { Policy } from '../../engine/host.ts'
import { silentProgress } from '../../engine/host.ts'
import { StoredGitAccess } from '../../engine/local/git-access.ts'
import { OciArtifacts } from '../../engine/oci/index.ts'
import { directAccess } from '../../engine/vars/remote/direct.ts'
import type { SourceName } from '../../engine/vars/source.ts'
import type { UntrustedAccess } from '../../engine/worker/index.ts'
import type { DesiredEngine } from '../../environment/desired.ts'
import type { GitStore } from '../../git/index.ts'
import type { KubeClient } from '../../kube/client.ts'
import type { Clock } from '../../util/clock.ts'
import type { Credential } from '../../util/credential.ts'
import { InvalidInputError } from '../../util/errors.ts'
import { parseRepositoryUrl } from '../../util/repository-url.ts'

/** Sources that reach no further than the project and what `allow.urls` names. */
const always: readonly SourceName[] = ['values', 'file', 'git', 'gitFiles']

/** What an untrusted project's access is made of. */
export interface AccessOptions {
  readonly git: GitStore
  readonly tools: Tools
  readonly cacheFolder: string
  readonly clock: Clock
}

/** What the controller does for one run of an untrusted project; disposing removes what was fetched. */
export interface ProjectAccess extends AsyncDisposable {
  readonly access: UntrustedAccess
}

/**
 * Access within what the ReviewProject allows: its own repository with its own credential, addresses that begin with
 * one of `allow.urls` without any, the cluster as the environment's account.
 */
export function projectAccess(
  { git: store, tools, cacheFolder, clock }: AccessOptions,
  { source, allow }: DesiredEngine,
  credential: Credential | undefined,
  kube: KubeClient,
): ProjectAccess {
  const policy = policyOf(source.url, allow)
  const git = new StoredGitAccess({
    store,
    overrides: [],
    credential: url => Promise.resolve(isRepository(url, source.url) ? credential : undefined),
  })
  // Nothing of the controller's own surroundings is a project's: no variables, no logins.
  const environment = {}
  const allowsUrl = (url: string) => policy.allowsUrl(url)
  const common = { credential: () => undefined, environment, cacheFolder, clock }
  const oci = new OciArtifacts({ ...common, configFiles: [], policy })
  const charts = new ChartPuller({ ...common, tools, git, allowsUrl })
  const remote = directAccess({ environment, cluster: kube, policy, progress: silentProgress, clock })
  return {
    access: { policy, git, oci, remote, charts },
    async [Symbol.asyncDispose]() {
      await Promise.all([git[Symbol.asyncDispose](), oci[Symbol.asyncDispose]()])
    },
  }
}

function policyOf(own: string, { vars, urls }: DesiredEngine['allow']): Policy {
  return {
    sources: new Set([...always, ...(vars as SourceName[])]),
    allowsUrl: url => isRepository(url, own) || urls.some(prefix => beginsWith(url, prefix)),
    outsideLinks: false,
  }
}

/** Whether two addresses are of one repository by one protocol: a password that goes by HTTPS never goes by HTTP. */
function isRepository(url: string, own: string): boolean {
  try {
    const [a, b] = [parseRepositoryUrl(url), parseRepositoryUrl(own)]
    return a.protocol === b.protocol && a.host === b.host && a.path === b.path
  } catch (error) {
    // An address of something else.
    if (error instanceof InvalidInputError) return false
    throw error
  }
}

/** Whether an address is below a prefix: of the same scheme and host, and no path that climbs out again. */
function beginsWith(url: string, prefix: string): boolean {
  if (!URL.canParse(url) || !URL.canParse(prefix)) return url.startsWith(prefix) && !url.includes('..')
  const [asked, allowed] = [new URL(url), new URL(prefix)]
  if (asked.protocol !== allowed.protocol || asked.host !== allowed.host) return false
  const base = allowed.pathname.replace(/\/$/, '')
  return asked.pathname === base || asked.pathname.startsWith(`${base}/`) || asked.pathname.startsWith(allowed.pathname)
}
