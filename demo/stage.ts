import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import type { Io } from '../src/cli/io.ts'
import { run } from '../src/cli/program.ts'
import { KubeClient } from '../src/kube/client.ts'
import { systemClock } from '../src/util/clock.ts'
import { OffshootError } from '../src/util/errors.ts'
import { type FakeForge, startFakeForge } from '../test/harness/forge/forge.ts'
import { startOffshoot, type TestOffshoot } from '../test/harness/offshoot.ts'
import { type DemoCluster, realCluster, sandboxCluster } from './cluster.ts'
import { repositoryFiles, repositoryName } from './shop.ts'

/** Namespaces of the demo; those of a plain `offshoot install`. */
export const projectNamespace = 'offshoot'
const controllerNamespace = 'offshoot-system'

/** Everything that the demo starts, in the order in which it is started; `clear` ends it in reverse. */
export class Stage {
  readonly #signal: AbortSignal
  readonly #say: (line: string) => void
  readonly #real: boolean
  readonly #ends: (() => Promise<void>)[] = []
  #cluster: DemoCluster | undefined
  #forge: FakeForge | undefined
  #offshoot: TestOffshoot | undefined
  #kube: KubeClient | undefined

  /**
   * @param real run on a control plane instead of the sandbox
   * @param say is told about slow steps, such as building the control plane for the first time
   */
  constructor(signal: AbortSignal, real: boolean, say: (line: string) => void) {
    this.#signal = signal
    this.#real = real
    this.#say = say
  }

  get cluster(): DemoCluster {
    return there(this.#cluster)
  }

  get forge(): FakeForge {
    return there(this.#forge)
  }

  /** The administrator's client. */
  get kube(): KubeClient {
    return there(this.#kube)
  }

  /** What Offshoot logged; empty before it runs. */
  get log(): readonly string[] {
    return this.#offshoot?.log ?? []
  }

  async startCluster(): Promise<string> {
    const cluster = await (this.#real ? realCluster(this.#signal, this.#say) : sandboxCluster())
    this.#cluster = cluster
    this.#ends.push(() => cluster.stop())
    const kube = KubeClient.fromKubeconfig(cluster.adminKubeconfig)
    this.#kube = kube
    this.#ends.push(() => kube.close())
    return cluster.description
  }

  async startForge(): Promise<string> {
    const forge = await startFakeForge()
    this.#forge = forge
    this.#ends.push(() => forge.close())
    await forge.createRepository(repositoryName, { files: repositoryFiles() })
    return `${forge.origin}/${repositoryName}: GitHub’s API, webhooks and a real Git repository`
  }

  /** CRDs and rights, as an administrator installs them. */
  async install(): Promise<string> {
    const { adminKubeconfig } = this.cluster
    const written: string[] = []
    const stream = { write: (text: string) => written.push(text) }
    const io: Io = {
      stdin: Readable.from([]),
      stdout: stream,
      stderr: stream,
      env: {},
      clock: systemClock,
      signal: this.#signal,
    }
    const code = await run(['install', '--apply', '--kubeconfig', adminKubeconfig], io)
    if (code !== 0) throw new OffshootError(`offshoot install failed: ${written.join('')}`)
    return `${written.length} objects: two CRDs, least privilege, no wildcards`
  }

  /** `offshoot serve` as a process of its own, under its restricted account. */
  async startOffshoot(): Promise<string> {
    const account = { namespace: controllerNamespace, name: 'offshoot' }
    const kubeconfig = await this.cluster.kubeconfigFor(account)
    const offshoot = await startOffshoot({
      kubeconfig,
      namespace: controllerNamespace,
      watchNamespaces: [],
      mode: 'childProcess',
      leaderElection: true,
    })
    this.#offshoot = offshoot
    this.#ends.push(() => offshoot.stop())
    return `${offshoot.url}, as system:serviceaccount:${account.namespace}:${account.name}`
  }

  /** Sends the repository's events to the project's own path. */
  hook(project: string, secret: string): void {
    this.forge
      .repo(repositoryName)
      .hook(`${there(this.#offshoot).url}/webhooks/github/${projectNamespace}/${project}`, secret)
  }

  /** Keeps the log where a person can read it, and gives the file. */
  async saveLog(): Promise<string> {
    const folder = await mkdtemp(join(tmpdir(), 'offshoot-demo-'))
    const file = join(folder, 'offshoot.log')
    await writeFile(file, `${this.log.join('\n')}\n`)
    return file
  }

  /** An empty folder that goes with the stage. */
  async folder(): Promise<string> {
    const folder = await mkdtemp(join(tmpdir(), 'offshoot-demo-'))
    this.#ends.push(() => rm(folder, { recursive: true, force: true }))
    return folder
  }

  /** Ends everything that was started. */
  async clear(): Promise<void> {
    for (const end of this.#ends.splice(0).reverse()) {
      try {
        await end()
      } catch (error) {
        // The rest has to end all the same.
        this.#say(`cannot end a part of the demo: ${String(error)}`)
      }
    }
  }
}

function there<T>(part: T | undefined): T {
  if (part === undefined) throw new OffshootError('this part of the demo is not started yet')
  return part
}
