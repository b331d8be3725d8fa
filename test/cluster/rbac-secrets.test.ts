import { beforeAll, describe, expect, it } from 'vitest'
import type { KubeClient } from '../../src/kube/client.ts'
import { KubeError } from '../../src/kube/errors.ts'
import { adminClient, serviceAccountClient, uniqueName, uniqueNamespace, waitFor } from '../harness/cluster.ts'
import { installRights } from '../harness/installation.ts'

const name = uniqueName('secrets')
const projects = `${name}-projects`
let foreign: string
let controller: KubeClient

function gitSecret(secret: string, namespace: string) {
  const labels = { 'app.kubernetes.io/managed-by': 'offshoot' }
  const metadata = { name: secret, namespace, labels }
  return { apiVersion: 'v1', kind: 'Secret', metadata, stringData: { password: 'first' } }
}

const keyOf = (secret: string) => ({ apiVersion: 'v1', kind: 'Secret', namespace: projects, name: secret })

beforeAll(async () => {
  const admin = adminClient()
  const controllerNamespace = `${name}-system`
  const allowedClusterRoles = ['offshoot-environment']
  await installRights(admin, { name, controllerNamespace, projectNamespaces: [projects], allowedClusterRoles })
  foreign = await uniqueNamespace('foreign')
  await admin.create({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { namespace: projects, name: 'env' } })
  for (const secret of ['token', 'offshoot-git-foreign']) {
    await admin.create({ apiVersion: 'v1', kind: 'Secret', metadata: { namespace: projects, name: secret } })
  }
  controller = await serviceAccountClient(controllerNamespace, 'offshoot')
  const refusedByPolicy = async () => {
    const error: unknown = await controller.create(gitSecret('other', projects), { dryRun: true }).catch(it => it)
    return error instanceof KubeError && error.message.includes('offshoot-git-')
  }
  await waitFor(refusedByPolicy, { describe: 'rights and policy to hold' })
})

describe('of all Secrets, the controller writes its own Git credentials', () => {
  it('and keeps them', async () => {
    const secret = gitSecret('offshoot-git-shop', projects)
    await controller.apply(secret, { fieldManager: 'offshoot' })
    await controller.apply({ ...secret, stringData: { password: 'next' } }, { fieldManager: 'offshoot' })
    const written = await adminClient().get(keyOf('offshoot-git-shop'))
    expect(written).toMatchObject({ data: { password: Buffer.from('next').toString('base64') } })
    await controller.delete(keyOf('offshoot-git-shop'))
    expect(await controller.get(keyOf('offshoot-git-shop'))).toBeUndefined()
  })

  it.each<[string, () => Promise<unknown>]>([
    [
      'changes a Secret that a project names',
      () => controller.patch(keyOf('token'), { stringData: { token: 'x' } }, { type: 'merge' }),
    ],
    ['deletes a Secret that a project names', () => controller.delete(keyOf('token'))],
    ['makes one of another name', () => controller.create(gitSecret('shop-forge', projects))],
    ['makes one elsewhere', () => controller.create(gitSecret('offshoot-git-shop', foreign))],
    [
      'takes over one that is called like its own',
      () => controller.apply(gitSecret('offshoot-git-foreign', projects), { fieldManager: 'offshoot', force: true }),
    ],
    ['deletes one that is called like its own', () => controller.delete(keyOf('offshoot-git-foreign'))],
    [
      'makes one that the cluster fills with the token of an account',
      () => {
        const secret = gitSecret('offshoot-git-token', projects)
        const annotations = { 'kubernetes.io/service-account.name': 'env' }
        const metadata = { ...secret.metadata, annotations }
        return controller.create({ ...secret, type: 'kubernetes.io/service-account-token', metadata })
      },
    ],
    ['lists them', () => controller.list({ apiVersion: 'v1', kind: 'Secret' }, { namespace: projects })],
  ])('and never %s', async (_what, attempt) => {
    // 403 of RBAC, 422 of the admission policy.
    const error: unknown = await attempt().catch(it => it)
    expect(error instanceof KubeError && [403, 422].includes(error.status), String(error)).toBe(true)
  })
})
