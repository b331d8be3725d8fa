import { beforeAll, describe, expect, it } from 'vitest'
import { annotations, apiVersion, labels } from '../../src/api/index.ts'
import type { KubeClient } from '../../src/kube/client.ts'
import { KubeError } from '../../src/kube/errors.ts'
import type { KubeObject } from '../../src/kube/types.ts'
import { adminClient, serviceAccountClient, uniqueName, uniqueNamespace, waitFor } from '../harness/cluster.ts'
import { installRights } from '../harness/installation.ts'

const rbac = 'rbac.authorization.k8s.io/v1'
const name = uniqueName('rbac')
const projects = `${name}-projects`
const controllerNamespace = `${name}-system`
const own = `${name}-env`
let foreign: string
let controller: KubeClient
let environment: KubeClient

const managed = { [labels.managedBy]: 'offshoot' }

function namespaceObject(namespace: string): KubeObject {
  const owner = `${projects}/shop/shop-pr-1`
  return {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: namespace, labels: managed, annotations: { [annotations.owner]: owner } },
  }
}

function binding(namespace: string, roleName: string, kind = 'ClusterRole', account = 'env'): KubeObject {
  return {
    apiVersion: rbac,
    kind: 'RoleBinding',
    metadata: { namespace, name: uniqueName('binding'), labels: managed },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind, name: roleName },
    subjects: [{ kind: 'ServiceAccount', name: account, namespace: projects }],
  }
}

const configMap = (namespace: string): KubeObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { namespace, name: uniqueName('map') },
})

async function refused(attempt: Promise<unknown>): Promise<string> {
  const error = await attempt.then(
    () => undefined,
    failure => failure as unknown,
  )
  if (!(error instanceof KubeError)) throw new Error('expected a refusal', { cause: error })
  expect([403, 422]).toContain(error.status)
  return error.message
}

beforeAll(async () => {
  const admin = adminClient()
  await installRights(admin, {
    name,
    controllerNamespace,
    projectNamespaces: [projects],
    allowedClusterRoles: ['offshoot-environment'],
  })
  foreign = await uniqueNamespace('foreign')
  for (const namespace of [foreign, projects]) {
    await admin.create({ apiVersion: 'v1', kind: 'Secret', metadata: { namespace, name: 'token' } })
  }
  await admin.create({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { namespace: foreign, name: 'robot' } })
  controller = await serviceAccountClient(controllerNamespace, 'offshoot')
  await waitFor(async () => controller.list({ apiVersion, kind: 'ReviewProject' }), { describe: 'the rights to hold' })
  await controller.create({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { namespace: projects, name: 'env' } })
  await controller.create(namespaceObject(own))
  await controller.create(binding(own, 'offshoot-environment'))
  environment = controller.as({ serviceAccount: { namespace: projects, name: 'env' } })
  await waitFor(() => environment.create(configMap(own)), { describe: 'the binding to hold' })
  // A policy takes a moment to come into force.
  await waitFor(
    () =>
      controller.create(binding(foreign, 'offshoot-environment'), { dryRun: true }).then(
        () => false,
        () => true,
      ),
    { describe: 'the admission policy to hold' },
  )
})

