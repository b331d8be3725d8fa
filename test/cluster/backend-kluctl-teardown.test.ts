import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { adminClient, adminKubeconfig, uniqueName, waitFor } from '../harness/cluster.ts'
import { createEnvironment, installWorld, nextReconcile, type World } from '../harness/environment-world.ts'
import { type KluctlController, startKluctlController } from '../harness/kluctl-controller/controller.ts'
import { createKluctlRepository, kluctlFiles } from '../harness/kluctl-project.ts'
import { configKey, desire, KluctlStory } from '../harness/kluctl-story.ts'

let world: World
let story: KluctlStory
let kluctl: KluctlController

beforeAll(async () => {
  world = await installWorld('kluctl')
  story = await KluctlStory.start(world)
  kluctl = await startKluctlController(adminKubeconfig(), { namespaces: [world.namespace] })
})
afterAll(async () => {
  await kluctl.stop()
  await story.close()
  await adminClient().close()
})

describe('teardown of backend kluctlDeployment', () => {
  it('names what holds a teardown even when its account may not look any more', async () => {
    const repository = await createKluctlRepository(kluctlFiles())
    const context = await createEnvironment(world)
    await story.until(context, desire(context, repository.url, repository.first), 'ready')
    const key = configKey(context.namespace)
    await adminClient().patch(key, { metadata: { finalizers: ['example.com/hold'] } }, { type: 'merge' })
    const seen = await waitFor(async () => {
      const teardown = await story.backend().teardown(await nextReconcile(world, context))
      return teardown.blockers.some(({ kind }) => kind === 'ConfigMap') ? teardown : undefined
    })
    const next = await nextReconcile(world, context)
    await next.record({ blockers: seen.blockers } as Parameters<typeof next.record>[0])
    const account = { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'RoleBinding', namespace: context.namespace }
    const { items } = await adminClient().list(account, { namespace: context.namespace })
    for (const { metadata } of items) await adminClient().delete({ ...account, name: metadata.name ?? '' })
    const blind = await waitFor(async () => {
      const teardown = await story.backend().teardown(await nextReconcile(world, context))
      return teardown.proceed ? teardown : undefined
    })
    expect(blind.blockers).toEqual([{ ...key, finalizers: ['example.com/hold'] }])
    await adminClient().patch(key, { metadata: { finalizers: null } }, { type: 'merge' })
  })

  it('unsuspends before it deletes, and mends requests that break kluctl', async () => {
    const repository = await createKluctlRepository(kluctlFiles())
    const context = await createEnvironment(world)
    const desired = desire(context, repository.url, repository.first)
    await story.until(context, desired, 'ready')
    const found = await story.deploymentOf(context)
    const { namespace = '', name = '' } = found?.metadata ?? {}
    const key = { apiVersion: 'gitops.kluctl.io/v1beta1', kind: 'KluctlDeployment', namespace, name }
    const broken = { metadata: { annotations: { 'kluctl.io/request-reconcile': '{"value":"1"}' } } }
    await adminClient().patch(key, broken, { type: 'merge' })
    await waitFor(async () => {
      const status = (await story.deploymentOf(context))?.status as { conditions?: { reason?: string }[] } | undefined
      return status?.conditions?.some(({ reason }) => reason === 'PrepareFailed')
    })
    expect(await story.until(context, desired, 'ready')).toMatchObject({ phase: 'ready' })

    await adminClient().patch(key, { spec: { suspend: true } }, { type: 'merge' })
    const next = await nextReconcile(world, context)
    await story.backend().apply(next, desired)
    expect(await story.backend().observe(next, desired)).toMatchObject({ phase: 'stalled', reason: 'Suspended' })
    const finalizers = [...(found?.metadata.finalizers ?? []), 'example.com/look']
    await adminClient().patch(key, { metadata: { finalizers } }, { type: 'merge' })
    const waiting = await story.backend().teardown(await nextReconcile(world, context))
    expect(waiting.blockers).toMatchObject([{ kind: 'KluctlDeployment', name }])
    expect(waiting.proceed).toBe(false)
    const deleted = await story.deploymentOf(context)
    expect(deleted?.metadata.deletionTimestamp).toBeDefined()
    expect(deleted?.spec).toMatchObject({ suspend: false, delete: true })
    await waitFor(async () => (await story.deploymentOf(context))?.metadata.finalizers?.length === 1)
    await adminClient().patch(key, { metadata: { finalizers: null } }, { type: 'merge' })
    await story.untilGone(context)
    expect(await story.find(context)).toBeUndefined()
  })

  it('names the object and the finalizer that hold a teardown', async () => {
    const repository = await createKluctlRepository(kluctlFiles())
    const context = await createEnvironment(world)
    await story.until(context, desire(context, repository.url, repository.first), 'ready')
    const key = configKey(context.namespace)
    await adminClient().patch(key, { metadata: { finalizers: ['example.com/hold'] } }, { type: 'merge' })
    const blocked = await waitFor(async () => {
      const seen = await story.backend().teardown(await nextReconcile(world, context))
      return seen.blockers.some(({ kind }) => kind === 'ConfigMap') ? seen : undefined
    })
    expect(blocked).toMatchObject({ gone: false, blockers: [{ ...key, finalizers: ['example.com/hold'] }] })
    await adminClient().patch(key, { metadata: { finalizers: null } }, { type: 'merge' })
    expect(await story.untilGone(context)).toMatchObject({ blockers: [] })
  })

  it('leaves a KluctlDeployment of the same name alone', async () => {
    const repository = await createKluctlRepository(kluctlFiles())
    const context = await createEnvironment(world, uniqueName('taken'))
    const { namespace, name } = context.environment.metadata
    await adminClient().create({
      apiVersion: 'gitops.kluctl.io/v1beta1',
      kind: 'KluctlDeployment',
      metadata: { namespace, name },
      spec: { interval: '1h', suspend: true, source: { git: { url: repository.url } } },
    })
    const desired = desire(context, repository.url, repository.first)
    await expect(story.backend().apply(context, desired)).rejects.toMatchObject({
      name: 'TerminalError',
      reason: 'NotOurs',
    })
    expect(await story.backend().teardown(context)).toMatchObject({ gone: true })
    expect(await story.deploymentOf(context)).toBeDefined()
  })

  it('removes what carries an older discriminator of its own', async () => {
    const context = await createEnvironment(world)
    const discriminators = ['old-one', 'old-two'].map(name => `${name}-${context.environment.metadata.name}`)
    await context.record({ discriminators })
    const labels = { 'kluctl.io/discriminator': discriminators[1] ?? '' }
    const { namespace } = context
    await adminClient().create({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace, name: 'ours', labels } })
    await adminClient().create({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace, name: 'other' } })
    await story.untilGone(context)
    expect(await story.find(context, 'ours')).toBeUndefined()
    expect(await story.find(context, 'other')).toBeDefined()
  })
})
