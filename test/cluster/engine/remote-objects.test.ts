import { beforeAll, expect, test } from 'vitest'
import { findRemoteObjects } from '../../../src/engine/cluster/remote-objects.ts'
import type { ClusterContext } from '../../../src/engine/cluster/types.ts'
import { inclusion } from '../../../src/engine/deployment/inclusion.ts'
import { silentProgress } from '../../../src/engine/host.ts'
import type { Manifest } from '../../../src/engine/item.ts'
import { resolveConflicts } from '../../../src/engine/plan/conflicts.ts'
import { Problems } from '../../../src/engine/plan/problems.ts'
import { formatRef, refOf } from '../../../src/engine/plan/refs.ts'
import type { KubeClient } from '../../../src/kube/client.ts'
import { KubeError } from '../../../src/kube/errors.ts'
import type { KubeObject } from '../../../src/kube/types.ts'
import { systemClock } from '../../../src/util/clock.ts'
import { adminClient, serviceAccountClient, uniqueName, uniqueNamespace } from '../../harness/cluster.ts'

let namespace: string
let elsewhere: string
const discriminator = uniqueName('target')
const clusterRole = uniqueName('engine-remote')

beforeAll(async () => {
  namespace = await uniqueNamespace('engine-remote')
  elsewhere = await uniqueNamespace('engine-elsewhere')
  await Promise.all([
    deploy(configMap('mine', namespace)),
    deploy(configMap('mine', elsewhere)),
    deploy(configMap('other', namespace, 'somebody-else')),
    deploy({ ...configMap('plain', namespace), metadata: { name: 'plain', namespace } }),
    deploy(object('v1', 'Secret', 'mine', namespace, { stringData: { key: 'value' } })),
    deploy(object('rbac.authorization.k8s.io/v1', 'ClusterRole', clusterRole, undefined, { rules: [] })),
  ])
})

function object(apiVersion: string, kind: string, name: string, ns: string | undefined, rest: object): KubeObject {
  const labels = { 'kluctl.io/discriminator': discriminator }
  return { apiVersion, kind, metadata: { name, ...(ns === undefined ? {} : { namespace: ns }), labels }, ...rest }
}

function configMap(name: string, ns: string, other = discriminator): KubeObject {
  const made = object('v1', 'ConfigMap', name, ns, { data: { from: name } })
  return { ...made, metadata: { ...made.metadata, labels: { 'kluctl.io/discriminator': other } } }
}

function deploy(one: KubeObject, fieldManager = 'kluctl'): Promise<KubeObject> {
  return adminClient().apply(one, { fieldManager })
}

function contextOf(kube: KubeClient): ClusterContext & { warnings: () => string[] } {
  const problems = new Problems()
  return {
    kube,
    problems,
    clock: systemClock,
    random: Math.random,
    progress: silentProgress,
    signal: AbortSignal.timeout(100_000),
    warnings: () => problems.warnings.map(({ message }) => message),
  }
}

const configMapRef = (name: string, ns = namespace) => ({ version: 'v1', kind: 'ConfigMap', name, namespace: ns })
const everything = { discriminator, inclusion: inclusion({}), hasTags: false }

/** An account that may do all it likes with ConfigMaps of one namespace, and nothing else. */
async function lesserAccount(): Promise<KubeClient> {
  const name = 'lesser'
  const rules = [{ apiGroups: [''], resources: ['configmaps'], verbs: ['*'] }]
  const apiGroup = 'rbac.authorization.k8s.io'
  const admin = adminClient()
  await admin.create({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, namespace } })
  await admin.create({ apiVersion: `${apiGroup}/v1`, kind: 'Role', metadata: { name, namespace }, rules })
  await admin.create({
    apiVersion: `${apiGroup}/v1`,
    kind: 'RoleBinding',
    metadata: { name, namespace },
    roleRef: { apiGroup, kind: 'Role', name },
    subjects: [{ kind: 'ServiceAccount', name, namespace }],
  })
  return serviceAccountClient(namespace, name)
}

