import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { apiVersion, findCondition, type ReviewEnvironment } from '../../src/api/index.ts'
import type { KubeObject } from '../../src/kube/types.ts'
import { World } from '../controller/world.ts'
import { waitFor } from '../harness/cluster.ts'

const kind = { apiVersion, kind: 'ReviewEnvironment' }

/** A ReviewEnvironment as somebody with the right to make them may write it. */
function madeByHand(world: World, name: string, spec: Partial<ReviewEnvironment['spec']>): KubeObject {
  return { ...kind, metadata: { name, namespace: world.namespace }, spec: { projectRef: { name: 'shop' }, ...spec } }
}

/** Asks for a listing. */
async function listAgain(world: World): Promise<void> {
  await world.admin.patch<KubeObject>(
    { apiVersion, kind: 'ReviewProject', namespace: world.namespace, name: 'shop' },
    { metadata: { annotations: { 'offshoot.dev/requested-at': String(Date.now()) } } },
    { type: 'merge' },
  )
}

describe('whoever may write ReviewEnvironments', () => {
  const world = new World()
  beforeAll(() => world.start())
  afterAll(() => world.stop())

  test('cannot stop the listings of a project: what is wrong with one change holds up no other', async () => {
    const closing = await world.repo.openPullRequest({ branch: 'closing' })
    world.hear({ pullRequest: closing.number })
    await world.ready({ pullRequest: closing.number }, closing.sha)
    const taken = await world.repo.openPullRequest({ branch: 'taken' })
    const { name } = world.environmentKey({ pullRequest: taken.number })
    // A name that no branch can have: the forge is never asked for it. And the name that another change needs.
    await world.admin.create(madeByHand(world, 'typo', { change: { branch: 'no such~branch' } }))
    await world.admin.create(madeByHand(world, name, { change: { branch: 'main' } }))
    await world.repo.close(closing.number)
    const opened = await world.repo.openPullRequest({ branch: 'opened' })
    const typo = { ...kind, namespace: world.namespace, name: 'typo' }
    await waitFor(
      async () => {
        const { status } = (await world.admin.get<ReviewEnvironment>(typo)) ?? {}
        return findCondition(status?.conditions, 'Stalled')?.reason === 'InvalidBranch'
      },
      { describe: 'the typo to be told' },
    )
    await listAgain(world)
    await world.ready({ pullRequest: opened.number }, opened.sha)
    await world.gone({ pullRequest: closing.number })
    const message = await waitFor(
      async () => {
        const ready = findCondition((await world.project())?.status?.conditions, 'Ready')
        return ready?.status === 'False' ? ready.message : undefined
      },
      { describe: 'the project to say which change is wrong' },
    )
    expect(message).toContain(`pr:${taken.number}`)
    expect(message).toContain(name)
  })

  test('cannot choose the commit: only the head that the forge tells is deployed', async () => {
    const fork = await world.repo.openPullRequest({ branch: 'evil', fork: true })
    const sha = await world.repo.push('mine', { 'a.txt': '1' })
    const change = { branch: 'mine' }
    const { name } = world.environmentKey(change)
    const seen = new Set<string>()
    await world.admin.create(madeByHand(world, name, { change, revision: fork.sha }))
    const ready = await world.until(
      change,
      ({ status }) => {
        if (status?.observedRevision !== undefined) seen.add(status.observedRevision)
        return status?.state === 'Ready' && status.deployedRevision === sha
      },
      'the head of the branch',
    )
    await world.admin.patch({ ...kind, ...place(ready) }, { spec: { revision: fork.sha } }, { type: 'merge' })
    // Put back without waiting for the next listing, which is an hour away.
    await world.until(
      change,
      ({ spec, status }) => {
        if (status?.observedRevision !== undefined) seen.add(status.observedRevision)
        return spec.revision === sha && status?.state === 'Ready'
      },
      'the head again',
    )
    expect([...seen]).toEqual([sha])
    expect(world.repo.statusesOf(fork.sha)).toEqual([])
    const namespace = ready.status?.namespace ?? ''
    const shop = await world.admin.get<KubeObject>({ apiVersion: 'v1', kind: 'ConfigMap', namespace, name: 'shop' })
    expect(shop?.data).toEqual({ sha })
  })

  test('and their status gains nothing outside: a foreign namespace is neither used nor deleted', async () => {
    const foreign = `${world.name}-foreign`
    await world.admin.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: foreign } })
    const sha = await world.repo.push('hostile', { 'a.txt': '1' })
    const change = { branch: 'hostile' }
    const { name } = world.environmentKey(change)
    await world.stopController()
    const made = await world.admin.create<ReviewEnvironment>(
      madeByHand(world, name, { change, revision: sha }) as ReviewEnvironment,
    )
    const now = `${new Date().toISOString().slice(0, 19)}Z`
    const status = {
      namespace: foreign,
      serviceAccount: 'default',
      backend: 'objects',
      admission: { admitted: true },
      inventory: [{ apiVersion: 'v1', kind: 'Namespace', name: foreign, serviceAccountName: 'default' }],
      times: { namespaceCreated: now, applied: now },
    }
    await world.admin.patch({ ...kind, ...place(made) }, { status }, { type: 'merge', subresource: 'status' })
    await world.startController()
    const refused = await world.until(
      change,
      each => findCondition(each.status?.conditions, 'Stalled')?.status === 'True',
      'refused',
    )
    expect(findCondition(refused.status?.conditions, 'Stalled')?.reason).toBe('NamespaceTaken')
    await world.admin.delete({ ...kind, ...place(made) })
    await waitFor(
      async () =>
        (await world.environment(change))?.status?.times?.teardownStarted !== undefined ||
        (await world.environment(change)) === undefined,
      { describe: 'the teardown' },
    )
    const bindings = { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'RoleBinding' }
    expect((await world.admin.list(bindings, { namespace: foreign })).items).toEqual([])
    const kept = await world.admin.get<KubeObject>({ apiVersion: 'v1', kind: 'Namespace', name: foreign })
    expect(kept?.metadata.deletionTimestamp).toBeUndefined()
  })
})

