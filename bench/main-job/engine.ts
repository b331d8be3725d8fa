import { fileURLToPath } from 'node:url'
import { bundle } from '../../src/cli/bundle.ts'
import { isReady } from '../../src/cli/env-progress.ts'
import type { KubeClient } from '../../src/kube/client.ts'
import { Informer } from '../../src/kube/informer.ts'
import type { KubeObject } from '../../src/kube/types.ts'
import { systemClock } from '../../src/util/clock.ts'
import { silentLogger } from '../../src/util/log.ts'
import type { Files } from '../../test/harness/forge/bare-repository.ts'
import { aHouse, type House } from '../../test/harness/house.ts'
import { playNodes } from '../../test/harness/nodes.ts'
import { engine } from '../../test/harness/story-backends.ts'
import { shaAnnotation } from './objects.ts'
import { type Report, spread } from './report.ts'
import { at } from './sightings.ts'
import { silent, type World } from './world.ts'

/** Milliseconds of one pull request's life. */
interface Life {
  written: number
  /** From when its pods were ready until the status says so. */
  ready: number
}

const objects = [
  { apiVersion: 'v1', kind: 'ConfigMap', name: 'config' },
  { apiVersion: 'v1', kind: 'Service', name: 'web' },
  { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' },
]

/**
 * Webhook → the three objects of a Kluctl project applied by the engine, from a real Git repository, one at a time; and
 * how long after its pods an environment is seen ready. Offshoot runs as it is built for users.
 */
export async function byEngine(world: World, report: Report, rounds: number): Promise<void> {
  const dist = fileURLToPath(new URL('../../dist', import.meta.url))
  await bundle(dist)
  await using _nodes = playNodes(world.cluster.admin)
  await using pods = new ReadyPods(world.cluster.admin)
  await using house = await aHouse()
    .onCluster(world.cluster)
    .withOffshoot({
      mode: 'childProcess',
      program: `${dist}/cli/main.js`,
      leaderElection: true,
      settings: { logLevel: 'info' },
    })
    .withProject('shop', engine.project({ ...silent, files }))
    .start()
  await house.settled()
  const lives: Life[] = []
  // The first is not counted: connections and discovery are made in it.
  for (let round = -1; round < rounds; round++) {
    const life = await live(house, world, pods)
    if (round >= 0) lives.push(life)
  }
  const written = spread(lives.map(life => life.written))
  report.add({
    what: 'engine: webhook → 3 objects applied, one at a time',
    values: { ...written },
    goal: 'p50 < 1 s',
    met: written.p50_ms < 1000,
  })
  const ready = spread(lives.map(life => life.ready))
  report.add({
    what: 'engine: pods ready → seen, one at a time',
    values: { ...ready },
    goal: 'p99 < 1 s',
    met: ready.p99_ms < 1000,
  })
}

async function live(house: House, { seen }: World, pods: ReadyPods): Promise<Life> {
  const { deliveries } = house.forge
  deliveries.hold()
  const pull = await house.repo().openPullRequest()
  const environment = house.environment(pull)
  const namespace = `${house.name}-shop-pr-${pull.number}`
  const opened = performance.now()
  void deliveries.release()
  const written = await seen.last(objects.map(({ name, ...kind }) => at(pull.sha, { ...kind, namespace, name })))
  await environment.toMatch(found => isReady(found), 'ready', { interval: 5 })
  const ready = performance.now() - pods.readyAt(namespace)
  await house.repo().close(pull.number)
  await environment.toBeGone()
  return { written: written - opened, ready }
}

/** Notes when the last Pod of a namespace got ready. */
class ReadyPods implements AsyncDisposable {
  readonly #at = new Map<string, number>()
  readonly #informer: Informer<KubeObject>

  constructor(kube: KubeClient) {
    const options = { clock: systemClock, log: silentLogger, random: Math.random }
    this.#informer = new Informer<KubeObject>(kube, { apiVersion: 'v1', kind: 'Pod', ...options })
    const note = ({ metadata, status }: KubeObject) => {
      const conditions = (status as { conditions?: { type: string; status: string }[] } | undefined)?.conditions
      const isReadyPod = conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'True')
      const key = `${metadata.namespace}/${metadata.name}`
      if (isReadyPod === true && !this.#at.has(key)) this.#at.set(key, performance.now())
    }
    this.#informer.addHandler({ onAdd: note, onUpdate: note })
    this.#informer.start()
  }

  readyAt(namespace: string): number {
    const times = [...this.#at].filter(([key]) => key.startsWith(`${namespace}/`)).map(([, time]) => time)
    return Math.max(...times)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#informer.close()
  }
}

const head = (kind: string, apiVersion: string, name: string) =>
  `apiVersion: ${apiVersion}
kind: ${kind}
metadata:
  name: ${name}
  namespace: "{{ args.namespace }}"
  annotations:
    ${shaAnnotation}: "{{ args.version }}"
`

const files: Files = {
  'deploy/app/config.yaml': `${head('ConfigMap', 'v1', 'config')}data:
  version: "{{ args.version }}"
`,
  'deploy/app/service.yaml': `${head('Service', 'v1', 'web')}spec:
  selector: {app: web}
  ports: [{port: 80}]
`,
  'deploy/app/deployment.yaml': `${head('Deployment', 'apps/v1', 'web')}spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers: [{name: web, image: registry.example.com/web}]
`,
}
