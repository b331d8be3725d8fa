import type { KubeClient } from '../../../src/kube/client.ts'
import type { KubeObject } from '../../../src/kube/types.ts'

/** An entry of `spec.credentials.git`. */
export interface GitCredentialEntry {
  host: string
  path?: string
  secretRef: { name: string }
}

/**
 * Value of an `Authorization` header for a repository, by the first entry that matches, as kluctl 2.28 does it
 * (`lib/git/auth/list_auth_provider.go`): the host is the same, the path is compared in small letters and without
 * `.git`, and a `*` host counts for SSH only. Globs are left out.
 */
export async function gitAuthorization(
  kube: KubeClient,
  namespace: string,
  url: string,
  entries: readonly GitCredentialEntry[] = [],
): Promise<string | undefined> {
  const { host, pathname } = new URL(url)
  const path = pathname
    .toLowerCase()
    .replace(/^\//, '')
    .replace(/\.git$/, '')
  const entry = entries.find(each => each.host === host && (each.path ?? path) === path)
  if (entry === undefined) return undefined
  const key = { apiVersion: 'v1', kind: 'Secret', namespace, name: entry.secretRef.name }
  const secret = await kube.get<KubeObject & { data?: Record<string, string> }>(key)
  if (secret === undefined) throw new Error(`secret ${namespace}/${key.name} not found`)
  const text = (name: string) => Buffer.from(secret.data?.[name] ?? '', 'base64').toString('utf8')
  return `Basic ${Buffer.from(`${text('username')}:${text('password')}`).toString('base64')}`
}
