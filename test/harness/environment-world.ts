import { annotations, apiVersion, fieldManager, labels, type ReviewEnvironment } from '../../src/api/index.ts'
import type { BackendContext } from '../../src/backend/backend.ts'
import type { KubeClient } from '../../src/kube/client.ts'
import { systemClock } from '../../src/util/clock.ts'
import { silentLogger } from '../../src/util/log.ts'
import { adminClient, serviceAccountClient, uniqueName, waitFor } from './cluster.ts'
import { installRights } from './installation.ts'

/** A namespace with a project, the rights that an installation gives there, and a client that acts as the controller. */
export interface World {
  /** Namespace of the project. */
  namespace: string
  /** The controller's own account: nothing in a test may need more than it. */
  controller: KubeClient
}

/** Installs Offshoot's rights for a project namespace of its own. */
export async function installWorld(prefix: string): Promise<World> {
  const name = uniqueName(prefix)
  const namespace = `${name}-projects`
  await installRights(adminClient(), {
    name,
    controllerNamespace: `${name}-system`,
    projectNamespaces: [namespace],
    allowedClusterRoles: ['offshoot-environment'],
  })
  const controller = await serviceAccountClient(`${name}-system`, 'offshoot')
  await waitFor(async () => controller.list({ apiVersion, kind: 'ReviewProject' }), { describe: 'the rights to hold' })
  return { namespace, controller }
}

/** Makes an environment as the controller makes it: the object, its namespace, its account and the account's rights. */
export async function createEnvironment(world: World, name = uniqueName('env')): Promise<BackendContext> {
  const { controller } = world
  const created = (await controller.create({
    apiVersion,
    kind: 'ReviewEnvironment',
    metadata: { name, namespace: world.namespace },
    spec: { projectRef: { name: 'shop' }, change: { pullRequest: 1 }, origin: 'automatic' },
  })) as unknown as ReviewEnvironment
  const owner = `${world.namespace}/shop/${name}`
  const marked = {
    labels: { [labels.managedBy]: 'offshoot' },
    annotations: { [annotations.owner]: owner, [annotations.ownerUid]: created.metadata.uid ?? '' },
  }
  const namespace = uniqueName(name.slice(0, 40))
  await controller.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace, ...marked } })
  await controller.create({
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { name, namespace: world.namespace, ...marked },
  })
  await bind(world, namespace, name, { kind: 'ClusterRole', name: 'offshoot-environment' }, marked)
  await bind(world, 'kube-system', name, { kind: 'Role', name: 'offshoot-cluster-id' }, marked)
  const own = controller.as({ serviceAccount: { namespace: world.namespace, name } })
  await waitFor(async () => own.list({ apiVersion: 'v1', kind: 'ConfigMap' }, { namespace }), {
    describe: 'the rights of the environment’s account to hold',
  })
  return contextOf(world, created, namespace)
}

async function bind(
  { namespace: project, controller }: World,
  namespace: string,
  account: string,
  role: { kind: string; name: string },
  marked: object,
): Promise<void> {
  await controller.create({
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'RoleBinding',
    metadata: { name: `${project}-${account}`.slice(0, 253), namespace, ...marked },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', ...role },
    subjects: [{ kind: 'ServiceAccount', namespace: project, name: account }],
  })
}

/** A context for one reconcile; `record` writes the status as the controller does and shows it afterwards. */
export function contextOf(world: World, environment: ReviewEnvironment, namespace: string): BackendContext {
  const context: BackendContext = {
    environment,
    namespace,
    serviceAccount: environment.metadata.name,
    kube: world.controller,
    credentials: {
      own: () => Promise.resolve(undefined),
      secret: name => Promise.reject(new Error(`no Secret ${name}`)),
    },
    clock: systemClock,
    log: silentLogger,
    signal: new AbortController().signal,
    async record(facts) {
      const { metadata } = context.environment
      const key = { apiVersion, kind: 'ReviewEnvironment', namespace: metadata.namespace, name: metadata.name }
      const patch = { metadata: { resourceVersion: metadata.resourceVersion }, status: facts }
      const options = { type: 'merge', subresource: 'status', fieldManager } as const
      context.environment = (await world.controller.patch(key, patch, options)) as unknown as ReviewEnvironment
    },
  }
  return context
}

/** The next reconcile of the same environment: it knows only what the API server does. */
export async function nextReconcile(world: World, { environment, namespace }: BackendContext): Promise<BackendContext> {
  const { namespace: project, name } = environment.metadata
  const found = await world.controller.get({ apiVersion, kind: 'ReviewEnvironment', namespace: project, name })
  return contextOf(world, found as unknown as ReviewEnvironment, namespace)
}
