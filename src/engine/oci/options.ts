import type { Clock } from '../../util/clock.ts'
import type { Policy } from '../host.ts'
import type { RegistryCredential } from './login.ts'

/** What pulling and pushing artifacts needs. */
export interface OciOptions {
  /** What flags and variables say of a registry; what `docker login` stored is found besides. */
  credential(url: string): RegistryCredential | undefined
  /** Configuration files of `docker login`, the first that knows the host counts. */
  readonly configFiles: readonly string[]
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly policy: Pick<Policy, 'allowsUrl'>
  readonly cacheFolder: string
  readonly clock: Clock
}
