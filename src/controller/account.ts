import type { ReviewEnvironment } from '../api/index.ts'
import { accountName, fitName, maxName } from '../environment/names.ts'
import { KubeError } from '../kube/errors.ts'
import { formatKey, type KubeObject, keyOf, type ObjectKey } from '../kube/types.ts'
import { TerminalError } from '../util/errors.ts'
import type { ControllerContext } from './context.ts'
import { liveNamespace } from './namespace.ts'
import { isOwnedBy, ownerText, ownMetadata } from './ownership.ts'
import { sameJson } from './patch.ts'
import type { RoleBinding } from './stores.ts'

const rbac = 'rbac.authorization.k8s.io'

/** Name of the binding inside an environment's namespace. */
const bindingName = 'offshoot-environment'

/** Role in kube-system that lets an account read that namespace's uid, kluctl's id of the cluster. */
const clusterIdRole = 'offshoot-cluster-id'

/**
 * The API server goes by a new binding as soon as its own watch tells it, about when ours does; milliseconds that ours
 * is waited for. What is refused nevertheless is tried again.
 */
const bindingPatience = 100

/** Names the environment's own account and what binds it. */
export function accountOf(environment: ReviewEnvironment): string {
  return accountName(environment.metadata.name)
}

/**
 * The binding in kube-system. Its name holds the project's namespace, as environments may share a name, behind a
 * separator that no name has: `a-b` and `c` must not meet `a` and `b-c`, or one team could take another's.
 */
export function clusterIdBindingKey(environment: ReviewEnvironment): ObjectKey {
  const { namespace, name } = environment.metadata
  const full = fitName(`offshoot:${namespace}:${name}`, maxName)
  return { apiVersion: `${rbac}/v1`, kind: 'RoleBinding', namespace: 'kube-system', name: full }
}

/** The account itself, in the project's namespace. */
export function accountKey(environment: ReviewEnvironment): ObjectKey {
  const { namespace } = environment.metadata
  return { apiVersion: 'v1', kind: 'ServiceAccount', namespace, name: accountOf(environment) }
}

/**
 * Gives the environment's account its rights in the environment's namespace, and for kluctl the right to tell which
 * cluster it is.
 * @throws TerminalError when something of that name is not ours, or the cluster role is none the installation allows
 */
export async function ensureRights(
  context: ControllerContext,
  environment: ReviewEnvironment,
  options: { namespace: string; clusterRole: string; clusterId: boolean },
  signal: AbortSignal,
): Promise<void> {
  const { allowedClusterRoles } = context
  if (allowedClusterRoles !== undefined && !allowedClusterRoles.includes(options.clusterRole)) {
    const message = `spec.environment.clusterRole: expected one that this installation allows (${allowedClusterRoles.join(', ')}), got ${options.clusterRole}`
    throw new TerminalError('ClusterRoleNotAllowed', message)
  }
  const own = ownMetadata(environment)
  const subjects = [{ kind: 'ServiceAccount', name: accountOf(environment), namespace: environment.metadata.namespace }]
  const binding: RoleBinding = {
    apiVersion: `${rbac}/v1`,
    kind: 'RoleBinding',
    metadata: { name: bindingName, namespace: options.namespace, ...own },
    roleRef: { apiGroup: rbac, kind: 'ClusterRole', name: options.clusterRole },
    subjects,
  }
  const { apiVersion, kind, namespace = '', name } = clusterIdBindingKey(environment)
  const clusterId: RoleBinding = {
    apiVersion,
    kind,
    metadata: { name, namespace, ...own },
    roleRef: { apiGroup: rbac, kind: 'Role', name: clusterIdRole },
    subjects,
  }
  await Promise.all([
    ensureBinding(context, environment, binding, signal),
    ...(options.clusterId ? [ensureBinding(context, environment, clusterId, signal)] : []),
  ])
}

/** Deletes an object of the environment if it is its own; gives it as long as it is there. Waits for nothing. */
export async function removeOwn(
  context: ControllerContext,
  environment: ReviewEnvironment,
  key: ObjectKey,
  signal: AbortSignal,
): Promise<KubeObject | undefined> {
  try {
    const found = await context.kube.getMetadata(key, { signal })
    if (found === undefined || !isOwnedBy(found, environment)) return undefined
    const { uid } = found.metadata
    return await context.kube.delete(key, { ...(uid === undefined ? {} : { uid }), signal })
  } catch (error) {
    if (await tookOurRights(context, error, key.namespace ?? '', signal)) return undefined
    throw error
  }
}

