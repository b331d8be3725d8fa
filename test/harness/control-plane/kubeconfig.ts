import { stringify } from 'yaml'
import type { KeyPair } from './certificates.ts'

/** A kubeconfig with one cluster, one user and one context. `ca` is PEM; the user has a certificate or a token. */
export function kubeconfig(url: string, ca: string, user: KeyPair | { token: string }, namespace?: string): string {
  const base64 = (text: string) => Buffer.from(text).toString('base64')
  const credentials =
    'token' in user
      ? user
      : { 'client-certificate-data': base64(user.certificate), 'client-key-data': base64(user.key) }
  return stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'default',
    clusters: [{ name: 'default', cluster: { server: url, 'certificate-authority-data': base64(ca) } }],
    users: [{ name: 'default', user: credentials }],
    contexts: [
      { name: 'default', context: { cluster: 'default', user: 'default', ...(namespace ? { namespace } : {}) } },
    ],
  })
}
