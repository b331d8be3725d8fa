import type { Clock } from '../../util/clock.ts'
import { RefusedError } from '../errors.ts'
import { parseReference, Registry, withStoredLogin } from '../oci/index.ts'
import { type ChartCredential, registryConfigFiles } from './credentials.ts'

/** What asking a registry needs. */
export interface TagOptions {
  readonly credential: (url: string) => ChartCredential | undefined
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly allowsUrl: (url: string) => boolean
  readonly clock: Clock
}

/** All tags of a chart's repository in a registry. @throws EngineError with the registry's answer */
export async function registryTags(url: string, options: TagOptions, signal: AbortSignal): Promise<string[]> {
  const { environment, allowsUrl, clock } = options
  if (!allowsUrl(url)) throw new RefusedError(`${url} may not be asked for`)
  const { host, repository } = parseReference(url)
  const files = registryConfigFiles(environment)
  const credential = await withStoredLogin(options.credential(url), host, files, environment, signal)
  await using registry = await Registry.open({ host, repository, credential, allowsUrl, clock })
  return await registry.tags(signal)
}
