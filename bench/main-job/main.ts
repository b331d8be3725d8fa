// From a webhook to every object of an environment written, and from a close to everything gone: BENCH_ROUNDS times
// (default 20), one after the other, per backend, on a real control plane and under the controller's own rights. The
// kluctl controller is the stand-in of the tests, or the real one when OFFSHOOT_KLUCTL names a binary.
import { mkdirSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { accountName, kluctlDeploymentName } from '../../src/environment/names.ts'
import { startControlPlane } from '../../test/harness/control-plane/control-plane.ts'
import { installCrds } from '../../test/harness/control-plane/crds.ts'
import { aHouse, type House } from '../../test/harness/house.ts'
import { backends, type StoryBackend } from '../../test/harness/story-backends.ts'
import { clusterOf, type TestCluster } from '../../test/harness/test-cluster.ts'
import { Sightings } from './sightings.ts'

/** Milliseconds of one pull request's life. */
interface Round {
  /** Webhook sent → the last object that Offshoot writes: account, rights, and what the backend is given. */
  written: number
  /** Webhook sent → what is deployed is there. */
  deployed: number
  /** Webhook sent → the status says ready. */
  ready: number
  /** Close sent → what was deployed is gone. */
  undeployed: number
  /** Close sent → namespace, account, rights and environment are gone. */
  gone: number
}

const root = join(import.meta.dirname, '..', '..')
const rounds = Number(process.env.BENCH_ROUNDS ?? 20)
const rbac = 'rbac.authorization.k8s.io/v1'

async function measure(house: House, backend: StoryBackend, seen: Sightings): Promise<Round> {
  const { deliveries } = house.forge
  deliveries.hold()
  const pull = await house.repo().openPullRequest()
  const environment = house.environment(pull)
  const namespace = `${house.name}-shop-pr-${pull.number}`
  const inProjects = { namespace: house.namespace }
  const frame = [
    { apiVersion: 'v1', kind: 'Namespace', name: namespace },
    { apiVersion: 'v1', kind: 'ServiceAccount', ...inProjects, name: accountName(environment.name) },
    { apiVersion: rbac, kind: 'RoleBinding', namespace, name: 'offshoot-environment' },
  ]
  const given = {
    apiVersion: 'gitops.kluctl.io/v1beta1',
    kind: 'KluctlDeployment',
    ...inProjects,
    name: kluctlDeploymentName(environment.name),
  }
  const config = { apiVersion: 'v1', kind: 'ConfigMap', namespace, name: 'config' }
  const own = { apiVersion: 'offshoot.dev/v1alpha1', kind: 'ReviewEnvironment', ...inProjects, name: environment.name }
  const written = backend.kluctl ? [...frame, given] : [...frame, config]

  const opened = performance.now()
  void deliveries.release()
  const [lastWritten, lastDeployed] = await Promise.all([seen.last(written, 'added'), seen.last([config], 'added')])
  await environment.toBeReady(pull.sha, { interval: 5 })
  const ready = performance.now()

  const closed = performance.now()
  await house.repo().close(pull.number)
  const [undeployed, gone] = await Promise.all([
    seen.last([config], 'deleted'),
    seen.last([...frame, ...(backend.kluctl ? [given] : []), own], 'deleted'),
  ])
  return {
    written: lastWritten - opened,
    deployed: lastDeployed - opened,
    ready: ready - opened,
    undeployed: undeployed - closed,
    gone: gone - closed,
  }
}

async function run(backend: StoryBackend, cluster: TestCluster, seen: Sightings): Promise<Round[]> {
  // The comments and statuses of 20 lives are more than GitHub takes in a minute: without them nothing waits.
  const project = backend.project({ feedback: { comment: false, status: false } })
  await using house = await aHouse().onCluster(cluster).deployingBy(backend).withProject('shop', project).start()
  await house.settled()
  const results: Round[] = []
  // The first life is not counted: discovery and connections are made in it.
  for (let round = 0; round <= rounds; round++) {
    const result = await measure(house, backend, seen)
    if (round > 0) results.push(result)
    process.stderr.write('.')
  }
  process.stderr.write('\n')
  return results
}

/** The value below which this share of the others is (nearest rank). */
function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return Math.round(sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN)
}

const steps = ['written', 'deployed', 'ready', 'undeployed', 'gone'] as const
const controlPlane = await startControlPlane({ log: line => process.stderr.write(`${line}\n`) })
const cluster = clusterOf(controlPlane)
const seen = new Sightings(cluster.admin)
const results: Record<string, Record<string, { median: number; p99: number; values: number[] }>> = {}
try {
  await installCrds(cluster.admin, [join(root, 'config', 'crd'), join(root, 'test', 'fixtures', 'crds')])
  await seen.start()
  for (const backend of backends) {
    process.stderr.write(`${backend.title} `)
    const all = await run(backend, cluster, seen)
    results[backend.title] = Object.fromEntries(
      steps.map(step => {
        const values = all.map(round => Math.round(round[step]))
        return [step, { median: quantile(values, 0.5), p99: quantile(values, 0.99), values }]
      }),
    )
  }
} finally {
  await seen.close()
  await cluster.admin.close()
  await controlPlane.stop()
}

const line = (cells: readonly string[]) =>
  `${cells.map((cell, index) => (index === 0 ? cell.padEnd(28) : cell.padStart(20))).join('')}\n`
process.stdout.write(line([`milliseconds, ${rounds} rounds`, ...steps]))
for (const [backend, result] of Object.entries(results)) {
  const cells = steps.map(step => `${result[step]?.median} / ${result[step]?.p99}`)
  process.stdout.write(line([`${backend} (median/p99)`, ...cells]))
}
const file = join(root, 'bench', 'results', 'main-job.json')
mkdirSync(join(root, 'bench', 'results'), { recursive: true })
const machine = { cpus: cpus().length, model: cpus()[0]?.model ?? 'unknown', node: process.version }
writeFileSync(file, `${JSON.stringify({ rounds, machine, results }, undefined, 2)}\n`)
process.stdout.write('numbers: bench/results/main-job.json\n')
