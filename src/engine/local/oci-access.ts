import type { FetchedTree, OciAccess } from '../host.ts'
import { overrideFor, type RepositoryOverride } from './git-access.ts'

/** OCI artifacts, with local folders in place of those that are overridden. */
export function overriddenOci(oci: OciAccess, overrides: readonly RepositoryOverride[]): OciAccess {
  return {
    async pull(url, ref, signal): Promise<FetchedTree> {
      const folder = await overrideFor(url, overrides)
      return folder === undefined ? oci.pull(url, ref, signal) : { folder, revision: 'local' }
    },
  }
}
