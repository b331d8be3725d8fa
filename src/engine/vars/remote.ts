import type { Json, JsonObject } from '../values.ts'
import type { AwsConfig } from './source.ts'

/** A request of the `http` source. */
export interface RemoteHttpRequest {
  readonly url: string
  readonly method?: string | undefined
  readonly headers?: Readonly<Record<string, string>> | undefined
  readonly body?: string | undefined
}

/** Which objects of the target's cluster; `name` or `labels` is set. */
export interface ObjectQuery {
  readonly kind: string
  readonly apiVersion?: string | undefined
  readonly namespace: string
  readonly name?: string | undefined
  readonly labels?: Readonly<Record<string, string>> | undefined
}

/** Names a secret in a secret store. */
export type SecretQuery =
  | {
      readonly store: 'awsSecretsManager'
      readonly secretName: string
      readonly region?: string | undefined
      readonly profile?: string | undefined
      readonly aws?: AwsConfig | undefined
    }
  | { readonly store: 'gcpSecretManager'; readonly secretName: string }
  | { readonly store: 'azureKeyVault'; readonly vaultUri: string; readonly secretName: string }
  | { readonly store: 'vault'; readonly address: string; readonly path: string }

/** What a secret store knows: the secret's text, or the error that says that there is no such secret. */
export type FoundSecret = { readonly text: string } | { readonly missing: string }

/**
 * What variable sources fetch over the network. Questions and answers are plain data, so that a worker without
 * network can have them answered by the process that started it.
 */
export interface RemoteAccess {
  /** An answer of any status, after redirects. @throws EngineError, RefusedError */
  http(request: RemoteHttpRequest, signal: AbortSignal): Promise<{ status: number; text: string }>
  /** Sorted by namespace and name; empty when there are none. @throws EngineError offline */
  objects(query: ObjectQuery, signal: AbortSignal): Promise<JsonObject[]>
  /** @throws EngineError */
  secret(query: SecretQuery, signal: AbortSignal): Promise<FoundSecret>
}

/** A JSON value without prototypes, made of one that a client parsed. */
export function plain(value: unknown): Json {
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || value === null) return (value ?? null) as Json
  const copy = Object.create(null) as JsonObject
  for (const [key, inner] of Object.entries(value)) if (inner !== undefined) copy[key] = plain(inner)
  return copy
}
