import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Condition, KubeObject } from '../../src/kube/types.ts'
import {
  adminClient,
  adminKubeconfig,
  createServiceAccount,
  uniqueName,
  uniqueNamespace,
  waitFor,
} from '../harness/cluster.ts'
import { type KluctlController, startKluctlController } from '../harness/kluctl-controller/controller.ts'
import { makeDeploymentReady } from '../harness/kluctl-controller/ready.ts'
import { createKluctlRepository, type KluctlRepository, kluctlFiles } from '../harness/kluctl-project.ts'

/** The stand-in must say and do what the real controller was seen to (K1 to K14). */

type Deployment = KubeObject & {
  spec: Record<string, unknown>
  status?: Record<string, unknown> & { conditions?: Condition[]; targetKey?: { discriminator?: string } }
}

const kind = { apiVersion: 'gitops.kluctl.io/v1beta1', kind: 'KluctlDeployment' }
let namespace: string
let kluctl: KluctlController
let repository: KluctlRepository & { first: string }

beforeAll(async () => {
  namespace = await uniqueNamespace('kluctl-standin')
  kluctl = await startKluctlController(adminKubeconfig(), { namespaces: [namespace] })
  repository = await createKluctlRepository(kluctlFiles())
})
afterAll(async () => {
  await kluctl.stop()
  await adminClient().close()
})

async function create(spec: Record<string, unknown> = {}): Promise<{ name: string; target: string }> {
  const name = uniqueName('shop')
  const target = await uniqueNamespace('target')
  await adminClient().create({
    ...kind,
    metadata: { namespace, name },
    spec: {
      interval: '5m',
      prune: true,
      delete: true,
      target: 'preview',
      args: { environment: name, namespace: target },
      source: { git: { url: repository.url, path: 'deploy' } },
      ...spec,
    },
  })
  return { name, target }
}

const get = (name: string) => adminClient().get<Deployment>({ ...kind, namespace, name })
const patch = (name: string, change: object) =>
  adminClient().patch({ ...kind, namespace, name }, change, { type: 'merge' })
const configMap = (target: string) =>
  adminClient().get({ apiVersion: 'v1', kind: 'ConfigMap', namespace: target, name: 'config' })

function ready(name: string, reason: string): Promise<Deployment> {
  return waitFor(
    async () => {
      const found = await get(name)
      const condition = found?.status?.conditions?.find(({ type }) => type === 'Ready')
      const current = found?.status?.observedGeneration === found?.metadata.generation
      return condition?.reason === reason && current ? found : undefined
    },
    {
      describe: async () => `Ready for ${reason}: ${JSON.stringify((await get(name))?.status)} ${kluctl.errors.join()}`,
    },
  )
}

const gone = (name: string) => waitFor(async () => (await get(name)) === undefined, { describe: `${name} to go` })

/** Paths and types of everything in a value: `lastDeployResult.commandInfo.endTime: string`. */
function shapeOf(value: unknown, path = ''): string[] {
  if (Array.isArray(value)) return value.slice(0, 1).flatMap(item => shapeOf(item, `${path}[]`))
  if (typeof value !== 'object' || value === null) return [`${path}: ${typeof value}`]
  return Object.entries(value).flatMap(([key, inner]) => shapeOf(inner, path === '' ? key : `${path}.${key}`))
}

function recorded(name: string): Deployment {
  const path = join(import.meta.dirname, '..', 'fixtures', 'kluctl-controller', `${name}.json`)
  return JSON.parse(readFileSync(path, 'utf8')) as Deployment
}

