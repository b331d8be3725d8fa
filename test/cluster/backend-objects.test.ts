import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { annotations } from '../../src/api/index.ts'
import type { BackendContext } from '../../src/backend/backend.ts'
import { objectsBackend } from '../../src/backend/objects.ts'
import type { DesiredEnvironment, RenderedObject } from '../../src/environment/desired.ts'
import type { KubeObject } from '../../src/kube/types.ts'
import { adminClient, createServiceAccount, uniqueName, uniqueNamespace, waitFor } from '../harness/cluster.ts'
import { createEnvironment, installWorld, nextReconcile, type World } from '../harness/environment-world.ts'

const backend = objectsBackend()
let world: World

beforeAll(async () => {
  world = await installWorld('objects')
})
afterAll(() => adminClient().close())

function configMap(name: string, data: Record<string, string> = { a: '1' }, metadata: object = {}): RenderedObject {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, ...metadata }, data }
}

function desire(context: BackendContext, manifests: RenderedObject[], serviceAccountName?: string): DesiredEnvironment {
  return {
    name: context.environment.metadata.name,
    namespace: { name: context.namespace, labels: {}, annotations: {} },
    clusterRole: 'offshoot-environment',
    url: '',
    revision: 'a'.repeat(40),
    backend: { kind: 'objects', manifests, ...(serviceAccountName === undefined ? {} : { serviceAccountName }) },
  }
}

const key = (namespace: string, name: string) => ({ apiVersion: 'v1', kind: 'ConfigMap', namespace, name })
const find = (namespace: string, name: string) => adminClient().get<KubeObject>(key(namespace, name))
const inventoryOf = (context: BackendContext) => (context.environment.status?.inventory ?? []).map(({ name }) => name)

/** Every call of a client's method, as `method kind/name`. */
function spyOnRequests(context: BackendContext): string[] {
  const calls: string[] = []
  const as = context.kube.as.bind(context.kube)
  context.kube = new Proxy(context.kube, {
    get: (target, property) => {
      if (property !== 'as') return Reflect.get(target, property).bind(target)
      return (identity: Parameters<typeof as>[0]) =>
        new Proxy(as(identity), {
          get: (client, method) => {
            const value: unknown = Reflect.get(client, method)
            if (typeof value !== 'function') return value
            return (...all: unknown[]) => {
              if (['get', 'getMetadata', 'apply', 'delete', 'list', 'patch'].includes(String(method))) {
                calls.push(String(method))
              }
              return Reflect.apply(value, client, all) as unknown
            }
          },
        })
    },
  })
  return calls
}