describe('the controller’s account can do its job', () => {
  it('reads what a project names', async () => {
    expect(await controller.get({ apiVersion: 'v1', kind: 'Secret', namespace: projects, name: 'token' })).toBeDefined()
    expect(await controller.list({ apiVersion: 'gitops.kluctl.io/v1beta1', kind: 'KluctlDeployment' })).toBeDefined()
  })

  it('keeps environments: their object, status, finalizer, account, bindings and namespace', async () => {
    const created = await controller.create<KubeObject>({
      apiVersion,
      kind: 'ReviewEnvironment',
      metadata: { namespace: projects, name: 'shop-pr-1', finalizers: ['offshoot.dev/teardown'] },
      spec: { projectRef: { name: 'shop' }, change: { pullRequest: 1 }, origin: 'automatic' },
    })
    const key = { apiVersion, kind: 'ReviewEnvironment', namespace: projects, name: 'shop-pr-1' }
    await controller.patch(key, { status: { state: 'Ready' } }, { type: 'merge', subresource: 'status' })
    await controller.delete(key, { uid: created.metadata.uid ?? '' })
    await controller.patch(key, { metadata: { finalizers: null } }, { type: 'merge' })
    expect(await controller.get(key)).toBeUndefined()

    const clusterId = binding('kube-system', 'offshoot-cluster-id', 'Role')
    await controller.create(clusterId)
    const kubeSystem = { apiVersion: 'v1', kind: 'Namespace', name: 'kube-system' }
    await waitFor(() => environment.get(kubeSystem), { describe: 'the environment to read the cluster’s id' })
    await controller.delete({
      apiVersion: rbac,
      kind: 'RoleBinding',
      namespace: 'kube-system',
      name: clusterId.metadata.name ?? '',
    })
    const namespace = uniqueName(`${name}-gone`)
    await controller.create(namespaceObject(namespace))
    await controller.patch(
      { apiVersion: 'v1', kind: 'Namespace', name: namespace },
      { metadata: { labels: { a: 'b' } } },
      { type: 'merge' },
    )
    await controller.delete({ apiVersion: 'v1', kind: 'Namespace', name: namespace })
  })

  it('writes KluctlDeployments, Leases and Events', async () => {
    const deployment = {
      apiVersion: 'gitops.kluctl.io/v1beta1',
      kind: 'KluctlDeployment',
      metadata: { namespace: projects, name: 'shop-pr-1' },
      spec: { interval: '5m', source: { git: { url: 'https://example.com/x.git' } } },
    }
    await controller.apply(deployment, { fieldManager: 'offshoot' })
    await controller.delete({ ...deployment, ...deployment.metadata })
    const lease = {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { namespace: controllerNamespace, name: 'offshoot-controller' },
    }
    const held = await controller.create(lease)
    await controller.replace({ ...held, spec: { holderIdentity: 'a' } })
    const event = {
      apiVersion: 'events.k8s.io/v1',
      kind: 'Event',
      metadata: { namespace: projects, name: uniqueName('event') },
      eventTime: '2026-01-01T00:00:00.000000Z',
      reason: 'Created',
      action: 'Create',
      type: 'Normal',
      reportingController: 'offshoot.dev/controller',
      reportingInstance: 'test',
      regarding: { apiVersion, kind: 'ReviewEnvironment', namespace: projects, name: 'shop-pr-1' },
    }
    await controller.create(event)
  })
})

