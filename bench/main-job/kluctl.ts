import { accountName, kluctlDeploymentName } from '../../src/environment/names.ts'
import type { ObjectKey } from '../../src/kube/types.ts'
import { aHouse, type House } from '../../test/harness/house.ts'
import { kluctlBackends, type StoryBackend } from '../../test/harness/story-backends.ts'
import { type Report, spread } from './report.ts'
import { added, deleted } from './sightings.ts'
import { silent, type World } from './world.ts'

/** Milliseconds of one pull request's life. */
interface Life {
  written: number
  deployed: number
  ready: number
  gone: number
}

const rbac = 'rbac.authorization.k8s.io/v1'

/**
 * The same by KluctlDeployments, one at a time: until the last object that Offshoot writes, until what kluctl deploys is
 * there, until the status says ready; and from a close until everything is gone. The kluctl controller is the stand-in
 * of the tests, or the real one too when OFFSHOOT_KLUCTL names a binary.
 */
export async function byKluctl(world: World, report: Report, rounds: number): Promise<void> {
  for (const backend of kluctlBackends) {
    await using house = await aHouse()
      .onCluster(world.cluster)
      .deployingBy(backend)
      .withOffshoot({ mode: 'childProcess', leaderElection: true, settings: { logLevel: 'info' } })
      .withProject('shop', backend.project(silent))
      .start()
    await house.settled()
    const lives: Life[] = []
    for (let round = -1; round < rounds; round++) {
      const life = await live(house, backend, world)
      if (round >= 0) lives.push(life)
    }
    for (const step of ['written', 'deployed', 'ready', 'gone'] as const) {
      const what = `${backend.title}: ${step === 'gone' ? 'close → everything gone' : `webhook → ${step}`}, one at a time`
      report.add({ what, values: spread(lives.map(life => life[step])) })
    }
  }
}

async function live(house: House, _backend: StoryBackend, { seen }: World): Promise<Life> {
  const { deliveries } = house.forge
  deliveries.hold()
  const pull = await house.repo().openPullRequest()
  const environment = house.environment(pull)
  const namespace = `${house.name}-shop-pr-${pull.number}`
  const inProjects = { namespace: house.namespace }
  const frame: ObjectKey[] = [
    { apiVersion: 'v1', kind: 'Namespace', name: namespace },
    { apiVersion: 'v1', kind: 'ServiceAccount', ...inProjects, name: accountName(environment.name) },
    { apiVersion: rbac, kind: 'RoleBinding', namespace, name: 'offshoot-environment' },
    {
      apiVersion: 'gitops.kluctl.io/v1beta1',
      kind: 'KluctlDeployment',
      ...inProjects,
      name: kluctlDeploymentName(environment.name),
    },
  ]
  const config: ObjectKey = { apiVersion: 'v1', kind: 'ConfigMap', namespace, name: 'config' }
  const own: ObjectKey = {
    apiVersion: 'offshoot.dev/v1alpha1',
    kind: 'ReviewEnvironment',
    ...inProjects,
    name: environment.name,
  }
  const opened = performance.now()
  void deliveries.release()
  const [written, deployed] = await Promise.all([seen.last(frame.map(added)), seen.last([added(config)])])
  await environment.toBeReady(pull.sha, { interval: 5 })
  const ready = performance.now()
  await house.repo().close(pull.number)
  const gone = await seen.last([...frame, config, own].map(deleted))
  return { written: written - opened, deployed: deployed - opened, ready: ready - opened, gone: gone - ready }
}
