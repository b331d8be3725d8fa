import { EngineError } from '../../errors.ts'
import type { FoundSecret, SecretQuery } from '../remote.ts'
import type { RemoteHost } from './direct.ts'
import { optional } from './optional.ts'

type GcpQuery = Extract<SecretQuery, { store: 'gcpSecretManager' }>

const nameForm = /^projects\/[^/?#]+\/(?:locations\/([a-z0-9-]+)\/)?secrets\/[^/?#]+\/versions\/[^/?#]+$/

/**
 * A version of a secret of Google Secret Manager, by its REST interface with Application Default Credentials.
 * `CLOUDSDK_API_ENDPOINT_OVERRIDES_SECRETMANAGER`, a variable of Google's tools, names another endpoint.
 * @throws EngineError
 */
export async function gcpSecret(host: RemoteHost, query: GcpQuery, signal: AbortSignal): Promise<FoundSecret> {
  const { secretName } = query
  const parts = nameForm.exec(secretName)
  if (parts === null) {
    throw new EngineError(`expected a secret as projects/*/secrets/*/versions/*, got ${JSON.stringify(secretName)}`)
  }
  const regional = parts[1] === undefined ? '' : `.${parts[1]}.rep`
  const endpoint =
    host.environment.CLOUDSDK_API_ENDPOINT_OVERRIDES_SECRETMANAGER ?? `https://secretmanager${regional}.googleapis.com`
  const answer = await googleRequest(`${endpoint.replace(/\/$/, '')}/v1/${secretName}:access`, undefined, signal)
  if (answer.status === 404) return { missing: `secret not found: ${secretName}: ${googleError(answer.data)}` }
  const data = (answer.data as { payload?: { data?: unknown } } | undefined)?.payload?.data
  if (answer.status !== 200 || typeof data !== 'string') {
    throw new EngineError(`failed to access secret version ${secretName}: ${googleError(answer.data)}`)
  }
  return { text: Buffer.from(data, 'base64').toString('utf8') }
}

/** A request to a Google API (POST when there is a body) with Application Default Credentials. @throws EngineError */
export async function googleRequest(
  url: string,
  body: unknown,
  signal: AbortSignal,
): Promise<{ status: number; data: unknown }> {
  const { GoogleAuth } = await optional('google-auth-library', () => import('google-auth-library'))
  // Without a project the library would ask another API for its own.
  const projectId = /\/projects\/([^/]+)/.exec(url)?.[1] ?? ''
  const auth = new GoogleAuth({ projectId, scopes: ['https://www.googleapis.com/auth/cloud-platform'] })
  try {
    const answer = await auth.request<unknown>({
      url,
      method: body === undefined ? 'GET' : 'POST',
      ...(body === undefined ? {} : { data: body }),
      signal,
      validateStatus: () => true,
      timeout: 60_000,
    })
    return { status: answer.status, data: answer.data }
  } catch (error) {
    signal.throwIfAborted()
    throw new EngineError('no access to Google Cloud', { cause: error })
  }
}

/** The message of Google's error body. */
export function googleError(data: unknown): string {
  const message = (data as { error?: { message?: unknown } } | undefined)?.error?.message
  return typeof message === 'string' ? message : 'an answer that could not be read'
}