test('objects with the discriminator in the whole cluster, whole where their kind is rendered; others by name', async () => {
  const context = contextOf(adminClient())
  const refs = [configMapRef('mine'), configMapRef('plain'), configMapRef('missing'), configMapRef('x', 'no-such')]
  const remote = await findRemoteObjects(context, { discriminator, refs })

  expect(
    remote
      .all()
      .map(one => formatRef(refOf(one)))
      .sort(),
  ).toEqual(
    [
      `${namespace}/ConfigMap/mine`,
      `${namespace}/ConfigMap/plain`,
      `${elsewhere}/ConfigMap/mine`,
      `${namespace}/Secret/mine`,
      `ClusterRole/${clusterRole}`,
    ].sort(),
  )
  expect(remote.get(configMapRef('mine'))).toMatchObject({ data: { from: 'mine' } })
  expect(remote.get(configMapRef('plain'))).toMatchObject({ data: { from: 'plain' } })
  expect(remote.get({ version: 'v1', kind: 'Secret', name: 'mine', namespace })).not.toHaveProperty('data')
  expect(context.problems.warnings).toEqual([])
  expect(context.problems.errors).toEqual([])

  const orphans = remote.toDelete({ ...everything, keep: refs })
  expect(orphans.map(formatRef).sort()).toEqual(
    [`ClusterRole/${clusterRole}`, `${elsewhere}/ConfigMap/mine`, `${namespace}/Secret/mine`].sort(),
  )
})

test('more objects than fit on one page', async () => {
  const many = uniqueName('many')
  const names = Array.from({ length: 105 }, (_, index) => `many-${index}`)
  await Promise.all(names.map(name => deploy(configMap(name, elsewhere, many))))
  const remote = await findRemoteObjects(contextOf(adminClient()), {
    discriminator: many,
    refs: [configMapRef('many-0', elsewhere)],
    onlyUsedKinds: true,
  })
  expect(remote.all()).toHaveLength(105)
})

test('an account of one namespace sees what is there, and is told that this may not be all', async () => {
  const kube = await lesserAccount()
  const context = contextOf(kube)
  const remote = await findRemoteObjects(context, { discriminator, refs: [configMapRef('plain')] })

  expect(
    remote
      .all()
      .map(one => formatRef(refOf(one)))
      .sort(),
  ).toEqual([`${namespace}/ConfigMap/mine`, `${namespace}/ConfigMap/plain`])
  expect(context.warnings()).toEqual([
    expect.stringContaining('listing objects by discriminator on global level failed due to permission errors'),
    expect.stringContaining('at least one permission error was encountered while gathering objects by discriminator'),
  ])
  expect(context.problems.errors).toEqual([])

  // A delete renders nothing: the account's own namespace is where it looks.
  const deletion = await findRemoteObjects(contextOf(kube), { discriminator, refs: [] })
  expect(deletion.toDelete(everything).map(formatRef)).toEqual([`${namespace}/ConfigMap/mine`])

  const unreadable = contextOf(kube)
  const secret = { version: 'v1', kind: 'Secret', name: 'mine', namespace }
  expect((await findRemoteObjects(unreadable, { discriminator: '', refs: [secret] })).get(secret)).toBeUndefined()
  expect(unreadable.warnings()).toEqual([expect.stringContaining('while gathering known objects')])
})

test("conflicts as the API server names them: others keep their fields, a person's hand is overruled", async () => {
  const ports = (targetPort: number) => [
    { name: 'http', port: 80, targetPort },
    { name: 'https', port: 443, protocol: 'TCP', targetPort },
  ]
  const service = (targetPort: number, annotation: string): KubeObject => ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'web', namespace, annotations: { 'a.b/c': annotation } },
    spec: { selector: { app: 'web' }, ports: ports(targetPort) },
  })
  const [http] = ports(8081)
  await deploy(service(8080, 'rendered'))
  const meta = { apiVersion: 'v1', kind: 'Service', metadata: { name: 'web', namespace } }
  await adminClient().apply({ ...meta, spec: { ports: [http] } }, { fieldManager: 'autoscaler', force: true })
  await adminClient().apply(
    { ...meta, metadata: { ...meta.metadata, annotations: { 'a.b/c': 'by hand' } } },
    { fieldManager: 'kubectl-edit', force: true },
  )
  const rendered = service(9090, 'rendered again')
  const error = await deploy(rendered).catch((reason: unknown) => reason)
  if (!(error instanceof KubeError)) throw new Error('expected a conflict')
  const remote = await adminClient().get<KubeObject>({ ...meta, name: 'web', namespace })

  const { object: resolved, lost } = resolveConflicts(
    rendered as unknown as Manifest,
    remote as unknown as Manifest,
    error.details.causes ?? [],
    [],
  )
  expect(lost).toMatchObject([{ field: '.spec.ports[port=80,protocol="TCP"].targetPort' }])
  const applied = await adminClient().apply(resolved as unknown as KubeObject, { fieldManager: 'kluctl', force: true })
  expect(applied).toMatchObject({
    metadata: { annotations: { 'a.b/c': 'rendered again' } },
    spec: { ports: [{ targetPort: 8081 }, { targetPort: 9090 }] },
  })
})
