import { messageOf } from '../../../util/errors.ts'
import { EngineError } from '../../errors.ts'
import { awsCredentials, regionOfArn } from '../../vars/remote/aws.ts'
import type { RemoteHost } from '../../vars/remote/direct.ts'
import { googleError, googleRequest } from '../../vars/remote/gcp.ts'
import { optional } from '../../vars/remote/optional.ts'
import { vaultRequest } from '../../vars/remote/vault.ts'
import type { KeyGroup } from '../metadata.ts'

type KmsKey = KeyGroup['kms'][number]
type GcpKey = KeyGroup['gcp_kms'][number]
type AzureKey = KeyGroup['azure_kv'][number]
type VaultKey = KeyGroup['hc_vault'][number]

/** Opens a data key with AWS KMS, as the key's role or profile where it names one. @throws EngineError */
export async function openKms(key: KmsKey, host: RemoteHost, signal: AbortSignal): Promise<Uint8Array> {
  const region = regionOfArn(key.arn)
  if (region === undefined) throw new EngineError(`expected the ARN of a key, got ${JSON.stringify(key.arn)}`)
  const aws = await optional('@aws-sdk/client-kms', () => import('@aws-sdk/client-kms'))
  let credentials = await awsCredentials(host, key.aws_profile, undefined, signal)
  if (key.role !== '') {
    const providers = await optional('@aws-sdk/credential-providers', () => import('@aws-sdk/credential-providers'))
    credentials = providers.fromTemporaryCredentials({
      ...(credentials === undefined ? {} : { masterCredentials: credentials }),
      params: { RoleArn: key.role, RoleSessionName: 'offshoot' },
      clientConfig: { region },
    })
  }
  const client = new aws.KMSClient({ region, ...(credentials === undefined ? {} : { credentials }) })
  const command = new aws.DecryptCommand({
    KeyId: key.arn,
    CiphertextBlob: Buffer.from(key.enc, 'base64'),
    ...(key.context ? { EncryptionContext: key.context } : {}),
  })
  try {
    return required((await client.send(command, { abortSignal: signal })).Plaintext)
  } finally {
    client.destroy()
  }
}

/**
 * Opens a data key with Google Cloud KMS. `CLOUDSDK_API_ENDPOINT_OVERRIDES_CLOUDKMS`, a variable of Google's tools,
 * names another endpoint. @throws EngineError
 */
export async function openGcpKms(key: GcpKey, host: RemoteHost, signal: AbortSignal): Promise<Uint8Array> {
  if (!/^projects(?:\/[^/?#]+)+$/.test(key.resource_id)) throw new EngineError('expected projects/*/locations/*/…')
  const endpoint = host.environment.CLOUDSDK_API_ENDPOINT_OVERRIDES_CLOUDKMS ?? 'https://cloudkms.googleapis.com'
  const url = `${endpoint.replace(/\/$/, '')}/v1/${key.resource_id}:decrypt`
  const answer = await googleRequest(url, { ciphertext: key.enc }, signal)
  const plaintext = (answer.data as { plaintext?: unknown } | undefined)?.plaintext
  if (answer.status !== 200 || typeof plaintext !== 'string') throw new EngineError(googleError(answer.data))
  return Buffer.from(plaintext, 'base64')
}

/** Opens a data key with a key of Azure Key Vault (RSA-OAEP-256). @throws EngineError */
export async function openAzure(key: AzureKey, host: RemoteHost, signal: AbortSignal): Promise<Uint8Array> {
  if (!host.policy.allowsUrl(key.vault_url)) throw new EngineError(`${key.vault_url} is not allowed here`)
  const [identity, keyVault] = await optional('@azure/keyvault-keys', () =>
    Promise.all([import('@azure/identity'), import('@azure/keyvault-keys')]),
  )
  const id = `${key.vault_url.replace(/\/*$/, '')}/keys/${key.name}/${key.version}`
  const client = new keyVault.CryptographyClient(id, new identity.DefaultAzureCredential())
  const ciphertext = Buffer.from(key.enc, 'base64url')
  const opened = await client.decrypt({ algorithm: 'RSA-OAEP-256', ciphertext }, { abortSignal: signal })
  return opened.result
}

/** Opens a data key with Vault's transit engine. @throws EngineError */
export async function openVault(key: VaultKey, host: RemoteHost, signal: AbortSignal): Promise<Uint8Array> {
  const path = `${key.engine_path}/decrypt/${key.key_name}`
  const answer = await vaultRequest(host, key.vault_address, path, { ciphertext: key.enc }, signal)
  const plaintext = (answer?.data as { plaintext?: unknown } | undefined)?.plaintext
  if (typeof plaintext !== 'string') throw new EngineError('Vault gave no plaintext')
  return Buffer.from(plaintext, 'base64')
}

function required(bytes: Uint8Array | undefined): Uint8Array {
  if (bytes === undefined) throw new EngineError('AWS KMS gave no plaintext')
  return bytes
}

/** The words of a failure, without what the SDKs append of requests. */
export function wordsOf(error: unknown): string {
  return messageOf(error).split('\n')[0] ?? ''
}
