import { mkdir, mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { KubeClient } from '../../../src/kube/client.ts'
import { systemClock } from '../../../src/util/clock.ts'
import { messageOf, OffshootError } from '../../../src/util/errors.ts'
import { freePorts } from '../ports.ts'
import { type Layout, programArguments } from './arguments.ts'
import { createCertificates } from './certificates.ts'
import { kubeconfig } from './kubeconfig.ts'
import { ProcessGroup } from './processes.ts'
import { findPrograms } from './programs.ts'

/** A running etcd, kube-apiserver and kube-controller-manager on 127.0.0.1. */
export interface ControlPlane {
  /** Path of a kubeconfig whose user is in system:masters. */
  adminKubeconfig: string
  url: string
  /** PEM of the server's certificate authority. */
  ca: string
  /** Writes a kubeconfig for a ServiceAccount (TokenRequest, one hour) and gives its path. */
  kubeconfigFor(account: { namespace: string; name: string }): Promise<string>
  /** Ends everything and removes its folder. */
  stop(): Promise<void>
  /** Kills the API server (no goodbye to its clients) and leaves it dead. */
  killApiServer(): Promise<void>
  /** Ends the API server if it runs, starts it again on the same port and waits until it is ready. */
  restartApiServer(): Promise<void>
}

/** How a control plane is started. */
export interface ControlPlaneOptions {
  signal?: AbortSignal
  /** Told about slow steps, such as building the programs. */
  log?: (line: string) => void
}

/** Seconds are usual; a machine that builds something else at the same time needs patience. */
const startDeadline = 120_000

/**
 * Starts a control plane in a temporary folder. It ends with `stop`, or when this process ends for any reason.
 * @throws OffshootError with the end of the failing program's log
 */
export async function startControlPlane(options: ControlPlaneOptions = {}): Promise<ControlPlane> {
  const programs = await findPrograms(options)
  const folder = await mkdtemp(join(tmpdir(), 'offshoot-control-plane-'))
  const processes = new ProcessGroup(folder)
  try {
    return await start(programs, folder, processes, options.signal)
  } catch (error) {
    await processes.close()
    throw error
  }
}

async function start(
  programs: string,
  folder: string,
  processes: ProcessGroup,
  signal: AbortSignal | undefined,
): Promise<ControlPlane> {
  const [etcd = 0, etcdPeer = 0, apiServer = 0, controllerManager = 0] = await freePorts(4)
  const layout: Layout = { folder, ports: { etcd, etcdPeer, apiServer, controllerManager } }
  const url = `https://127.0.0.1:${apiServer}`
  const { ca } = await writeCredentials(folder, url)
  const args = programArguments(layout)
  const run = (name: keyof typeof args) => processes.start(name, join(programs, name), args[name])
  run('etcd')
  run('kube-apiserver')
  const adminKubeconfig = join(folder, 'admin.kubeconfig')
  const admin = KubeClient.fromKubeconfig(adminKubeconfig)
  const apiServerReady = () =>
    until(async () => (await admin.raw('/readyz', { timeout: 2_000 })) === 'ok', 'kube-apiserver', processes, signal)
  await apiServerReady()
  run('kube-controller-manager')
  const account = { apiVersion: 'v1', kind: 'ServiceAccount', namespace: 'default', name: 'default' }
  await until(async () => (await admin.get(account)) !== undefined, 'kube-controller-manager', processes, signal)

  return {
    adminKubeconfig,
    url,
    ca,
    kubeconfigFor: async ({ namespace, name }) => {
      const { token } = await admin.createToken(namespace, name)
      const path = join(folder, `${namespace}.${name}.kubeconfig`)
      await writeFile(path, kubeconfig(url, ca, { token }, namespace), { mode: 0o600 })
      return path
    },
    stop: async () => {
      await admin.close()
      await processes.close()
    },
    killApiServer: () => processes.end('kube-apiserver', 0),
    restartApiServer: async () => {
      await processes.end('kube-apiserver', 2_000)
      run('kube-apiserver')
      await apiServerReady()
    },
  }
}

async function writeCredentials(folder: string, url: string): Promise<{ ca: string }> {
  const { ca, server, admin, controllerManager, serviceAccounts } = await createCertificates()
  await mkdir(join(folder, 'volume-plugins'))
  const files = {
    'ca.crt': ca.certificate,
    'ca.key': ca.key,
    'server.crt': server.certificate,
    'server.key': server.key,
    'service-accounts.key': serviceAccounts.privateKey,
    'service-accounts.pub': serviceAccounts.publicKey,
    'admin.kubeconfig': kubeconfig(url, ca.certificate, admin, 'default'),
    'controller-manager.kubeconfig': kubeconfig(url, ca.certificate, controllerManager),
  }
  await Promise.all(Object.entries(files).map(([name, text]) => writeFile(join(folder, name), text, { mode: 0o600 })))
  return { ca: ca.certificate }
}

async function until(
  check: () => Promise<boolean>,
  name: string,
  processes: ProcessGroup,
  signal: AbortSignal | undefined,
): Promise<void> {
  const deadline = Date.now() + startDeadline
  let last: unknown = 'not ready'
  while (Date.now() < deadline) {
    for (const needed of new Set(['etcd', 'kube-apiserver', name])) {
      if (!processes.isRunning(needed)) throw new OffshootError(`${needed} ended:\n${processes.tail(needed)}`)
    }
    try {
      if (await check()) return
    } catch (error) {
      last = error
    }
    await systemClock.sleep(100, signal)
  }
  throw new OffshootError(
    `${name} was not ready in ${startDeadline / 1000} s: ${messageOf(last)}\n${processes.tail(name)}`,
  )
}
