import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { KubeClient } from '../../../src/kube/client.ts'
import { startControlPlane } from './control-plane.ts'
import { installCrds } from './crds.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** Path of the admin's kubeconfig. */
    kubeconfig: string
    /** URL and CA (PEM) of the API server. */
    apiServer: { url: string; ca: string }
  }
}

const root = join(import.meta.dirname, '..', '..', '..')

/** One control plane per test run, with our CRDs and those of the tools we deploy through. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const controlPlane = await startControlPlane({ log: line => process.stderr.write(`${line}\n`) })
  try {
    const client = KubeClient.fromKubeconfig(controlPlane.adminKubeconfig)
    await installCrds(client, [join(root, 'config', 'crd'), join(root, 'test', 'fixtures', 'crds')])
    await client.close()
  } catch (error) {
    await controlPlane.stop()
    throw error
  }
  project.provide('kubeconfig', controlPlane.adminKubeconfig)
  project.provide('apiServer', { url: controlPlane.url, ca: controlPlane.ca })
  return () => controlPlane.stop()
}