describe('the stand-in for the kluctl controller', () => {
  it('writes statuses of the recorded shape', async () => {
    const { name, target } = await create()
    await ready(name, 'ReconciliationSucceeded')
    await patch(name, { metadata: { annotations: { 'kluctl.io/request-validate': '{"requestValue":"1"}' } } })
    const done = await waitFor(async () => {
      const found = await get(name)
      const result = found?.status?.validateRequestResult as { endTime?: string } | undefined
      return result?.endTime === undefined ? undefined : ready(name, 'ReconciliationSucceeded')
    })
    // The arguments are the project's own.
    const own = /\.args\./
    const shape = ({ status }: Deployment) => [...new Set(shapeOf(status).filter(line => !own.test(line)))].sort()
    expect(shape(done)).toEqual(shape(recorded('ready')))
    expect(done.metadata.annotations ?? {}).not.toHaveProperty(['kluctl.io/request-validate'])
    const labels = (await configMap(target))?.metadata.labels
    expect(labels).toMatchObject({ 'kluctl.io/discriminator': `preview-${name}`, 'kluctl.io/tag-0': 'app' })
  })

  it('says why a preparation failed, and fails every reconcile until a broken request is mended (K3)', async () => {
    const { name } = await create({ target: 'nope' })
    const failed = await ready(name, 'PrepareFailed')
    expect(failed.status?.lastPrepareError).toBe(recorded('prepare-failed').status?.lastPrepareError)
    await patch(name, { spec: { target: 'preview' } })
    await ready(name, 'ReconciliationSucceeded')
    await patch(name, { metadata: { annotations: { 'kluctl.io/request-reconcile': '{"value":"1"}' } } })
    await ready(name, 'PrepareFailed')
    await patch(name, { spec: { prune: false } })
    await waitFor(async () => (await get(name))?.status?.observedGeneration === (await get(name))?.metadata.generation)
    expect((await ready(name, 'PrepareFailed')).status?.lastPrepareError).toContain('unknown field "value"')
  })

  it('validates once, before pods are ready, and again after its interval only (K2)', async () => {
    const source = {
      git: { url: (await createKluctlRepository(kluctlFiles({ deployment: true }))).url, path: 'deploy' },
    }
    const { name, target } = await create({ source })
    const failed = await ready(name, 'ValidateFailed')
    const errors = ({ status }: Deployment) => (status?.lastValidateResult as { errors?: object[] } | undefined)?.errors
    const [expected] = errors(recorded('validate-failed')) ?? []
    expect(errors(failed)).toMatchObject([{ ...expected, ref: { kind: 'Deployment', name: 'web', namespace: target } }])
    await makeDeploymentReady(adminClient(), target, 'web')
    await patch(name, { metadata: { annotations: { 'kluctl.io/request-reconcile': '{"requestValue":"again"}' } } })
    await waitFor(async () => {
      const result = (await get(name))?.status?.reconcileRequestResult as { endTime?: string } | undefined
      return result?.endTime
    })
    expect(await ready(name, 'ValidateFailed')).toBeDefined()

    // A controller for which five minutes are over at once.
    const hasty = await startKluctlController(adminKubeconfig(), { namespaces: [namespace], intervalScale: 0.001 })
    expect(await ready(name, 'ReconciliationSucceeded')).toBeDefined()
    await hasty.stop()
  })

  it('deploys nothing in a dry run and still tells the discriminator (K10)', async () => {
    const { name, target } = await create({ dryRun: true, prune: false, delete: false })
    const dry = await waitFor(async () => {
      const found = await get(name)
      return found?.status?.lastDeployResult ? found : undefined
    })
    expect(dry.status?.targetKey?.discriminator).toBe(`preview-${name}`)
    expect(dry.status?.lastDeployResult).toMatchObject({ commandInfo: { dryRun: true } })
    expect(await configMap(target)).toBeUndefined()
    await patch(name, { spec: { dryRun: false } })
    const live = await ready(name, 'ReconciliationSucceeded')
    expect(live.status?.lastDeployResult).not.toHaveProperty('commandInfo.dryRun')
    expect(await configMap(target)).toBeDefined()
  })

  it('pins a commit, and cannot find one of a fork (K11)', async () => {
    const elsewhere = await repository.pushElsewhere('refs/pull/1/head', { 'other.txt': 'x' })
    const git = { url: repository.url, path: 'deploy' }
    const pinned = await create({ source: { git: { ...git, ref: { commit: repository.first } } } })
    expect((await ready(pinned.name, 'ReconciliationSucceeded')).status?.observedCommit).toBe(repository.first)
    const fork = await create({ source: { git: { ...git, ref: { commit: elsewhere } } } })
    await ready(fork.name, 'PrepareFailed')
  })

  it('destroys a neighbour’s objects where both have one discriminator, and may do everything without an account (K10, K12)', async () => {
    const shared = await createKluctlRepository(kluctlFiles({ discriminator: uniqueName('same') }))
    const source = { git: { url: shared.url, path: 'deploy' } }
    const first = await create({ source })
    await ready(first.name, 'ReconciliationSucceeded')
    const second = await create({ source })
    await ready(second.name, 'ReconciliationSucceeded')
    expect(await configMap(first.target)).toBeUndefined()
    expect(await configMap(second.target)).toBeDefined()
  })

  it('lets go of its object although others stay (K6), and deletes nothing while suspended (K7)', async () => {
    const [held, asleep, plain] = [await create(), await create(), await create()]
    for (const { name } of [held, asleep, plain]) await ready(name, 'ReconciliationSucceeded')
    const key = { apiVersion: 'v1', kind: 'ConfigMap', namespace: held.target, name: 'config' }
    await adminClient().patch(key, { metadata: { finalizers: ['example.com/hold'] } }, { type: 'merge' })
    await patch(asleep.name, { spec: { suspend: true } })
    for (const { name } of [held, asleep, plain]) await adminClient().delete({ ...kind, namespace, name })
    for (const { name } of [held, asleep, plain]) await gone(name)
    expect((await configMap(held.target))?.metadata.deletionTimestamp).toBeDefined()
    expect((await configMap(asleep.target))?.metadata.deletionTimestamp).toBeUndefined()
    expect(await configMap(asleep.target)).toBeDefined()
    expect(await configMap(plain.target)).toBeUndefined()
    await adminClient().patch(key, { metadata: { finalizers: null } }, { type: 'merge' })
  })

  it('needs to read kube-system, prunes, but deletes nothing as an account of one namespace (K13)', async () => {
    const account = uniqueName('account')
    const { name, target } = await create({ serviceAccountName: account })
    const stuck = await ready(name, 'DeployFailed')
    expect(stuck.status?.conditions).toMatchObject([{ message: 'deployment status unknown' }])
    await createServiceAccount(
      namespace,
      account,
      [{ apiGroups: [''], resources: ['namespaces'], resourceNames: ['kube-system'], verbs: ['get'] }],
      { cluster: true },
    )
    const rbac = { apiVersion: 'rbac.authorization.k8s.io/v1', namespace: target, name: account }
    const rule = { apiGroups: [''], resources: ['configmaps'], verbs: ['get', 'list', 'create', 'patch', 'delete'] }
    const metadata = { namespace: target, name: account }
    await adminClient().create({ apiVersion: rbac.apiVersion, kind: 'Role', metadata, rules: [rule] })
    await adminClient().create({
      apiVersion: rbac.apiVersion,
      kind: 'RoleBinding',
      metadata,
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: account },
      subjects: [{ kind: 'ServiceAccount', namespace, name: account }],
    })
    await patch(name, { metadata: { annotations: { 'kluctl.io/request-reconcile': '{"requestValue":"rights"}' } } })
    await ready(name, 'ReconciliationSucceeded')
    expect(await configMap(target)).toBeDefined()
    await adminClient().delete({ ...kind, namespace, name })
    await gone(name)
    expect((await configMap(target))?.metadata.deletionTimestamp).toBeUndefined()
    expect(await configMap(target)).toBeDefined()
  })
})
