import type { AppCredential, Credential } from '../util/credential.ts'
import { OffshootError } from '../util/errors.ts'

/** A project's credential cannot be had. `reason` goes into its condition; worth a retry, since nobody watches Secrets. */
export class CredentialError extends OffshootError {
  override readonly name = 'CredentialError'
  readonly reason: 'SecretMissing' | 'SecretForbidden' | 'SecretInvalid' | 'SecretForeign'

  constructor(reason: CredentialError['reason'], message: string, options?: ErrorOptions) {
    super(message, options)
    this.reason = reason
  }
}

/**
 * The credential in a Secret's data; undefined when it holds none (it may hold a webhook's secret alone).
 * @param what names the Secret in messages
 * @throws CredentialError for keys that contradict each other
 */
export function credentialOf(data: Record<string, string>, what: string): Credential | undefined {
  const text = (key: string) => {
    const value = data[key]
    return value === undefined ? '' : Buffer.from(value, 'base64').toString('utf8')
  }
  const app = appOf(text, what)
  const fields = {
    // A file made with an editor ends in a line break, which no token has.
    token: text('token').trim(),
    username: text('username').trim(),
    password: text('password').replace(/\r?\n$/, ''),
    identity: text('identity'),
    knownHosts: text('known_hosts'),
  }
  const credential = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== ''))
  const { token, password, identity } = credential
  if (app !== undefined && (token ?? password ?? identity) !== undefined) {
    const message = `${what} has a GitHub App (appId) and another credential: keep one of token, password, identity, appId`
    throw new CredentialError('SecretInvalid', message)
  }
  if (app !== undefined) return { app }
  return Object.keys(credential).length === 0 ? undefined : credential
}

function appOf(text: (key: string) => string, what: string): AppCredential | undefined {
  const [id, privateKey, installationId] = ['appId', 'privateKey', 'installationId'].map(key => text(key).trim())
  if (!id && !privateKey && !installationId) return undefined
  const invalid = (message: string) => new CredentialError('SecretInvalid', `${what}: ${message}`)
  if (!id || !privateKey) throw invalid('a GitHub App needs both keys appId and privateKey')
  if (!/^[A-Za-z0-9._-]{1,64}$/.test(id)) throw invalid('appId: expected the ID or client ID of a GitHub App')
  if (!privateKey.startsWith('-----BEGIN ')) throw invalid('privateKey: expected a key in PEM form')
  if (installationId && !/^[0-9]{1,15}$/.test(installationId)) throw invalid('installationId: expected a number')
  return { id, privateKey, ...(installationId ? { installationId } : {}) }
}
