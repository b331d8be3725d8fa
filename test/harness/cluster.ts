import { randomBytes } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { inject } from 'vitest'
import { KubeClient } from '../../src/kube/client.ts'
import type { KubeObject } from '../../src/kube/types.ts'
import { kubeconfig } from './control-plane/kubeconfig.ts'
import type { TestCluster } from './test-cluster.ts'

import { waitFor } from './wait.ts'

export { type WaitOptions, waitFor } from './wait.ts'

let admin: KubeClient | undefined

/** A client of the cluster's administrator; one per test file. */
export function adminClient(): KubeClient {
  admin ??= KubeClient.fromKubeconfig(adminKubeconfig())
  return admin
}

/** Path of the administrator's kubeconfig. */
export function adminKubeconfig(): string {
  return inject('kubeconfig')
}

/** The control plane that all tests share. */
export function sharedCluster(): TestCluster {
  return { admin: adminClient(), adminKubeconfig: adminKubeconfig(), ...inject('apiServer') }
}

/** A name that nobody else has: `prefix-` and eight hex digits. */
export function uniqueName(prefix: string): string {
  return `${prefix}-${randomBytes(4).toString('hex')}`
}

/** Creates a namespace of its own for a test; it is left to the end of the control plane, deleting takes seconds. */
export async function uniqueNamespace(prefix = 'test', labels: Record<string, string> = {}): Promise<string> {
  const name = uniqueName(prefix)
  await adminClient().create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } })
  return name
}

/** The kubeconfig (text) of a ServiceAccount, with a token of one hour. */
export async function serviceAccountKubeconfig(namespace: string, name: string): Promise<string> {
  const { url, ca } = inject('apiServer')
  const { token } = await adminClient().createToken(namespace, name)
  return kubeconfig(url, ca, { token }, namespace)
}

/** As {@link serviceAccountKubeconfig}, written to a file that ends with the control plane; gives its path. */
export async function serviceAccountKubeconfigFile(namespace: string, name: string): Promise<string> {
  const path = join(dirname(adminKubeconfig()), `${uniqueName(name)}.kubeconfig`)
  await writeFile(path, await serviceAccountKubeconfig(namespace, name), { mode: 0o600 })
  return path
}

/** A client with a ServiceAccount's own token. */
export async function serviceAccountClient(namespace: string, name: string): Promise<KubeClient> {
  return KubeClient.fromKubeconfig({ text: await serviceAccountKubeconfig(namespace, name) })
}

/** Creates a ServiceAccount and gives it rules in its namespace, or everywhere with `cluster: true`. */
export async function createServiceAccount(
  namespace: string,
  name: string,
  rules: { apiGroups: string[]; resources: string[]; verbs: string[]; resourceNames?: string[] }[],
  options: { cluster?: boolean } = {},
): Promise<void> {
  const client = adminClient()
  const apiVersion = 'rbac.authorization.k8s.io/v1'
  const prefix = options.cluster ? 'Cluster' : ''
  const metadata = options.cluster ? { name: `${namespace}-${name}` } : { name, namespace }
  const objects: KubeObject[] = [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, namespace } },
    { apiVersion, kind: `${prefix}Role`, metadata, rules },
    {
      apiVersion,
      kind: `${prefix}RoleBinding`,
      metadata,
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: `${prefix}Role`, name: metadata.name },
      subjects: [{ kind: 'ServiceAccount', name, namespace }],
    },
  ]
  for (const object of objects) await client.create(object)
  // The API server goes by them only when its own watch has told it.
  const user = `system:serviceaccount:${namespace}:${name}`
  const last = rules.at(-1)
  if (last === undefined) return
  const [group = '', resource = '', verb = ''] = [last.apiGroups[0], last.resources[0], last.verbs[0]]
  const resourceAttributes = { namespace, group, resource, verb, name: last.resourceNames?.[0] }
  const review = { apiVersion: 'authorization.k8s.io/v1', kind: 'SubjectAccessReview', metadata: {} }
  const isAllowed = async () => {
    const spec = { user, groups: ['system:serviceaccounts', 'system:authenticated'], resourceAttributes }
    const { status } = await client.create<KubeObject>({ ...review, spec })
    return (status as { allowed?: boolean } | undefined)?.allowed === true
  }
  await waitFor(isAllowed, { describe: `the rights of ${user} to hold` })
}
