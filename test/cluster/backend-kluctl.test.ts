import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { apiVersion, type ReviewEnvironment } from '../../src/api/index.ts'
import type { BackendContext, Observation, Teardown } from '../../src/backend/backend.ts'
import { listedDiscriminators } from '../../src/backend/kluctl/discriminator-index.ts'
import { kluctlDeploymentBackend } from '../../src/backend/kluctl-deployment.ts'
import type { DesiredEnvironment } from '../../src/environment/desired.ts'
import type { KubeObject } from '../../src/kube/types.ts'
import { adminClient, adminKubeconfig, uniqueName, waitFor } from '../harness/cluster.ts'
import { createEnvironment, installWorld, nextReconcile, type World } from '../harness/environment-world.ts'
import { type KluctlController, startKluctlController } from '../harness/kluctl-controller/controller.ts'
import { makeDeploymentReady } from '../harness/kluctl-controller/ready.ts'
import { createKluctlRepository, kluctlFiles } from '../harness/kluctl-project.ts'

type Deployment = KubeObject & { spec: Record<string, unknown>; status?: Record<string, unknown> }

let world: World
let kluctl: KluctlController

beforeAll(async () => {
  world = await installWorld('kluctl')
  kluctl = await startKluctlController(adminKubeconfig(), { namespaces: [world.namespace] })
})
afterAll(async () => {
  await kluctl.stop()
  await adminClient().close()
})

const backend = () => kluctlDeploymentBackend(listedDiscriminators(world.controller))

function desire(
  context: BackendContext,
  url: string,
  revision: string,
  options: { args?: Record<string, unknown>; target?: string; prune?: boolean } = {},
): DesiredEnvironment {
  const { name } = context.environment.metadata
  const { target = 'preview', prune = true } = options
  const args = { environment: name, namespace: context.namespace, ...options.args }
  const source = { git: { url, path: 'deploy' } }
  return {
    name,
    namespace: { name: context.namespace, labels: {}, annotations: {} },
    clusterRole: 'offshoot-environment',
    url: '',
    revision,
    backend: { kind: 'kluctlDeployment', ownRepository: true, target, args, spec: { interval: '5m', source }, prune },
  }
}

/** Reconciles as the controller does, until the observation is one of these phases. */
async function until(
  context: BackendContext,
  desired: DesiredEnvironment,
  ...phases: Observation['phase'][]
): Promise<Observation> {
  const deployer = backend()
  let seen: Observation | undefined
  return waitFor(
    async () => {
      const next = await nextReconcile(world, context)
      await deployer.apply(next, desired)
      seen = await deployer.observe(next, desired)
      return phases.includes(seen.phase) ? seen : undefined
    },
    { deadline: 15_000, describe: () => `phase ${phases.join(' or ')}; last: ${JSON.stringify(seen)}`, interval: 100 },
  )
}

async function untilGone(context: BackendContext): Promise<Teardown> {
  const deployer = backend()
  let seen: Teardown | undefined
  return waitFor(
    async () => {
      seen = await deployer.teardown(await nextReconcile(world, context))
      return seen.gone ? seen : undefined
    },
    { describe: () => `the teardown; last: ${JSON.stringify(seen)}` },
  )
}

function deploymentOf(context: BackendContext): Promise<Deployment | undefined> {
  const { namespace, name } = context.environment.metadata
  return adminClient().get<Deployment>({
    apiVersion: 'gitops.kluctl.io/v1beta1',
    kind: 'KluctlDeployment',
    namespace,
    name,
  })
}

const configKey = (namespace: string, name = 'config') => ({ apiVersion: 'v1', kind: 'ConfigMap', namespace, name })
const find = (context: BackendContext, name = 'config') => adminClient().get(configKey(context.namespace, name))
const statusOf = async (context: BackendContext) => (await nextReconcile(world, context)).environment.status