describe('whoever may write ReviewEnvironments and claims a namespace', () => {
  const world = new World()
  beforeAll(() => world.start())
  afterAll(() => world.stop())

  test('of somebody else gains nothing: it is neither used nor deleted', async () => {
    const foreign = `${world.name}-claimed`
    await world.admin.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: foreign } })
    const sha = await world.repo.push('claiming', { 'a.txt': '1' })
    const change = { branch: 'claiming' }
    const { name } = world.environmentKey(change)
    const { metadata, ...made } = madeByHand(world, name, { change, revision: sha }) as ReviewEnvironment
    const claim = JSON.stringify({ namespace: foreign, backend: 'objects', inventory: [] })
    const finalizers = ['offshoot.dev/teardown']
    await world.admin.create({
      ...made,
      metadata: { ...metadata, finalizers, annotations: { 'offshoot.dev/claim': claim } },
    })
    const { status } = await world.ready(change, sha)
    expect(status?.namespace).not.toBe(foreign)
    await world.admin.delete(world.environmentKey(change))
    await world.gone(change)
    const kept = await world.admin.get<KubeObject>({ apiVersion: 'v1', kind: 'Namespace', name: foreign })
    expect(kept?.metadata.deletionTimestamp).toBeUndefined()
  })
})

describe('whoever may write ReviewProjects in a namespace that was never opened to Offshoot', () => {
  const world = new World()
  const rogue = `${world.name}-rogue`
  beforeAll(() => world.start({}, { namespaces: [world.namespace, rogue] }))
  afterAll(() => world.stop())

  test('gets no namespace by it, and is told why', async () => {
    await world.admin.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: rogue } })
    const { spec } = (await world.project()) ?? {}
    if (spec === undefined) throw new Error('no project')
    const { secretRef: _, ...forge } = spec.source.forge
    await world.repo.openPullRequest({ branch: 'any' })
    const environment = { ...spec.environment, name: `${rogue}-{{ change.slug }}` }
    await world.admin.create({
      apiVersion,
      kind: 'ReviewProject',
      metadata: { namespace: rogue, name: 'shop' },
      spec: { ...spec, source: { ...spec.source, forge }, environment },
    })
    const failed = await waitFor(
      async () => {
        const { items } = await world.admin.list<ReviewEnvironment>(kind, { namespace: rogue })
        return items.find(({ status }) => findCondition(status?.conditions, 'Ready')?.reason === 'NamespaceNotOpen')
      },
      {
        describe: async () =>
          JSON.stringify((await world.admin.list<ReviewEnvironment>(kind, { namespace: rogue })).items[0]?.status),
      },
    )
    expect(findCondition(failed.status?.conditions, 'Ready')?.message).toContain(`--project-namespace ${rogue}`)
    const wanted = failed.status?.namespace ?? ''
    expect(wanted).toBe(`${rogue}-pr-1`)
    expect(await world.admin.get({ apiVersion: 'v1', kind: 'Namespace', name: wanted })).toBeUndefined()
    await world.admin.delete({ ...kind, ...place(failed) })
    await waitFor(async () => (await world.admin.get({ ...kind, ...place(failed) })) === undefined, {
      describe: 'the environment to be gone',
    })
  })
})

function place({ metadata: { namespace, name } }: ReviewEnvironment) {
  return { namespace, name }
}