describe('backend objects', () => {
  it('applies, changes, prunes and deletes as the environment’s account', async () => {
    let context = await createEnvironment(world)
    const { namespace } = context
    await backend.apply(context, desire(context, [configMap('one'), configMap('two')]))
    expect(await backend.observe(context, desire(context, [configMap('one'), configMap('two')]))).toMatchObject({
      phase: 'ready',
      revision: 'a'.repeat(40),
    })
    const one = await find(namespace, 'one')
    expect(one?.metadata.annotations).toMatchObject({ [annotations.ownerUid]: context.environment.metadata.uid })
    expect(one?.metadata.managedFields?.map(({ manager, operation }) => [manager, operation])).toEqual([
      ['offshoot', 'Apply'],
    ])

    context = await nextReconcile(world, context)
    await backend.apply(context, desire(context, [configMap('one', { a: '2' }), configMap('three')]))
    expect(await find(namespace, 'one')).toMatchObject({ data: { a: '2' } })
    expect(await find(namespace, 'two')).toBeUndefined()
    expect(inventoryOf(context)).toEqual(['one', 'three'])

    context = await nextReconcile(world, context)
    expect(await backend.teardown(context)).toEqual({ gone: true, blockers: [], proceed: true })
    expect(await find(namespace, 'one')).toBeUndefined()
    expect(await find(namespace, 'three')).toBeUndefined()
  })

  it('reads each object once and writes nothing when nothing changed', async () => {
    let context = await createEnvironment(world)
    const manifests = [configMap('one'), configMap('two')]
    await backend.apply(context, desire(context, manifests))
    context = await nextReconcile(world, context)
    const version = context.environment.metadata.resourceVersion
    const calls = spyOnRequests(context)
    const desired = desire(context, manifests)
    await backend.apply(context, desired)
    await backend.observe(context, desired)
    expect(calls).toEqual(['get', 'get'])
    expect((await nextReconcile(world, context)).environment.metadata.resourceVersion).toBe(version)
  })

  it('records the inventory before the first object exists', async () => {
    const context = await createEnvironment(world)
    const record = context.record.bind(context)
    context.record = async facts => {
      expect(await find(context.namespace, 'one')).toBeUndefined()
      await record(facts)
      throw new Error('killed')
    }
    await expect(backend.apply(context, desire(context, [configMap('one')]))).rejects.toThrow('killed')
    expect(inventoryOf(await nextReconcile(world, context))).toEqual(['one'])
  })

  it('refuses what the account may not do, names each object, and applies the rest', async () => {
    const context = await createEnvironment(world)
    const foreign = await uniqueNamespace('foreign')
    const binding: RenderedObject = {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRoleBinding',
      metadata: { name: uniqueName('grab') },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
      subjects: [{ kind: 'ServiceAccount', name: 'default', namespace: context.namespace }],
    }
    const manifests = [binding, configMap('abroad', {}, { namespace: foreign }), configMap('home')]
    const error = await backend.apply(context, desire(context, manifests)).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ name: 'ApplyError', reason: 'ObjectsRefused' })
    expect(String(error)).toContain(`ClusterRoleBinding ${binding.metadata.name}: `)
    expect(String(error)).toContain(`ConfigMap ${foreign}/abroad: `)
    expect(await find(context.namespace, 'home')).toBeDefined()
    // What was never made is no blocker of the teardown either.
    expect(await backend.teardown(await nextReconcile(world, context))).toMatchObject({ gone: true, blockers: [] })
  })

  it('neither adopts nor deletes what is not its own', async () => {
    const context = await createEnvironment(world)
    const { namespace } = context
    await adminClient().create({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace, name: 'taken' } })
    const error = await backend.apply(context, desire(context, [configMap('taken')])).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ name: 'TerminalError', reason: 'NotOurs' })
    expect(await find(namespace, 'taken')).not.toHaveProperty('data')
    await context.record({ inventory: [key(namespace, 'taken')] })
    const result = await backend.teardown(await nextReconcile(world, context))
    expect(result).toMatchObject({ gone: false, blockers: [{ name: 'taken' }] })
    expect(result.blockers[0]?.message).toContain('not made by Offshoot')
    expect(await find(namespace, 'taken')).toBeDefined()
  })

  it('does not take an object of another environment, even by the same named account', async () => {
    const shared = await uniqueNamespace('shared')
    const account = uniqueName('deployer')
    await createServiceAccount(
      world.namespace,
      account,
      [{ apiGroups: [''], resources: ['configmaps'], verbs: ['*'] }],
      {
        cluster: true,
      },
    )
    const first = await createEnvironment(world)
    const second = await createEnvironment(world)
    const manifest = configMap('app', { a: '1' }, { namespace: shared })
    await waitFor(
      async () => {
        await backend.apply(first, desire(first, [manifest], account))
        return true
      },
      { describe: 'the named account’s rights' },
    )
    await expect(backend.apply(second, desire(second, [manifest], account))).rejects.toMatchObject({
      reason: 'NotOurs',
    })
    expect(await backend.teardown(await nextReconcile(world, second))).toMatchObject({ gone: true })
    expect(await find(shared, 'app')).toBeDefined()
    // The inventory says as whom it was applied: the teardown needs no project.
    const last = await nextReconcile(world, first)
    expect(last.environment.status?.inventory).toMatchObject([{ serviceAccountName: account, namespace: shared }])
    expect(await backend.teardown(last)).toMatchObject({ gone: true })
    expect(await find(shared, 'app')).toBeUndefined()
  })

  it('names field and owner when another manager holds a field', async () => {
    const context = await createEnvironment(world)
    const { namespace } = context
    await backend.apply(context, desire(context, [configMap('shared', { a: '1' })]))
    await adminClient().apply(
      { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'shared', namespace }, data: { a: 'hand' } },
      { fieldManager: 'kubectl', force: true },
    )
    const next = await nextReconcile(world, context)
    const error = await backend.apply(next, desire(next, [configMap('shared', { a: '2' })])).catch((e: unknown) => e)
    expect(error).toMatchObject({ name: 'TerminalError', reason: 'Conflict' })
    expect(String(error)).toContain('.data.a is owned by "kubectl"')
    expect(await find(namespace, 'shared')).toMatchObject({ data: { a: 'hand' } })
  })

  it('names the object and the finalizer that hold a teardown, and lets the rest go', async () => {
    const context = await createEnvironment(world)
    const { namespace } = context
    const held = configMap('held', {}, { finalizers: ['example.com/hold'] })
    await backend.apply(context, desire(context, [held, configMap('free')]))
    const next = await nextReconcile(world, context)
    const blocked = await backend.teardown(next)
    expect(blocked).toMatchObject({ gone: false, proceed: false })
    expect(blocked.blockers).toEqual([{ ...key(namespace, 'held'), finalizers: ['example.com/hold'] }])
    expect(await find(namespace, 'free')).toBeUndefined()
    // Later the namespace may go over it.
    next.clock = { ...next.clock, now: () => Date.now() + 60_000 }
    next.environment.metadata.deletionTimestamp = new Date().toISOString()
    expect(await backend.teardown(next)).toMatchObject({ gone: false, proceed: true })
    await adminClient().patch(key(namespace, 'held'), { metadata: { finalizers: null } }, { type: 'merge' })
    expect(await backend.teardown(next)).toMatchObject({ gone: true, blockers: [] })
  })

  it('refuses unknown fields and its own namespace, all at once', async () => {
    const context = await createEnvironment(world)
    const typo = { ...configMap('typo'), dada: { a: '1' } }
    await expect(backend.apply(context, desire(context, [typo]))).rejects.toMatchObject({ reason: 'Invalid' })
    const own: RenderedObject = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: context.namespace } }
    const twice = desire(context, [configMap('a'), configMap('a'), own])
    await expect(backend.apply(context, twice)).rejects.toMatchObject({ problems: [{}, {}] })
  })

  it('lets what was applied last go first: what it needs stays until it is gone, but not for ever', async () => {
    const context = await createEnvironment(world)
    const { namespace } = context
    const app = configMap('app', {}, { finalizers: ['example.com/clean-up'] })
    await backend.apply(context, desire(context, [configMap('source'), app]))
    const next = await nextReconcile(world, context)
    expect((await backend.teardown(next)).blockers.map(({ name }) => name)).toEqual(['source', 'app'])
    expect((await find(namespace, 'source'))?.metadata.deletionTimestamp).toBeUndefined()
    next.clock = { ...next.clock, now: () => Date.now() + 60_000 }
    expect((await backend.teardown(next)).blockers.map(({ name }) => name)).toEqual(['app'])
    await adminClient().patch(key(namespace, 'app'), { metadata: { finalizers: null } }, { type: 'merge' })
  })

  it('waits for the report of a custom resource’s controller: Argo CD and Flux', async () => {
    const account = uniqueName('argo')
    const argo = await uniqueNamespace('argocd')
    const rules = [
      { apiGroups: ['argoproj.io'], resources: ['applications'], verbs: ['*'] },
      { apiGroups: ['kustomize.toolkit.fluxcd.io'], resources: ['kustomizations'], verbs: ['*'] },
    ]
    await createServiceAccount(world.namespace, account, rules, { cluster: true })
    const context = await createEnvironment(world)
    const source = { repoURL: 'https://git.example.com/shop.git', path: '.', targetRevision: 'main' }
    const application: RenderedObject = {
      apiVersion: 'argoproj.io/v1alpha1',
      kind: 'Application',
      metadata: { name: context.environment.metadata.name, namespace: argo },
      spec: { project: 'default', source, destination: { namespace: context.namespace } },
    }
    const kustomization: RenderedObject = {
      apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
      kind: 'Kustomization',
      metadata: { name: 'app' },
      spec: { interval: '1m', prune: true, sourceRef: { kind: 'GitRepository', name: 'app' } },
    }
    const desired = desire(context, [application, kustomization], account)
    await waitFor(async () => backend.apply(context, desired).then(() => true), { describe: 'the account’s rights' })
    const seen = async () => (await backend.observe(await nextReconcile(world, context), desired)).phase
    expect(await seen()).toBe('deploying')

    const report = (object: RenderedObject, namespace: string, status: object, subresource?: string) => {
      const { apiVersion, kind, metadata } = object
      const options = { type: 'merge', ...(subresource === undefined ? {} : { subresource }) } as const
      return adminClient().patch({ apiVersion, kind, namespace, name: metadata.name }, { status }, options)
    }
    const condition = { type: 'Ready', reason: 'Applied', message: '', lastTransitionTime: new Date().toISOString() }
    const flux = { observedGeneration: 1, conditions: [{ ...condition, status: 'True', observedGeneration: 1 }] }
    await report(kustomization, context.namespace, flux, 'status')
    await report(application, argo, { health: { status: 'Progressing' }, sync: { status: 'OutOfSync' } })
    expect(await seen()).toBe('deploying')
    await report(application, argo, { health: { status: 'Degraded' }, sync: { status: 'Synced' } })
    expect(await seen()).toBe('failed')
    await report(application, argo, { health: { status: 'Healthy' }, sync: { status: 'Synced' } })
    expect(await seen()).toBe('ready')

    const last = await nextReconcile(world, context)
    expect(await backend.teardown(last)).toMatchObject({ gone: true })
  })

  it('is ready when a Deployment is available, and says what it waits for before', async () => {
    const context = await createEnvironment(world)
    const deployment: RenderedObject = {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'web' },
      spec: {
        selector: { matchLabels: { app: 'web' } },
        template: { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'web', image: 'web' }] } },
      },
    }
    const desired = desire(context, [deployment])
    await backend.apply(context, desired)
    const observed = await backend.observe(context, desired)
    expect(observed).toMatchObject({ phase: 'deploying', reason: 'ObjectsNotReady' })
    expect(observed.message).toContain('Deployment')
  })
})
