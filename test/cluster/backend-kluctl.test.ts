import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { kluctlDeploymentKind } from '../../src/backend/kluctl/resource.ts'
import { adminClient, adminKubeconfig, waitFor } from '../harness/cluster.ts'
import { createEnvironment, installWorld, nextReconcile, type World } from '../harness/environment-world.ts'
import { type KluctlController, startKluctlController } from '../harness/kluctl-controller/controller.ts'
import { makeDeploymentReady } from '../harness/kluctl-controller/ready.ts'
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

describe('backend kluctlDeployment', () => {
  it('deploys, updates, prunes, and removes what kluctl leaves behind', async () => {
    const repository = await createKluctlRepository(kluctlFiles({ extra: true }))
    const context = await createEnvironment(world)
    const desired = desire(context, repository.url, repository.first)
    const ready = await story.until(context, desired, 'ready', 'failed', 'stalled')
    expect(ready).toMatchObject({ phase: 'ready', revision: repository.first })
    expect(await story.find(context)).toMatchObject({ data: { version: '1' } })
    const discriminator = `preview-${context.environment.metadata.name}`
    expect((await story.statusOf(context))?.discriminators).toEqual([discriminator])
    expect((await story.deploymentOf(context))?.spec).toMatchObject({
      serviceAccountName: context.serviceAccount,
      dryRun: false,
      prune: true,
      delete: true,
      source: { git: { ref: { commit: repository.first } } },
    })

    const second = await repository.push({ ...kluctlFiles(), 'deploy/app/extra.yaml': null })
    const update = desire(context, repository.url, second, { args: { version: '2' } })
    // What is ready at another commit is not ready.
    const look = await nextReconcile(world, context)
    expect(await story.backend().observe(look, update)).toMatchObject({ phase: 'deploying' })
    expect(await story.until(context, update, 'ready', 'failed', 'stalled')).toMatchObject({
      phase: 'ready',
      revision: second,
    })
    expect(await story.find(context)).toMatchObject({ data: { version: '2' } })
    expect(await story.find(context, 'extra')).toBeUndefined()

    await story.untilGone(context)
    expect(await story.deploymentOf(context)).toBeUndefined()
    expect(await story.find(context)).toBeUndefined()
  })

  it('writes nothing at rest', async () => {
    const repository = await createKluctlRepository(kluctlFiles())
    const context = await createEnvironment(world)
    const args = { nothing: null, list: [], tree: { deep: { a: 1.5 } }, on: true }
    const desired = desire(context, repository.url, repository.first, { args })
    await story.until(context, desired, 'ready')
    const before = await story.deploymentOf(context)
    const environment = (await nextReconcile(world, context)).environment.metadata.resourceVersion
    expect(await story.until(context, desired, 'ready')).toMatchObject({ phase: 'ready' })
    expect((await story.deploymentOf(context))?.metadata.resourceVersion).toBe(before?.metadata.resourceVersion)
    expect((await nextReconcile(world, context)).environment.metadata.resourceVersion).toBe(environment)
  })

  it('has written nothing before the discriminator is recorded', async () => {
    const repository = await createKluctlRepository(kluctlFiles())
    const context = await createEnvironment(world)
    const desired = desire(context, repository.url, repository.first)
    const deployer = story.backend()
    await waitFor(
      async () => {
        const next = await nextReconcile(world, context)
        let recorded: unknown
        next.record = async facts => {
          expect(await story.deploymentOf(context)).toBeUndefined()
          recorded = facts
          throw new Error('killed')
        }
        await deployer.apply(next, desired).catch((error: Error) => expect(error.message).toBe('killed'))
        return recorded
      },
      { describe: 'the discriminator to be recorded' },
    )
    expect(await story.find(context)).toBeUndefined()
    expect(await story.until(context, desired, 'ready')).toMatchObject({ phase: 'ready' })
  })

  it('is stopped while kluctl comes to another discriminator, and deploys when that is over, with the Git server away between', async () => {
    const repository = await createKluctlRepository(kluctlFiles())
    const context = await createEnvironment(world)
    const desired = desire(context, repository.url, repository.first)
    await story.until(context, desired, 'ready')
    const own = `preview-${context.environment.metadata.name}`
    const { namespace = '', name = '' } = (await story.deploymentOf(context))?.metadata ?? {}
    const key = { ...kluctlDeploymentKind, namespace, name }
    const told = async () => (await story.deploymentOf(context))?.status?.targetKey
    await adminClient().patch(key, { spec: { args: { environment: 'another' } } }, { type: 'merge' })
    await waitFor(async () => (await told())?.discriminator === 'preview-another')
    await story.reconcile(context, desired)
    const held = { dryRun: true, prune: false, delete: false, args: desired.backend.args }
    expect((await story.deploymentOf(context))?.spec).toMatchObject(held)

    await story.untilDone(context)
    expect(await told()).toMatchObject({ discriminator: own })
    const strange = { status: { targetKey: { discriminator: 'preview-strange' } } }
    await adminClient().patch(key, strange, { type: 'merge', subresource: 'status' })
    const stalled = await story.reconcile(context, desired)
    expect(stalled).toMatchObject({ phase: 'stalled', reason: 'DiscriminatorDiffers' })
    expect(stalled.message).toContain('preview-strange')
    expect((await story.deploymentOf(context))?.spec).toMatchObject(held)

    // kluctl then thinks that its dry run has deployed everything.
    await repository.available(false)
    const again = { status: { targetKey: { discriminator: own } } }
    await adminClient().patch(key, again, { type: 'merge', subresource: 'status' })
    expect(await story.until(context, desired, 'failed', 'ready')).toMatchObject({ reason: 'PrepareFailed' })
    await adminClient().delete(configKey(context.namespace))
    await repository.available(true)
    expect(await story.until(context, desired, 'ready', 'stalled')).toMatchObject({ phase: 'ready' })
    expect(await story.find(context)).toBeDefined()
  })

  it('pins the commits of a branch in another repository, and follows it', async () => {
    const repository = await createKluctlRepository(kluctlFiles())
    const context = await createEnvironment(world)
    const elsewhere = desire(context, repository.url, 'f'.repeat(40), { branch: 'main' })
    const ready = await story.until(context, elsewhere, 'ready', 'failed', 'stalled')
    expect(ready).toMatchObject({ phase: 'ready', revision: repository.first })
    const ref = { commit: repository.first }
    expect((await story.deploymentOf(context))?.spec).toMatchObject({ source: { git: { ref } } })
    const second = await repository.push(kluctlFiles({ extra: true }))
    const later = await KluctlStory.start(world)
    const updated = await later.until(context, elsewhere, 'ready', 'failed', 'stalled')
    await later.close()
    expect(updated).toMatchObject({ phase: 'ready', revision: second })
    expect(await story.find(context, 'extra')).toBeDefined()
  })

  it('is not failed while pods start, and ready when they are: it asks kluctl again', async () => {
    const repository = await createKluctlRepository(kluctlFiles({ deployment: true }))
    const context = await createEnvironment(world)
    const desired = desire(context, repository.url, repository.first)
    const deployer = story.backend()
    const waiting = await waitFor(
      async () => {
        const next = await nextReconcile(world, context)
        await deployer.apply(next, desired)
        const seen = await deployer.observe(next, desired)
        expect(seen.phase).toBe('deploying')
        return seen.reason === 'ObjectsNotReady' ? seen : undefined
      },
      { describe: 'kluctl to have validated once' },
    )
    expect(waiting.message).toContain('Deployment web')
    await makeDeploymentReady(adminClient(), context.namespace, 'web')
    expect(await story.until(context, desired, 'ready', 'failed')).toMatchObject({ phase: 'ready' })
    const status = (await story.deploymentOf(context))?.status
    expect(status?.validateRequestResult).toMatchObject({
      request: { requestValue: expect.stringMatching(/^offshoot-/) },
    })
  })

  it('stalls without a discriminator, and without one of its own: nobody is harmed', async () => {
    const repository = await createKluctlRepository(kluctlFiles({ discriminator: 'x-{{ target.name }}' }))
    const unnamed = await createKluctlRepository(kluctlFiles({ discriminator: '' }))
    const [first, second, third] = [
      await createEnvironment(world),
      await createEnvironment(world),
      await createEnvironment(world),
    ]
    await story.until(first, desire(first, repository.url, repository.first), 'ready')
    const stalled = await story.until(second, desire(second, repository.url, repository.first), 'ready', 'stalled')
    expect(stalled).toMatchObject({ phase: 'stalled', reason: 'DiscriminatorTaken' })
    expect(stalled.message).toContain(first.environment.metadata.name)
    expect(await story.deploymentOf(second)).toBeUndefined()
    expect(await story.find(second)).toBeUndefined()
    expect(await story.until(third, desire(third, unnamed.url, unnamed.first), 'ready', 'stalled')).toMatchObject({
      reason: 'DiscriminatorEmpty',
    })
    await story.untilGone(second)
    expect(await story.find(first)).toBeDefined()
    expect(await story.until(first, desire(first, repository.url, repository.first), 'ready', 'stalled')).toMatchObject(
      {
        phase: 'ready',
      },
    )
  })

  it('stalls on a push that takes a neighbour’s discriminator, and keeps what it had', async () => {
    const own = await createKluctlRepository(kluctlFiles())
    const [neighbour, pusher] = [await createEnvironment(world), await createEnvironment(world)]
    await story.until(neighbour, desire(neighbour, own.url, own.first), 'ready')
    await story.until(pusher, desire(pusher, own.url, own.first), 'ready')
    const stolen = `preview-${neighbour.environment.metadata.name}`
    const theft = await own.push({ ...kluctlFiles({ discriminator: stolen }), 'deploy/app/extra.yaml': null })
    const stalled = await story.until(pusher, desire(pusher, own.url, theft), 'ready', 'stalled')
    expect(stalled).toMatchObject({ phase: 'stalled', reason: 'DiscriminatorTaken' })
    const before = { dryRun: false, source: { git: { ref: { commit: own.first } } } }
    expect((await story.deploymentOf(pusher))?.spec).toMatchObject(before)
    expect(await story.find(neighbour)).toBeDefined()
    expect(await story.find(pusher)).toBeDefined()
    expect((await story.statusOf(pusher))?.discriminators).toEqual([`preview-${pusher.environment.metadata.name}`])
    await story.untilGone(pusher)
    expect(await story.find(neighbour)).toBeDefined()
    expect(await story.find(pusher)).toBeUndefined()
  })

  it('says what is wrong with a project that cannot be loaded, without its secrets, and writes nothing', async () => {
    const repository = await createKluctlRepository(kluctlFiles())
    const context = await createEnvironment(world)
    const wrong = desire(context, repository.url, repository.first, { target: 'token=hunter22' })
    const failed = await story.refusal(context, wrong)
    expect(failed).toMatchObject({ name: 'TerminalError', reason: 'TargetMissing' })
    expect((failed as Error).message).toContain('not existent in kluctl project config (known are preview)')
    expect((failed as Error).message).not.toContain('hunter22')
    const typo = await repository.push({ 'deploy/.kluctl.yaml': 'targets:\n  - nam: preview\n' })
    expect(await story.refusal(context, desire(context, repository.url, typo))).toMatchObject({
      reason: 'ProjectInvalid',
      message: expect.stringMatching(/ deploy\/\.kluctl\.yaml:2:\d+: targets\[0\]\.nam: /),
    })
    expect(await story.deploymentOf(context)).toBeUndefined()
    expect(await story.until(context, desire(context, repository.url, repository.first), 'ready')).toBeDefined()
  })

  it('cannot leave its namespace: the API server refuses, and the status says so', async () => {
    const grab =
      'apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\nmetadata: {name: "grab-{{ args.environment }}"}\n' +
      'roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}\nsubjects: []\n'
    const repository = await createKluctlRepository({ ...kluctlFiles(), 'deploy/app/grab.yaml': grab })
    const context = await createEnvironment(world)
    const failed = await story.until(context, desire(context, repository.url, repository.first), 'failed', 'ready')
    expect(failed).toMatchObject({ phase: 'failed', reason: 'DeployFailed' })
    expect(failed.message).toMatch(/ClusterRoleBinding grab-.*forbidden/)
  })
})
