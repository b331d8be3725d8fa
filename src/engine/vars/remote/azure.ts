import { EngineError } from '../../errors.ts'
import { parseHttpUrl } from '../../http.ts'
import type { FoundSecret, SecretQuery } from '../remote.ts'
import type { RemoteHost } from './direct.ts'
import { optional } from './optional.ts'

type AzureQuery = Extract<SecretQuery, { store: 'azureKeyVault' }>

/** The newest version of a secret of Azure Key Vault, with the SDK's default credential. @throws EngineError */
export async function azureSecret(host: RemoteHost, query: AzureQuery, signal: AbortSignal): Promise<FoundSecret> {
  const { secretName } = query
  const vaultUri = parseHttpUrl(query.vaultUri).href
  if (!host.policy.allowsUrl(vaultUri)) throw new EngineError(`${vaultUri} is not allowed here`)
  const [identity, keyVault] = await optional('@azure/keyvault-secrets', () =>
    Promise.all([import('@azure/identity'), import('@azure/keyvault-secrets')]),
  )
  const client = new keyVault.SecretClient(vaultUri, new identity.DefaultAzureCredential())
  try {
    const { value } = await client.getSecret(secretName, { abortSignal: signal })
    if (value) return { text: value }
  } catch (error) {
    signal.throwIfAborted()
    if ((error as { statusCode?: unknown }).statusCode !== 404) {
      throw new EngineError(`failed to get the secret ${secretName} of ${vaultUri}`, { cause: error })
    }
  }
  return { missing: `the specified azure-key-vault secret was not found: ${secretName} of ${vaultUri}` }
}
