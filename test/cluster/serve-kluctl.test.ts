import { afterAll, beforeAll, expect, it } from 'vitest'
import type { KubeObject } from '../../src/kube/types.ts'
import { adminKubeconfig, waitFor } from '../harness/cluster.ts'
import { aHouse, type House } from '../harness/house.ts'
import { type KluctlController, startKluctlController } from '../harness/kluctl-controller/controller.ts'
import { kluctlFiles } from '../harness/kluctl-project.ts'

let house: House
let kluctl: KluctlController

beforeAll(async () => {
  const kluctlDeployment = {
    project: { path: 'deploy' },
    target: 'preview',
    args: { environment: '{{ environment.name }}', namespace: '{{ environment.namespace }}' },
    interval: '5m',
  }
  house = await aHouse().withProject('shop', { files: kluctlFiles(), deploy: { kluctlDeployment } }).start()
  kluctl = await startKluctlController(adminKubeconfig(), { namespaces: [house.namespace] })
})

afterAll(async () => {
  await kluctl.stop()
  await house.stop()
})

it('deploys a pull request by a KluctlDeployment as its own account, and leaves nothing when it is merged', async () => {
  const pull = await house.repo().openPullRequest()
  const { status } = await house.environment(pull).toBeReady(pull.sha)
  const kind = { apiVersion: 'gitops.kluctl.io/v1beta1', kind: 'KluctlDeployment' }
  const { items } = await house.kube.list<KubeObject & { spec: Record<string, unknown> }>(kind, {
    namespace: house.namespace,
  })
  expect(items.map(({ spec }) => spec.serviceAccountName)).toEqual([status?.serviceAccount])
  expect(status?.discriminators).toHaveLength(1)

  const pushed = await house.repo().pushTo(pull.number, { 'README.md': 'more\n' })
  await house.environment(pull).toBeReady(pushed)

  await house.repo().merge(pull.number)
  await house.environment(pull).toBeGone({ deadline: 90_000 })
  expect((await house.kube.list(kind, { namespace: house.namespace })).items).toEqual([])
  expect(await house.environmentNamespaces()).toEqual([])
  const labelSelector = `offshoot.dev/project-namespace=${house.namespace}`
  const bindings = { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'RoleBinding' }
  expect((await house.kube.list(bindings, { labelSelector })).items).toEqual([])
})

it('leaves nothing when the projects’ whole namespace is deleted', async () => {
  const pull = await house.repo().openPullRequest()
  await house.environment(pull).toBeReady(pull.sha)
  const key = { apiVersion: 'v1', kind: 'Namespace', name: house.namespace }
  await house.kube.delete(key)
  const gone = async () =>
    (await house.kube.get(key)) === undefined && (await house.environmentNamespaces()).length === 0
  await waitFor(gone, {
    deadline: 100_000,
    describe: async () => {
      const left = [await house.kube.get(key), ...(await house.environments())]
      return `namespaces to be gone: ${JSON.stringify(left)}\n${house.offshoot.log.slice(-10).join('\n')}`
    },
  })
})