/**
 * Whether the controller was refused because the namespace is going away, and its rights in there went first: what is
 * inside goes with the namespace.
 */
export async function tookOurRights(
  context: ControllerContext,
  error: unknown,
  namespace: string,
  signal: AbortSignal,
): Promise<boolean> {
  if (!(error instanceof KubeError && error.isForbidden)) return false
  const found = await liveNamespace(context, namespace, signal)
  return found === undefined || found.metadata.deletionTimestamp !== undefined
}

/**
 * Makes the environment's account. This comes before anything else is made: that the controller may not make accounts
 * in a namespace is how the installation says that projects in there get nothing.
 * @throws TerminalError `NamespaceNotOpen` for such a namespace, `NameTaken` when an account of that name is not ours
 */
export async function ensureServiceAccount(
  context: ControllerContext,
  environment: ReviewEnvironment,
  environmentNamespace: string,
  signal: AbortSignal,
): Promise<void> {
  const { serviceAccount, state } = environment.status ?? {}
  const known = context.stores.namespaces.get(undefined, environmentNamespace) !== undefined
  // Nobody watches accounts. One that was recorded is there, unless something else fails: then it is looked at again.
  if (known && serviceAccount !== undefined && (state === 'Ready' || state === 'Deploying')) return
  const key = accountKey(environment)
  const { namespace = '', name } = key
  const account: KubeObject = {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { namespace, name, ...ownMetadata(environment) },
  }
  try {
    await context.kube.create(account, { signal })
  } catch (error) {
    if (error instanceof KubeError && error.isForbidden && !error.isNamespaceTerminating) {
      const message = `namespace ${namespace} is not open to projects: it needs \`offshoot install --project-namespace ${namespace}\``
      throw new TerminalError('NamespaceNotOpen', message, { cause: error })
    }
    if (!(error instanceof KubeError && error.isAlreadyExists)) throw error
    refuseForeign(environment, key, await context.kube.getMetadata(key, { signal }), error)
  }
}

async function ensureBinding(
  context: ControllerContext,
  environment: ReviewEnvironment,
  wanted: RoleBinding,
  signal: AbortSignal,
): Promise<void> {
  const key = keyOf(wanted)
  const known = context.stores.bindings.get(key.namespace, key.name)
  if (known !== undefined && isOwnedBy(known, environment)) {
    if (sameJson(known.roleRef, wanted.roleRef) && sameSubjects(known, wanted)) return
    // What a binding refers to cannot be changed.
    const { uid } = known.metadata
    await context.kube.delete(key, { ...(uid === undefined ? {} : { uid }), signal })
    context.stores.bindings.assumeDeleted(known)
  }
  try {
    const bound = await context.kube.create(wanted, { signal })
    context.stores.bindings.assume(bound)
    await context.stores.bindings.hears(bound.metadata.resourceVersion ?? '', bindingPatience, signal)
  } catch (error) {
    if (!(error instanceof KubeError)) throw error
    if (error.isForbidden && !error.isNamespaceTerminating) {
      const message = `${wanted.roleRef.kind} ${wanted.roleRef.name} is none that this installation lets projects use: ${error.message}`
      throw new TerminalError('ClusterRoleNotAllowed', message, { cause: error })
    }
    if (!error.isAlreadyExists) throw error
    refuseForeign(environment, key, await context.kube.getMetadata(key, { signal }), error)
  }
}

/** The server fills in an apiGroup that we leave out. */
function sameSubjects(a: RoleBinding, b: RoleBinding): boolean {
  const plain = ({ subjects = [] }: RoleBinding) =>
    subjects.map(({ kind, name, namespace }) => ({ kind, name, namespace }))
  return sameJson(plain(a), plain(b))
}

function refuseForeign(
  environment: ReviewEnvironment,
  key: ObjectKey,
  found: KubeObject | undefined,
  cause: KubeError,
): void {
  // Gone again in between: tried anew.
  if (found === undefined) throw cause
  if (isOwnedBy(found, environment)) return
  throw new TerminalError('NameTaken', `${formatKey(key)} exists and is left alone: ${ownerText(found)}`, { cause })
}
