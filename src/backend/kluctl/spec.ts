import { annotations } from '../../api/index.ts'
import type { GitRef } from '../../engine/host.ts'
import type { DesiredKluctlDeployment } from '../../environment/desired.ts'
import type { KubeObject } from '../../kube/types.ts'
import type { BackendContext } from '../backend.ts'
import { contains, digestOf } from '../digest.ts'
import type { EnvironmentProject } from '../environment-project.ts'
import type { GitSecretReference } from '../git-credential.ts'
import { ownershipOf } from '../ownership.ts'
import { deploymentKey, type KluctlDeployment } from './resource.ts'

/**
 * `live` deploys, and may only follow on a discriminator that is known to be this environment's own. `held` deploys
 * nothing and goes on telling the discriminator: neither prune nor delete can do harm in it.
 */
export type Mode = 'live' | 'held'

/** Fields that a project never decides: by them a deployment would escape its account, or its end. */
const reserved: ReadonlySet<string> = new Set([
  'suspend',
  'kubeConfig',
  'serviceAccountName',
  'manual',
  'manualObjectsHash',
  'targetNameOverride',
])

/** The Kluctl project of an environment, at the change's commit if it is in the change's own repository. */
export function projectOf({ spec, ownRepository }: DesiredKluctlDeployment, revision: string): EnvironmentProject {
  const { git } = spec.source as { git: { url: string; path?: string; ref?: GitRef } }
  const { git: secrets } = (spec.credentials ?? {}) as { git?: GitSecretReference[] }
  const { url, path = '', ref = {} } = git
  return { url, path, ref: ownRepository ? { commit: revision } : ref, ownRepository, secrets }
}

/** The environment's KluctlDeployment as it goes to the server, in either mode. */
export function formsOf(
  context: BackendContext,
  backend: DesiredKluctlDeployment,
  commit: string,
): Record<Mode, KubeObject> {
  const { apiVersion, kind, namespace, name } = deploymentKey(context)
  const owned = ownershipOf(context.environment)
  const spec = baseSpec(context, backend, commit)
  const digest = digestOf({ spec, prune: backend.prune })
  const metadata = {
    name,
    ...(namespace === undefined ? {} : { namespace }),
    labels: owned.labels,
    annotations: { ...owned.annotations, [annotations.digest]: digest },
  }
  const form = { apiVersion, kind, metadata }
  return {
    live: { ...form, spec: { ...spec, dryRun: false, prune: backend.prune, delete: true } },
    held: { ...form, spec: { ...spec, dryRun: true, prune: false, delete: false } },
  }
}

function baseSpec(
  { serviceAccount }: BackendContext,
  backend: DesiredKluctlDeployment,
  commit: string,
): Record<string, unknown> {
  const given = Object.fromEntries(Object.entries(backend.spec).filter(([field]) => !reserved.has(field)))
  const source = (given.source ?? {}) as Record<string, unknown>
  const git = (source.git ?? {}) as Record<string, unknown>
  return {
    ...given,
    // A branch could move on to a discriminator that nobody has proven.
    source: { ...source, git: { ...git, ref: { commit } } },
    ...(backend.target === undefined ? {} : { target: backend.target }),
    args: backend.args,
    // Never absent: without it kluctl would act as its own account, which is cluster-admin.
    serviceAccountName: serviceAccount,
    validate: true,
  }
}

/** The mode in which the object holds exactly what `forms` ask for; undefined when it holds anything else. */
export function modeOf({ object, spec }: KluctlDeployment, forms: Record<Mode, KubeObject>): Mode | undefined {
  const mode: Mode = spec.dryRun === true ? 'held' : 'live'
  const form = forms[mode]
  const digest = object.metadata.annotations?.[annotations.digest]
  const same = digest === form.metadata.annotations?.[annotations.digest] && contains(spec, form.spec)
  return same ? mode : undefined
}
