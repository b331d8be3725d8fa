import { randomBytes } from 'node:crypto'
import { dirname, join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { apiVersion } from '../../src/api/index.ts'
import { bundle } from '../../src/cli/bundle.ts'
import { environmentObjectName } from '../../src/environment/names.ts'
import type { ObjectKey } from '../../src/kube/types.ts'
import { parallel } from '../../src/util/parallel.ts'
import { startControlPlane } from '../../test/harness/control-plane/control-plane.ts'
import { installCrds } from '../../test/harness/control-plane/crds.ts'
import type { Delivery } from '../../test/harness/forge/deliveries.ts'
import type { PullRequest } from '../../test/harness/forge/model.ts'
import { aHouse, type House } from '../../test/harness/house.ts'
import { clusterOf, type TestCluster } from '../../test/harness/test-cluster.ts'
import { kluctlRights, manifests } from './objects.ts'
import { Sightings } from './sightings.ts'
import { Usage } from './usage.ts'

/** Deliveries under way at a time, when many are sent at once. */
const deliveriesAtATime = 32

/** A control plane, a forge and an Offshoot of its own process, with one project. */
export class World {
  readonly cluster: TestCluster
  readonly seen: Sightings
  readonly house: House
  readonly usage: Usage

  constructor(cluster: TestCluster, seen: Sightings, house: House) {
    this.cluster = cluster
    this.seen = seen
    this.house = house
    this.usage = new Usage(house.offshoot.metricsUrl, dirname(cluster.adminKubeconfig))
  }

  get repo() {
    return this.house.repo('shop')
  }

  /** Namespace of a pull request's environment. */
  namespaceOf({ number }: { number: number }): string {
    return `${this.house.name}-shop-pr-${number}`
  }

  /** The ReviewEnvironment of a pull request. */
  environmentOf({ number }: { number: number }): ObjectKey {
    const name = environmentObjectName('shop', { pullRequest: number })
    return { apiVersion, kind: 'ReviewEnvironment', namespace: this.house.namespace, name }
  }

  /** Opens pull requests at the forge and gives them with the deliveries that tell of it, which are not sent yet. */
  async open(count: number): Promise<{ pulls: PullRequest[]; deliveries: Delivery[] }> {
    const { deliveries } = this.house.forge
    deliveries.hold()
    const pulls = await this.repo.openPullRequests(Array.from({ length: count }, () => ({})))
    return { pulls, deliveries: await this.#taken() }
  }

  /** Gives a pull request a new commit and the delivery that tells of it. (No object is read from Git in here.) */
  async push(pull: PullRequest): Promise<Delivery> {
    this.house.forge.deliveries.hold()
    const before = pull.sha
    pull.sha = randomBytes(20).toString('hex')
    this.repo.events.pullRequest('synchronize', pull, this.repo.branches.get(pull.base), { before, after: pull.sha })
    const [delivery] = await this.#taken()
    if (delivery === undefined) throw new Error('a push was not told')
    return delivery
  }

  /** Closes pull requests at the forge; gives the deliveries that tell of it. */
  async close(pulls: readonly PullRequest[]): Promise<Delivery[]> {
    this.house.forge.deliveries.hold()
    for (const { number } of pulls) await this.repo.close(number)
    return this.#taken()
  }

  /** Sends deliveries, many at a time; GitHub would send one that is not answered 2xx again only by hand. */
  async send(deliveries: readonly Delivery[]): Promise<void> {
    await parallel(deliveries, deliveriesAtATime, delivery => this.house.forge.deliveries.redeliver(delivery))
    const lost = deliveries.filter(({ statuses }) => statuses.at(-1) !== 202)
    if (lost.length > 0) throw new Error(`${lost.length} deliveries were not taken: ${lost[0]?.statuses.join()}`)
  }

  /** Sends deliveries at a steady pace, whatever the answers; gives when each was sent. */
  async stream(deliveries: readonly Delivery[], milliseconds: number): Promise<number[]> {
    const began = performance.now()
    const sent: number[] = []
    const answers: Promise<void>[] = []
    for (const [index, delivery] of deliveries.entries()) {
      const wait = began + index * milliseconds - performance.now()
      if (wait > 0) await setTimeout(wait)
      sent.push(performance.now())
      answers.push(this.house.forge.deliveries.redeliver(delivery))
    }
    await Promise.all(answers)
    return sent
  }

  /** Only what tells of pull requests: a repository's hook need not tell of pushes. */
  async #taken(): Promise<Delivery[]> {
    let held: Delivery[] = []
    await this.house.forge.deliveries.release(all => {
      held = all.filter(({ event }) => event === 'pull_request')
      return []
    })
    return held
  }
}

/** Builds a world, does the work in it, and ends everything. */
export async function inWorld(log: (line: string) => void, work: (world: World) => Promise<void>): Promise<void> {
  const root = join(import.meta.dirname, '..', '..')
  // Offshoot runs as it is built for users.
  await bundle(join(root, 'dist'))
  const controlPlane = await startControlPlane({ log })
  const cluster = clusterOf(controlPlane)
  const seen = new Sightings(cluster.admin)
  try {
    await installCrds(cluster.admin, [join(root, 'config', 'crd'), join(root, 'test', 'fixtures', 'crds')])
    await cluster.admin.create(kluctlRights)
    await seen.start()
    await using house = await startHouse(cluster, join(root, 'dist', 'cli', 'main.js'))
    await house.settled()
    await work(new World(cluster, seen, house))
  } finally {
    await seen.close()
    await cluster.admin.close()
    await controlPlane.stop()
  }
}

/** Comments and statuses of 1,000 changes are more than GitHub takes in a minute, so none are sent. */
export const silent = { feedback: { comment: false, status: false }, environment: { limit: 50_000 } }

async function startHouse(cluster: TestCluster, program: string): Promise<House> {
  const house = await aHouse()
    .onCluster(cluster)
    .withOffshoot({ mode: 'childProcess', program, leaderElection: true, settings: { logLevel: 'info' } })
    .withProject('shop', { ...silent, deploy: { objects: { manifests } } })
    .start()
  Object.assign(house.forge.rateLimit, { limit: 1_000_000, remaining: 1_000_000 })
  return house
}