describe('the controller’s account can do no more', () => {
  it.each([
    ['bind cluster-admin', () => controller.create(binding(own, 'cluster-admin'))],
    ['bind admin', () => controller.create(binding(own, 'admin'))],
    [
      'bind another Role of kube-system',
      () => controller.create(binding('kube-system', 'extension-apiserver-authentication-reader', 'Role')),
    ],
    ['bind its own rights on', () => controller.create(binding(own, `${name}-controller`))],
    ['bind in a namespace that is not its own', () => controller.create(binding(foreign, 'offshoot-environment'))],
    [
      'bind in kube-system what is for environments',
      () => controller.create(binding('kube-system', 'offshoot-environment')),
    ],
    [
      'bind for the whole cluster',
      () =>
        controller.create({
          ...binding(own, 'offshoot-environment'),
          kind: 'ClusterRoleBinding',
          metadata: { name: uniqueName('x') },
        }),
    ],
    [
      'bind a group of people',
      () =>
        controller.create({
          ...binding(own, 'offshoot-environment'),
          subjects: [{ kind: 'Group', apiGroup: 'rbac.authorization.k8s.io', name: 'system:authenticated' }],
        }),
    ],
    [
      'read a Secret of a foreign namespace',
      () => controller.get({ apiVersion: 'v1', kind: 'Secret', namespace: foreign, name: 'token' }),
    ],
    [
      'list the Secrets of a namespace with projects',
      () => controller.list({ apiVersion: 'v1', kind: 'Secret' }, { namespace: projects }),
    ],
    [
      'impersonate an account elsewhere',
      () => controller.as({ serviceAccount: { namespace: foreign, name: 'robot' } }).create(configMap(foreign)),
    ],
    ['impersonate a user', () => controller.as({ user: 'alice' }).create(configMap(own))],
    [
      'impersonate a group',
      () =>
        controller
          .as({ user: `system:serviceaccount:${projects}:env`, groups: ['system:masters'] })
          .create(configMap(own)),
    ],
    ['take a token of an account', () => controller.createToken(projects, 'env')],
    [
      'make roles',
      () => controller.create({ apiVersion: rbac, kind: 'Role', metadata: { namespace: own, name: 'x' }, rules: [] }),
    ],
    ['write objects of an environment itself', () => controller.create(configMap(own))],
    [
      'write KluctlDeployments where no projects are',
      () =>
        controller.create({
          apiVersion: 'gitops.kluctl.io/v1beta1',
          kind: 'KluctlDeployment',
          metadata: { namespace: foreign, name: 'x' },
          spec: { interval: '5m', source: {} },
        }),
    ],
    [
      'delete a namespace it did not make',
      () => controller.delete({ apiVersion: 'v1', kind: 'Namespace', name: foreign }),
    ],
    [
      'make a foreign namespace its own',
      () =>
        controller.patch({ apiVersion: 'v1', kind: 'Namespace', name: foreign }, namespaceObject(foreign), {
          type: 'merge',
        }),
    ],
  ])('cannot %s', async (_what, attempt) => {
    await refused(attempt())
  })
})

describe('an environment’s account stays in its namespace', () => {
  it.each([
    ['configmaps of a foreign namespace', () => environment.create(configMap(foreign))],
    ['configmaps beside its project', () => environment.create(configMap(projects))],
    [
      'a ClusterRoleBinding',
      () =>
        environment.create({
          ...binding(own, 'offshoot-environment'),
          kind: 'ClusterRoleBinding',
          metadata: { name: uniqueName('x') },
        }),
    ],
    ['a RoleBinding', () => environment.create(binding(own, 'offshoot-environment'))],
    [
      'a Role',
      () => environment.create({ apiVersion: rbac, kind: 'Role', metadata: { namespace: own, name: 'x' }, rules: [] }),
    ],
    [
      'a ResourceQuota',
      () => environment.create({ apiVersion: 'v1', kind: 'ResourceQuota', metadata: { namespace: own, name: 'x' } }),
    ],
    [
      'a NetworkPolicy',
      () =>
        environment.create({
          apiVersion: 'networking.k8s.io/v1',
          kind: 'NetworkPolicy',
          metadata: { namespace: own, name: 'x' },
          spec: { podSelector: {} },
        }),
    ],
    [
      'a namespace',
      () => environment.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: uniqueName('x') } }),
    ],
  ])('cannot create %s', async (_what, attempt) => {
    expect(await refused(attempt())).toContain(`system:serviceaccount:${projects}:env`)
  })

  it('runs Deployments, Services and Ingresses', async () => {
    const metadata = { namespace: own, name: 'web' }
    const labelsOfPod = { app: 'web' }
    const template = {
      metadata: { labels: labelsOfPod },
      spec: { containers: [{ name: 'web', image: 'example.com/web' }] },
    }
    const spec = { selector: { matchLabels: labelsOfPod }, template }
    await environment.apply({ apiVersion: 'apps/v1', kind: 'Deployment', metadata, spec }, { fieldManager: 'offshoot' })
    await environment.apply(
      { apiVersion: 'v1', kind: 'Service', metadata, spec: { selector: labelsOfPod, ports: [{ port: 80 }] } },
      { fieldManager: 'offshoot' },
    )
    await environment.apply(
      {
        apiVersion: 'networking.k8s.io/v1',
        kind: 'Ingress',
        metadata,
        spec: { defaultBackend: { service: { name: 'web', port: { number: 80 } } } },
      },
      { fieldManager: 'offshoot' },
    )
  })
})
