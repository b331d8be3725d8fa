import { randomBytes } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { KubeClient } from '../../src/kube/client.ts'
import type { ControlPlane } from './control-plane/control-plane.ts'
import { kubeconfig } from './control-plane/kubeconfig.ts'

/** A control plane as stories use it: the one that all tests share, or one of a test's own. */
export interface TestCluster {
  /** A client of the cluster's administrator. */
  admin: KubeClient
  /** Path of the administrator's kubeconfig; other kubeconfigs are put beside it and end with it. */
  adminKubeconfig: string
  url: string
  /** PEM of the server's certificate authority. */
  ca: string
}

/** A control plane that a test has for itself, to be ended and started again. Close `admin` in the end. */
export function clusterOf({ adminKubeconfig, url, ca }: ControlPlane): TestCluster {
  return { admin: KubeClient.fromKubeconfig(adminKubeconfig), adminKubeconfig, url, ca }
}

/** Writes a kubeconfig for a ServiceAccount (a token of one hour) and gives its path; `url` may be a proxy's. */
export async function accountKubeconfigFile(
  cluster: TestCluster,
  account: { namespace: string; name: string },
  url = cluster.url,
): Promise<string> {
  const { namespace, name } = account
  const { token } = await cluster.admin.createToken(namespace, name)
  const path = join(dirname(cluster.adminKubeconfig), `${name}-${randomBytes(4).toString('hex')}.kubeconfig`)
  await writeFile(path, kubeconfig(url, cluster.ca, { token }, namespace), { mode: 0o600 })
  return path
}
