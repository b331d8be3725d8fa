import { annotations } from '../../api/index.ts'
import type { DesiredEnvironment, DesiredKluctlDeployment } from '../../environment/desired.ts'
import type { KubeObject } from '../../kube/types.ts'
import type { BackendContext } from '../backend.ts'
import { contains, digestOf } from '../digest.ts'
import { ownershipOf } from '../ownership.ts'
import { deploymentKey, type KluctlDeployment } from './resource.ts'

/**
 * `check` deploys nothing and tells the discriminator: neither prune nor delete can do harm in it. `live` deploys, and
 * may only follow on a discriminator that is known to be this environment's own.
 */
export type Mode = 'check' | 'live'

/** Fields that a project never decides: by them a deployment would escape its account, or its end. */
const reserved: ReadonlySet<string> = new Set([
  'suspend',
  'kubeConfig',
  'serviceAccountName',
  'manual',
  'manualObjectsHash',
  'targetNameOverride',
])

/** The commit that kluctl must have seen, when Offshoot pins one. */
export function pinnedCommit({ revision }: DesiredEnvironment, backend: DesiredKluctlDeployment): string | undefined {
  return backend.ownRepository ? revision : undefined
}

/** The environment's KluctlDeployment as it goes to the server. */
export function buildDeployment(
  context: BackendContext,
  desired: DesiredEnvironment,
  backend: DesiredKluctlDeployment,
  mode: Mode,
): KubeObject {
  const { apiVersion, kind, namespace, name } = deploymentKey(context)
  const owned = ownershipOf(context.environment)
  const spec = baseSpec(context, desired, backend)
  const digest = digestOf({ spec, prune: backend.prune })
  const live = mode === 'live'
  return {
    apiVersion,
    kind,
    metadata: {
      name,
      ...(namespace === undefined ? {} : { namespace }),
      labels: owned.labels,
      annotations: { ...owned.annotations, [annotations.digest]: digest },
    },
    spec: { ...spec, dryRun: !live, prune: live && backend.prune, delete: live },
  }
}

function baseSpec(
  { serviceAccount }: BackendContext,
  desired: DesiredEnvironment,
  backend: DesiredKluctlDeployment,
): Record<string, unknown> {
  const given = Object.fromEntries(Object.entries(backend.spec).filter(([field]) => !reserved.has(field)))
  const source = (given.source ?? {}) as Record<string, unknown>
  const git = (source.git ?? {}) as Record<string, unknown>
  const commit = pinnedCommit(desired, backend)
  return {
    ...given,
    ...(commit === undefined ? {} : { source: { ...source, git: { ...git, ref: { commit } } } }),
    ...(backend.target === undefined ? {} : { target: backend.target }),
    args: backend.args,
    // Never absent: without it kluctl would act as its own account, which is cluster-admin.
    serviceAccountName: serviceAccount,
    validate: true,
  }
}

/** The mode in which the object holds exactly what `forms` ask for; undefined when it holds anything else. */
export function modeOf({ object, spec }: KluctlDeployment, forms: Record<Mode, KubeObject>): Mode | undefined {
  const mode: Mode = spec.dryRun === true ? 'check' : 'live'
  const form = forms[mode]
  const digest = object.metadata.annotations?.[annotations.digest]
  const same = digest === form.metadata.annotations?.[annotations.digest] && contains(spec, form.spec)
  return same ? mode : undefined
}