describe('backend kluctlDeployment', () => {
  it('deploys, updates, prunes, and removes what kluctl leaves behind', async () => {
    const repository = await createKluctlRepository(kluctlFiles({ extra: true }))
    const context = await createEnvironment(world)
    const desired = desire(context, repository.url, repository.first)
    const ready = await until(context, desired, 'ready', 'failed', 'stalled')
    expect(ready).toMatchObject({ phase: 'ready', revision: repository.first })
    expect(await find(context)).toMatchObject({ data: { version: '1' } })
    const discriminator = `preview-${context.environment.metadata.name}`
    expect((await statusOf(context))?.discriminators).toEqual([discriminator])
    expect((await deploymentOf(context))?.spec).toMatchObject({
      serviceAccountName: context.serviceAccount,
      dryRun: false,
      prune: true,
      delete: true,
      source: { git: { ref: { commit: repository.first } } },
    })

    const second = await repository.push({ ...kluctlFiles(), 'deploy/app/extra.yaml': null })
    const update = desire(context, repository.url, second, { args: { version: '2' } })
    expect(await until(context, update, 'ready', 'failed', 'stalled')).toMatchObject({
      phase: 'ready',
      revision: second,
    })
    expect(await find(context)).toMatchObject({ data: { version: '2' } })
    expect(await find(context, 'extra')).toBeUndefined()

    await untilGone(context)
    expect(await deploymentOf(context)).toBeUndefined()
    expect(await find(context)).toBeUndefined()
  })

  it('writes nothing at rest', async () => {
    const repository = await createKluctlRepository(kluctlFiles())
    const context = await createEnvironment(world)
    const desired = desire(context, repository.url, repository.first)
    await until(context, desired, 'ready')
    const before = await deploymentOf(context)
    const environment = (await nextReconcile(world, context)).environment.metadata.resourceVersion
    expect(await until(context, desired, 'ready')).toMatchObject({ phase: 'ready' })
    expect((await deploymentOf(context))?.metadata.resourceVersion).toBe(before?.metadata.resourceVersion)
    expect((await nextReconcile(world, context)).environment.metadata.resourceVersion).toBe(environment)
  })

  it('has deployed nothing before the discriminator is recorded', async () => {
    const repository = await createKluctlRepository(kluctlFiles())
    const context = await createEnvironment(world)
    const desired = desire(context, repository.url, repository.first)
    const deployer = backend()
    await waitFor(
      async () => {
        const next = await nextReconcile(world, context)
        let recorded: unknown
        next.record = async facts => {
          expect((await deploymentOf(context))?.spec).toMatchObject({ dryRun: true, prune: false, delete: false })
          recorded = facts
          throw new Error('killed')
        }
        await deployer.apply(next, desired).catch((error: Error) => expect(error.message).toBe('killed'))
        return recorded
      },
      { describe: 'the discriminator to be recorded' },
    )
    expect(await find(context)).toBeUndefined()
    expect(await until(context, desired, 'ready')).toMatchObject({ phase: 'ready' })
  })

  it('is not failed while pods start, and ready when they are: it asks kluctl again', async () => {
    const repository = await createKluctlRepository(kluctlFiles({ deployment: true }))
    const context = await createEnvironment(world)
    const desired = desire(context, repository.url, repository.first)
    const deployer = backend()
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
    expect(await until(context, desired, 'ready', 'failed')).toMatchObject({ phase: 'ready' })
    const status = (await deploymentOf(context))?.status
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
    await until(first, desire(first, repository.url, repository.first), 'ready')
    const stalled = await until(second, desire(second, repository.url, repository.first), 'ready', 'stalled')
    expect(stalled).toMatchObject({ phase: 'stalled', reason: 'DiscriminatorTaken' })
    expect(stalled.message).toContain(first.environment.metadata.name)
    expect((await deploymentOf(second))?.spec).toMatchObject({ dryRun: true, prune: false, delete: false })
    expect(await find(second)).toBeUndefined()
    expect(await until(third, desire(third, unnamed.url, unnamed.first), 'ready', 'stalled')).toMatchObject({
      reason: 'DiscriminatorEmpty',
    })
    await untilGone(second)
    expect(await find(first)).toBeDefined()
    expect(await until(first, desire(first, repository.url, repository.first), 'ready', 'stalled')).toMatchObject({
      phase: 'ready',
    })
  })

  it('stalls on a push that takes a neighbour’s discriminator, and keeps what it had', async () => {
    const own = await createKluctlRepository(kluctlFiles())
    const [neighbour, pusher] = [await createEnvironment(world), await createEnvironment(world)]
    await until(neighbour, desire(neighbour, own.url, own.first), 'ready')
    await until(pusher, desire(pusher, own.url, own.first), 'ready')
    const stolen = `preview-${neighbour.environment.metadata.name}`
    const theft = await own.push({ ...kluctlFiles({ discriminator: stolen }), 'deploy/app/extra.yaml': null })
    const stalled = await until(pusher, desire(pusher, own.url, theft), 'ready', 'stalled')
    expect(stalled).toMatchObject({ phase: 'stalled', reason: 'DiscriminatorTaken' })
    expect(await find(neighbour)).toBeDefined()
    expect(await find(pusher)).toBeDefined()
    expect((await statusOf(pusher))?.discriminators).toEqual([`preview-${pusher.environment.metadata.name}`])
    await untilGone(pusher)
    expect(await find(neighbour)).toBeDefined()
    expect(await find(pusher)).toBeUndefined()
  })

  it('tells a failed preparation without its secrets, and goes on when it is mended', async () => {
    const repository = await createKluctlRepository(kluctlFiles())
    const context = await createEnvironment(world)
    const wrong = desire(context, repository.url, repository.first, { target: 'token=hunter22' })
    const failed = await until(context, wrong, 'failed', 'ready')
    expect(failed).toMatchObject({ phase: 'failed', reason: 'PrepareFailed' })
    expect(failed.message).toContain('not existent in kluctl project config')
    expect(failed.message).not.toContain('hunter22')
    expect(await until(context, desire(context, repository.url, repository.first), 'ready')).toBeDefined()
  })

  it('cannot leave its namespace: the API server refuses, and the status says so', async () => {
    const grab =
      'apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\nmetadata: {name: "grab-{{ args.environment }}"}\n' +
      'roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}\nsubjects: []\n'
    const repository = await createKluctlRepository({ ...kluctlFiles(), 'deploy/app/grab.yaml': grab })
    const context = await createEnvironment(world)
    const failed = await until(context, desire(context, repository.url, repository.first), 'failed', 'ready')
    expect(failed).toMatchObject({ phase: 'failed', reason: 'DeployFailed' })
    expect(failed.message).toMatch(/ClusterRoleBinding grab-.*forbidden/)
  })

  it('unsuspends before it deletes, and mends requests that break kluctl', async () => {
    const repository = await createKluctlRepository(kluctlFiles())
    const context = await createEnvironment(world)
    const desired = desire(context, repository.url, repository.first)
    await until(context, desired, 'ready')
    const found = await deploymentOf(context)
    const { namespace = '', name = '' } = found?.metadata ?? {}
    const key = { apiVersion: 'gitops.kluctl.io/v1beta1', kind: 'KluctlDeployment', namespace, name }
    const broken = { metadata: { annotations: { 'kluctl.io/request-reconcile': '{"value":"1"}' } } }
    await adminClient().patch(key, broken, { type: 'merge' })
    await waitFor(async () => {
      const status = (await deploymentOf(context))?.status as { conditions?: { reason?: string }[] } | undefined
      return status?.conditions?.some(({ reason }) => reason === 'PrepareFailed')
    })
    expect(await until(context, desired, 'ready')).toMatchObject({ phase: 'ready' })

    await adminClient().patch(key, { spec: { suspend: true } }, { type: 'merge' })
    const next = await nextReconcile(world, context)
    await backend().apply(next, desired)
    expect(await backend().observe(next, desired)).toMatchObject({ phase: 'stalled', reason: 'Suspended' })
    await untilGone(context)
    expect(await find(context)).toBeUndefined()
  })

  it('names the object and the finalizer that hold a teardown', async () => {
    const repository = await createKluctlRepository(kluctlFiles())
    const context = await createEnvironment(world)
    await until(context, desire(context, repository.url, repository.first), 'ready')
    const key = configKey(context.namespace)
    await adminClient().patch(key, { metadata: { finalizers: ['example.com/hold'] } }, { type: 'merge' })
    const blocked = await waitFor(async () => {
      const seen = await backend().teardown(await nextReconcile(world, context))
      return seen.blockers.some(({ kind }) => kind === 'ConfigMap') ? seen : undefined
    })
    expect(blocked).toMatchObject({ gone: false, blockers: [{ ...key, finalizers: ['example.com/hold'] }] })
    await adminClient().patch(key, { metadata: { finalizers: null } }, { type: 'merge' })
    expect(await untilGone(context)).toMatchObject({ blockers: [] })
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
    await expect(backend().apply(context, desired)).rejects.toMatchObject({ name: 'TerminalError', reason: 'NotOurs' })
    expect(await backend().teardown(context)).toMatchObject({ gone: true })
    expect(await deploymentOf(context)).toBeDefined()
  })

  it('removes what carries an older discriminator of its own', async () => {
    const repository = await createKluctlRepository(kluctlFiles())
    const context = await createEnvironment(world)
    const discriminators = ['old-one', 'old-two'].map(name => `${name}-${context.environment.metadata.name}`)
    await context.record({ discriminators })
    const labels = { 'kluctl.io/discriminator': discriminators[1] ?? '' }
    const { namespace } = context
    await adminClient().create({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace, name: 'ours', labels } })
    await adminClient().create({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace, name: 'other' } })
    await untilGone(context)
    expect(await find(context, 'ours')).toBeUndefined()
    expect(await find(context, 'other')).toBeDefined()
    expect(repository.first).toBeDefined()
    expect((await statusOf(context)) satisfies ReviewEnvironment['status']).toMatchObject({ discriminators })
    expect(context.environment.apiVersion).toBe(apiVersion)
  })
})
