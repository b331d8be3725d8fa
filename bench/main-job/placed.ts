import { setTimeout } from 'node:timers/promises'
import type { ReviewEnvironment } from '../../src/api/index.ts'
import { prepareObjects, setDigest } from '../../src/backend/objects/prepare.ts'
import type { RenderedObject } from '../../src/environment/desired.ts'
import { KubeClient } from '../../src/kube/client.ts'
import { formatKey, type KubeObject, type ObjectKey } from '../../src/kube/types.ts'
import { timestamp } from '../../src/util/clock.ts'
import { parallel } from '../../src/util/parallel.ts'
import type { PullRequest } from '../../test/harness/forge/model.ts'
import { waitFor } from '../../test/harness/wait.ts'
import { plainObjects } from './objects.ts'
import type { Report } from './report.ts'
import type { World } from './world.ts'

const connections = 32
/** An object without a status counts as looked at by its controller only after this long, in milliseconds. */
const grace = 61_000

/**
 * Puts environments in place without the work of making them: copies of one that Offshoot made, with everything that
 * belongs to it, as it would be found after they were deployed. Offshoot is ended meanwhile, and is not started again.
 */
export async function place(world: World, report: Report, count: number): Promise<PullRequest[]> {
  const { house } = world
  const [first] = (await opened(world, 1)) as [PullRequest]
  await house.list('shop')
  const isReady = async () => (await environmentOf(world, first))?.status?.state === 'Ready'
  await waitFor(isReady, { deadline: 120_000, interval: 500, describe: 'the first environment to be ready' })
  await house.settled()
  const model = (await environmentOf(world, first)) as ReviewEnvironment
  await house.offshoot.stop()
  const pulls = [first]
  const kube = KubeClient.fromKubeconfig({ path: world.cluster.adminKubeconfig, connections })
  const copier = new Copier(world, kube, first, model)
  try {
    while (pulls.length < count) {
      const more = await opened(world, Math.min(1000, count - pulls.length))
      await parallel(more, connections, pull => copier.copy(pull))
      pulls.push(...more)
      report.say(`${pulls.length} of ${count} in place`)
    }
  } finally {
    await kube.close()
  }
  await setTimeout(grace)
  return pulls
}

/** Opens pull requests of which nobody is told. */
async function opened(world: World, count: number): Promise<PullRequest[]> {
  return (await world.open(count)).pulls
}

function environmentOf(world: World, pull: PullRequest): Promise<ReviewEnvironment | undefined> {
  return world.cluster.admin.get<ReviewEnvironment>(world.environmentOf(pull))
}

/** Makes everything of one environment anew for other pull requests. */
class Copier {
  readonly #world: World
  readonly #kube: KubeClient
  readonly #first: PullRequest
  readonly #model: ReviewEnvironment
  readonly #known = new Map<string, KubeObject>()

  constructor(world: World, kube: KubeClient, first: PullRequest, model: ReviewEnvironment) {
    this.#world = world
    this.#kube = kube
    this.#first = first
    this.#model = model
  }

  async copy(pull: PullRequest): Promise<void> {
    const { status, ...copy } = this.#renamed(this.#model, pull, '')
    const environment = await this.#kube.create<ReviewEnvironment>(copy)
    for (const key of this.#owned()) {
      await this.#kube.create(this.#renamed(await this.#found(key), pull, environment.metadata.uid ?? ''))
    }
    const namespace = this.#world.namespaceOf(pull)
    const manifests = plainObjects(namespace, pull.sha).slice(1) as RenderedObject[]
    const signal = AbortSignal.timeout(60_000)
    const prepared = await prepareObjects(manifests, environment, namespace, this.#kube, signal)
    for (const { object } of prepared) await this.#kube.create(object)
    // A namespace that is younger than what was deployed into it is another one.
    const times = { ...status?.times, applied: timestamp(Date.now()) }
    const change = status?.change && { ...status.change, createdAt: timestamp(Date.parse(pull.createdAt)) }
    const known = { ...status, change, times, appliedDigest: setDigest(prepared) }
    await this.#kube.replaceStatus<ReviewEnvironment>({ ...environment, status: known })
  }

  /** What the controller makes for the first environment, besides what is deployed. */
  #owned(): ObjectKey[] {
    const namespace = this.#world.namespaceOf(this.#first)
    const account = this.#model.status?.serviceAccount ?? ''
    return [
      { apiVersion: 'v1', kind: 'Namespace', name: namespace },
      { apiVersion: 'v1', kind: 'ServiceAccount', namespace: this.#world.house.namespace, name: account },
      { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'RoleBinding', namespace, name: 'offshoot-environment' },
    ]
  }

  async #found(key: ObjectKey): Promise<KubeObject> {
    const found = this.#known.get(key.kind) ?? (await this.#kube.get<KubeObject>(key))
    if (found === undefined) throw new Error(`${formatKey(key)} is not there`)
    this.#known.set(key.kind, found)
    return found
  }

  /** The object as it is for another pull request, without what the server gave it. */
  #renamed<T extends KubeObject>({ metadata, ...object }: T, pull: PullRequest, uid: string): T {
    const { name, namespace, labels, annotations, finalizers } = metadata
    const first = this.#first
    const text = JSON.stringify({ ...object, metadata: { name, namespace, labels, annotations, finalizers } })
      .replaceAll(new RegExp(`pr-${first.number}(?![0-9])`, 'g'), `pr-${pull.number}`)
      .replaceAll(new RegExp(`"(pullRequest|number)":${first.number}(?![0-9])`, 'g'), `"$1":${pull.number}`)
      .replaceAll(`/pull/${first.number}"`, `/pull/${pull.number}"`)
      .replaceAll(first.branch, pull.branch)
      .replaceAll(`#${first.number} `, `#${pull.number} `)
      .replaceAll(first.title, pull.title)
      .replaceAll(first.sha, pull.sha)
      .replaceAll(this.#model.metadata.uid ?? 'no uid', uid)
    return JSON.parse(text) as T
  }
}
