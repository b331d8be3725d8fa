import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { KubeClient } from '../../src/kube/client.ts'
import { KubeError } from '../../src/kube/errors.ts'
import { Informer } from '../../src/kube/informer.ts'
import { type KubeObject, keyOf } from '../../src/kube/types.ts'
import { systemClock } from '../../src/util/clock.ts'
import { silentLogger } from '../../src/util/log.ts'
import { accountKubeconfigFile, type TestCluster } from './test-cluster.ts'
import { waitFor } from './wait.ts'

const main = join(import.meta.dirname, '../../src/cli/main.ts')
/** Keeps a pod until its program has ended, as a kubelet does. */
const finalizer = 'test.offshoot.dev/program'

interface Pod extends KubeObject {
  spec: {
    serviceAccountName: string
    containers: { args: string[]; env?: { name: string; value: string }[]; volumeMounts: Mount[] }[]
    volumes: { name: string; secret?: { secretName: string } }[]
  }
  status?: { phase?: string }
}
interface Mount {
  name: string
  mountPath: string
}

/** Nodes that run the pods of Jobs. */
export interface JobNodes extends AsyncDisposable {
  /** Whether pods begin; while they do not, they wait as for an image. */
  begin: boolean
  /** What the programs have written, in order. */
  readonly log: string[]
}

/**
 * Plays the nodes for the Jobs of one namespace: each pod's command of Offshoot's image is run as a child process of
 * this one, as the pod's account and with its Secrets, and its end goes into the pod's status.
 */
export function playJobNodes(cluster: TestCluster, namespace: string): JobNodes {
  const kube = cluster.admin
  const options = { apiVersion: 'v1', kind: 'Pod', namespace, clock: systemClock, log: silentLogger }
  const informer = new Informer<Pod>(kube, { ...options, random: Math.random })
  const working = new Map<string, Promise<void>>()
  const closing = new AbortController()
  const nodes = { begin: true, log: [] as string[] }
  const play = (pod: Pod) => {
    const { uid = '', deletionTimestamp, ownerReferences } = pod.metadata
    const isJobs = ownerReferences?.some(({ kind }) => kind === 'Job') ?? false
    if (!isJobs || deletionTimestamp !== undefined || working.has(uid)) return
    const isGone = () => informer.get(namespace, pod.metadata.name ?? '')?.metadata.deletionTimestamp !== undefined
    const isEnd = () => closing.signal.aborted || informer.get(namespace, pod.metadata.name ?? '') === undefined
    working.set(
      uid,
      waitFor(() => nodes.begin || isGone() || isEnd(), { deadline: 300_000 }).then(async () => {
        if (!isGone() && !isEnd()) await runPod({ cluster, pod, log: nodes.log, stopped: () => isGone() || isEnd() })
      }),
    )
  }
  informer.addHandler({ onAdd: play, onUpdate: play })
  informer.start()
  return Object.assign(nodes, {
    async [Symbol.asyncDispose]() {
      closing.abort()
      await Promise.all(working.values())
      await informer.close()
    },
  })
}

interface Work {
  cluster: TestCluster
  pod: Pod
  log: string[]
  stopped: () => boolean
}

async function runPod({ cluster, pod, log, stopped }: Work): Promise<void> {
  const kube = cluster.admin
  const folder = await mkdtemp(join(tmpdir(), 'offshoot-pod-'))
  try {
    if (!(await patch(kube, pod, { metadata: { finalizers: [finalizer] } }))) return
    const state = { running: { startedAt: new Date().toISOString() } }
    await report(kube, pod, 'Running', state)
    const { code, message } = await runProgram({ cluster, pod, log, stopped }, folder)
    const at = new Date().toISOString()
    const terminated = { exitCode: code, reason: code === 0 ? 'Completed' : 'Error', message, finishedAt: at }
    await report(kube, pod, code === 0 ? 'Succeeded' : 'Failed', { terminated })
  } finally {
    await rm(folder, { recursive: true, force: true })
    await patch(kube, pod, { metadata: { '$deleteFromPrimitiveList/finalizers': [finalizer] } })
  }
}

async function runProgram({ cluster, pod, log, stopped }: Work, folder: string) {
  const [container] = pod.spec.containers
  if (container === undefined) throw new Error('a pod has a container')
  const paths = await mount(cluster.admin, pod, container.volumeMounts, folder)
  const outcome = join(folder, 'termination-log')
  const all = [...paths, ['/dev/termination-log', outcome] as const]
  const args = container.args.map(arg => {
    // Once: what stands for a path may hold another one.
    const [from, to] = all.find(([path]) => arg.includes(path)) ?? ['', '']
    return arg.replace(from, to)
  })
  const account = { namespace: pod.metadata.namespace ?? '', name: pod.spec.serviceAccountName }
  const KUBECONFIG = await accountKubeconfigFile(cluster, account)
  const { PATH } = process.env
  const child = spawn(process.execPath, [main, ...args], {
    // Nothing of the controller's surroundings.
    env: { PATH, KUBECONFIG, HOME: folder, TMPDIR: folder },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const orphan = () => child.kill('SIGKILL')
  process.once('exit', orphan)
  child.stderr.setEncoding('utf8').on('data', (text: string) => log.push(text))
  const ended = once(child, 'close')
  const watcher = setInterval(() => stopped() && child.kill('SIGTERM'), 100)
  const [code] = (await ended) as [number | null]
  clearInterval(watcher)
  process.off('exit', orphan)
  const message = await readFile(outcome, 'utf8').catch(() => '')
  return { code: code ?? 137, message: message.slice(0, 4096) }
}

/** Puts what is mounted into folders; gives what stands for which path. */
async function mount(kube: KubeClient, pod: Pod, mounts: Mount[], folder: string): Promise<[string, string][]> {
  const paths: [string, string][] = []
  for (const { name, mountPath } of mounts) {
    const at = join(folder, name)
    await mkdir(at)
    const secretName = pod.spec.volumes.find(volume => volume.name === name)?.secret?.secretName
    if (secretName !== undefined) {
      const key = { apiVersion: 'v1', kind: 'Secret', namespace: pod.metadata.namespace ?? '', name: secretName }
      const secret = await waitFor(() => kube.get<KubeObject & { data: Record<string, string> }>(key))
      for (const [file, data] of Object.entries(secret.data)) {
        await writeFile(join(at, file), Buffer.from(data, 'base64'))
      }
    }
    // The pod's own account goes by a kubeconfig.
    if (!mountPath.startsWith('/var/run/secrets/')) paths.push([mountPath, at])
  }
  return paths
}

function report(kube: KubeClient, pod: Pod, phase: string, state: Record<string, unknown>): Promise<boolean> {
  const conditions = [{ type: 'Ready', status: phase === 'Running' ? 'True' : 'False' }]
  const container = { name: 'offshoot', image: 'offshoot', imageID: '', ready: phase === 'Running', restartCount: 0 }
  const status = { phase, conditions, containerStatuses: [{ ...container, state }] }
  return patch(kube, pod, { status }, 'status')
}

/** False when the pod is gone. */
async function patch(kube: KubeClient, pod: Pod, change: object, subresource?: string): Promise<boolean> {
  try {
    await kube.patch(keyOf(pod), change, { type: 'strategic', ...(subresource ? { subresource } : {}) })
    return true
  } catch (error) {
    if (error instanceof KubeError && error.isNotFound) return false
    throw error
  }
}
