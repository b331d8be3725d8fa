import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { findCondition } from '../../src/api/index.ts'
import { kluctlDeploymentName } from '../../src/environment/names.ts'
import { World } from '../controller/world.ts'
import { adminKubeconfig, waitFor } from '../harness/cluster.ts'
import { type KluctlController, startKluctlController } from '../harness/kluctl-controller/controller.ts'
import { kluctlFiles } from '../harness/kluctl-project.ts'

const clusterIdBinding = (world: World, name: string) => ({
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'RoleBinding',
  namespace: 'kube-system',
  name: `offshoot:${world.namespace}:${name}`,
})

describe('the path through a KluctlDeployment', () => {
  const world = new World()
  let kluctl: KluctlController
  beforeAll(async () => {
    const files = Object.fromEntries(Object.entries(kluctlFiles()).filter(([, text]) => text !== null))
    const args = {
      environment: '{{ environment.name }}',
      namespace: '{{ environment.namespace }}',
      version: '{{ change.sha }}',
    }
    const deploy = { kluctlDeployment: { project: { path: 'deploy' }, target: 'preview', args } }
    await world.start({ deploy }, { files })
    kluctl = await startKluctlController(adminKubeconfig(), { namespaces: [world.namespace] })
  })
  afterAll(async () => {
    await kluctl.stop()
    await world.stop()
  })

  test('opens, is deployed, follows a push, and leaves nothing anywhere', async () => {
    const pull = await world.repo.openPullRequest({ branch: 'feature' })
    const change = { pullRequest: pull.number }
    world.hear(change)
    const { metadata, status } = await world.ready(change, pull.sha)
    const namespace = status?.namespace ?? ''
    const config = { apiVersion: 'v1', kind: 'ConfigMap', namespace, name: 'config' }
    expect(await world.admin.get(config)).toMatchObject({ data: { version: pull.sha } })
    expect(status).toMatchObject({ target: 'preview', args: { namespace }, discriminators: [expect.any(String)] })
    expect(await world.admin.get(clusterIdBinding(world, metadata.name))).toBeDefined()

    const sha = await world.repo.pushTo(pull.number, { 'a.txt': '1' })
    world.hear(change)
    await world.ready(change, sha)
    expect(await world.admin.get(config)).toMatchObject({ data: { version: sha } })

    await world.repo.close(pull.number)
    world.hear(change)
    await world.gone(change)
    const kind = { apiVersion: 'gitops.kluctl.io/v1beta1', kind: 'KluctlDeployment', namespace: world.namespace }
    for (const key of [
      { apiVersion: 'v1', kind: 'Namespace', name: namespace },
      { ...kind, name: kluctlDeploymentName(metadata.name) },
      { apiVersion: 'v1', kind: 'ServiceAccount', namespace: world.namespace, name: status?.serviceAccount ?? '' },
      clusterIdBinding(world, metadata.name),
    ]) {
      expect(await world.admin.get(key), key.kind).toBeUndefined()
    }
  })

  test('says what is wrong with a trusted Kluctl project elsewhere, and that it is right again', async () => {
    const stalled = async () => findCondition((await world.project())?.status?.conditions, 'Stalled')
    const elsewhere = (target: string) => ({
      kluctlDeployment: { project: { path: 'deploy', url: world.repo.url, ref: { branch: 'main' } }, target },
    })
    await world.editProject({ deploy: elsewhere('previw') })
    const told = await waitFor(stalled, { describe: 'the project to be Invalid', deadline: 60_000 })
    expect(told).toMatchObject({ status: 'True', reason: 'Invalid' })
    expect(told.message).toMatch(/^spec\.deploy\.kluctlDeployment\.target: .*\(known are preview\)/)
    await world.editProject({ deploy: elsewhere('preview') })
    await waitFor(async () => (await stalled()) === undefined, {
      describe: 'the project to be right',
      deadline: 60_000,
    })
  })
})
