import { beforeAll, describe, expect, it } from 'vitest'
import type { KubeClient } from '../../src/kube/client.ts'
import { KubeError } from '../../src/kube/errors.ts'
import type { KubeObject } from '../../src/kube/types.ts'
import { adminClient, serviceAccountClient, uniqueName, uniqueNamespace, waitFor } from '../harness/cluster.ts'
import { installRights } from '../harness/installation.ts'

const name = uniqueName('jobs')
const projects = `${name}-projects`
const jobs = { apiVersion: 'batch/v1', kind: 'Job' }
const pods = { apiVersion: 'v1', kind: 'Pod' }
let foreign: string
let controller: KubeClient

function jobIn(namespace: string) {
  const containers = [{ name: 'offshoot', image: 'offshoot' }]
  return {
    ...jobs,
    metadata: { namespace, name: 'shop' },
    spec: { template: { spec: { restartPolicy: 'Never', containers } } },
  }
}

beforeAll(async () => {
  const controllerNamespace = `${name}-system`
  const allowedClusterRoles = ['offshoot-environment']
  await installRights(adminClient(), { name, controllerNamespace, projectNamespaces: [projects], allowedClusterRoles })
  foreign = await uniqueNamespace('foreign')
  controller = await serviceAccountClient(controllerNamespace, 'offshoot')
  await waitFor(() => controller.list(jobs, { namespace: projects }), { describe: 'the rights to hold' })
})

describe('the controller', () => {
  it('runs Jobs where projects are, and sees how they ended', async () => {
    const { metadata } = await controller.create<KubeObject>(jobIn(projects))
    expect(await controller.list(pods, { namespace: projects })).toBeDefined()
    const { uid = '' } = metadata
    await controller.delete({ ...jobs, namespace: projects, name: 'shop' }, { uid, propagation: 'Foreground' })
  })

  it.each<[string, () => Promise<unknown>]>([
    ['runs a Job in a namespace without projects', () => controller.create(jobIn(foreign))],
    ['runs a Pod of its own', () => controller.create(podIn(projects))],
    ['sees the Pods of others', () => controller.list(pods, { namespace: foreign })],
  ])('never %s', async (_what, attempt) => {
    const error = await attempt().then(
      () => undefined,
      (failure: unknown) => failure,
    )
    expect(error).toBeInstanceOf(KubeError)
    expect((error as KubeError).status).toBe(403)
  })
})

function podIn(namespace: string): KubeObject {
  return { ...pods, metadata: { namespace, name: 'x' }, spec: jobIn(namespace).spec.template.spec }
}
