import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { KluctlController } from './kluctl-controller/controller.ts'
import { freePorts } from './ports.ts'
import type { TestCluster } from './test-cluster.ts'

/** Path of a kluctl binary, when the stories are to run against the real controller too. */
export const kluctlBinary: string | undefined = process.env.OFFSHOOT_KLUCTL || undefined

const maxLines = 2_000

/** Runs `kluctl controller run` as the cluster's administrator, as it is installed, for one namespace. */
export async function startKluctlBinary(
  binary: string,
  cluster: TestCluster,
  namespace: string,
): Promise<KluctlController> {
  await createResultsNamespace(cluster)
  const [health = 0, metrics = 0, overrides = 0] = await freePorts(3)
  const folder = await mkdtemp(join(tmpdir(), 'offshoot-kluctl-binary-'))
  const flags = [
    `--kubeconfig=${cluster.adminKubeconfig}`,
    `--namespace=${namespace}`,
    `--controller-namespace=${namespace}`,
    `--health-probe-bind-address=127.0.0.1:${health}`,
    `--metrics-bind-address=127.0.0.1:${metrics}`,
    `--source-override-bind-address=127.0.0.1:${overrides}`,
    '--concurrency=8',
  ]
  // Caches and the Python that it unpacks go into a folder of its own; the user's files are not its business.
  const env = { PATH: process.env.PATH, HOME: folder, TMPDIR: folder, KUBECONFIG: cluster.adminKubeconfig }
  const child = spawn(binary, ['controller', 'run', ...flags], { env, cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] })
  const errors: string[] = []
  const keep = (text: string) => {
    errors.push(...text.split('\n').filter(line => /error/i.test(line)))
    if (errors.length > maxLines) errors.splice(0, errors.length - maxLines)
  }
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', keep)
  await once(child, 'spawn')
  const orphan = () => child.kill('SIGKILL')
  process.once('exit', orphan)
  return {
    errors,
    async stop() {
      process.off('exit', orphan)
      if (child.exitCode === null && child.signalCode === null) {
        child.kill('SIGKILL')
        await once(child, 'exit')
      }
      await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
    },
  }
}

/** Where the controller keeps its results; without it nothing is deployed. */
async function createResultsNamespace({ admin }: TestCluster): Promise<void> {
  const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'kluctl-results' } }
  await admin.apply(namespace, { fieldManager: 'offshoot-tests', force: true })
}
