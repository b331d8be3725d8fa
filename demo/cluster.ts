import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { KubeClient } from '../src/kube/client.ts'
import { startSandbox } from '../src/sandbox/index.ts'
import { startControlPlane } from '../test/harness/control-plane/control-plane.ts'
import { playNodes } from '../test/harness/nodes.ts'

/** The cluster that the demo runs on. */
export interface DemoCluster {
  /** Path of the administrator's kubeconfig. */
  adminKubeconfig: string
  /** What a person is told of it. */
  description: string
  /** Writes a kubeconfig for a ServiceAccount and gives its path. */
  kubeconfigFor(account: { namespace: string; name: string }): Promise<string>
  stop(): Promise<void>
}

/** Offshoot's own in-process API server: there in a moment, without rights and without programs to build. */
export async function sandboxCluster(): Promise<DemoCluster> {
  const folder = await mkdtemp(join(tmpdir(), 'offshoot-demo-sandbox-'))
  const sandbox = await startSandbox()
  const write = async (name: string, text: string) => {
    const path = join(folder, `${name}.kubeconfig`)
    await writeFile(path, text, { mode: 0o600 })
    return path
  }
  return {
    adminKubeconfig: await write('admin', sandbox.kubeconfig()),
    description: `${sandbox.url}: the sandbox, an API server in this process; no rights are checked, no containers run`,
    kubeconfigFor: ({ namespace, name }) =>
      write(`${namespace}.${name}`, sandbox.kubeconfig({ token: sandbox.tokenFor(namespace, name), namespace })),
    stop: async () => {
      await sandbox.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** A real control plane; it is built on the first run. */
export async function realCluster(signal: AbortSignal, log: (line: string) => void): Promise<DemoCluster> {
  const controlPlane = await startControlPlane({ signal, log })
  const kube = KubeClient.fromKubeconfig({ path: controlPlane.adminKubeconfig })
  const nodes = playNodes(kube)
  return {
    ...controlPlane,
    description: `${controlPlane.url}: etcd, kube-apiserver, kube-controller-manager; nodes are played, no containers run`,
    stop: async () => {
      await nodes[Symbol.asyncDispose]()
      await kube.close()
      await controlPlane.stop()
    },
  }
}
