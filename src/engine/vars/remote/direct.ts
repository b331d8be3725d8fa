import type { EngineHost } from '../../host.ts'
import { exchange } from '../../http.ts'
import type { FoundSecret, RemoteAccess, RemoteHttpRequest, SecretQuery } from '../remote.ts'
import { awsSecret } from './aws.ts'
import { azureSecret } from './azure.ts'
import { findObjects } from './cluster.ts'
import { gcpSecret } from './gcp.ts'
import { vaultSecret } from './vault.ts'

const maxBytes = 16 * 1024 * 1024
const deadline = 60_000

/** What of the host the sources use that ask the network. */
export type RemoteHost = Pick<EngineHost, 'environment' | 'cluster' | 'policy' | 'progress' | 'clock'>

/** Asks the network from this process, within the host's policy. */
export function directAccess(host: RemoteHost): RemoteAccess {
  return {
    http: (request, signal) => http(host, request, signal),
    objects: (query, signal) => findObjects(host.cluster, query, signal),
    secret: (query, signal) => secret(host, query, AbortSignal.any([signal, AbortSignal.timeout(deadline)])),
  }
}

async function http(
  host: RemoteHost,
  request: RemoteHttpRequest,
  signal: AbortSignal,
): Promise<{ status: number; text: string }> {
  const allowsUrl = (url: string) => host.policy.allowsUrl(url)
  const answer = await exchange({ ...request, maxBytes, deadline, signal, allowsUrl })
  return { status: answer.status, text: answer.body.toString('utf8') }
}

async function secret(host: RemoteHost, query: SecretQuery, signal: AbortSignal): Promise<FoundSecret> {
  switch (query.store) {
    case 'awsSecretsManager':
      return await awsSecret(host, query, signal)
    case 'gcpSecretManager':
      return await gcpSecret(host, query, signal)
    case 'azureKeyVault':
      return await azureSecret(host, query, signal)
    case 'vault':
      return await vaultSecret(host, query, signal)
  }
}
