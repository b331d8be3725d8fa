import { fieldManager } from '../api/index.ts'
import type { JsonObject } from '../engine/values.ts'
import type { DesiredEnvironment, DesiredKluctlDeployment } from '../environment/desired.ts'
import type { KubeObject } from '../kube/types.ts'
import { OffshootError, TerminalError } from '../util/errors.ts'
import type { Backend, BackendContext, Observation } from './backend.ts'
import { commitOf, pinProject, proveDiscriminator, recordDiscriminator } from './environment-project.ts'
import type { Discriminators } from './kluctl/discriminators.ts'
import { loadingProject, observeDeployment, refused } from './kluctl/observe.ts'
import { mendRequests } from './kluctl/requests.ts'
import { deploymentKey, isStrange, type KluctlDeployment, parseDeployment, readDeployment } from './kluctl/resource.ts'
import { formsOf, modeOf, projectOf } from './kluctl/spec.ts'
import { teardownDeployment } from './kluctl/teardown.ts'
import { isOurs, ownerText } from './ownership.ts'
import type { ProjectSources } from './project-source.ts'
import { refusalOf, throwRefusals } from './refusals.ts'

/** What backend `kluctlDeployment` works with besides the cluster. */
export interface KluctlServices {
  discriminators: Discriminators
  projects: ProjectSources
}

/** What `apply` left behind for the `observe` of the same reconcile. */
interface Seen {
  deployment?: KluctlDeployment | undefined
  /** Why nothing was written. */
  obstacle?: Observation
}

/** How long a project may take to load before the reconcile goes on without it, in milliseconds. */
const loadPatience = 5_000

/**
 * Backend `kluctlDeployment`: writes a KluctlDeployment that the kluctl controller carries out as the environment's
 * account. Before a commit, target or argument is written, the project's discriminator is worked out here, and nothing
 * is written unless that is this environment's own (and recorded). Should kluctl come to another one, it is stopped.
 */
export function kluctlDeploymentBackend(services: KluctlServices): Backend {
  const seen = new WeakMap<BackendContext, Seen>()
  return {
    name: 'kluctlDeployment',
    async apply(context, desired) {
      const result = await applyDeployment(context, backendOf(desired), desired.revision, services)
      if (result) seen.set(context, result)
    },
    async observe(context, desired) {
      const { deployment, obstacle } = seen.get(context) ?? { deployment: await readDeployment(context) }
      seen.delete(context)
      return obstacle ?? observeDeployment(context, backendOf(desired), desired.revision, deployment)
    },
    teardown: context => teardownDeployment(context, services.discriminators),
  }
}

function backendOf({ backend }: DesiredEnvironment): DesiredKluctlDeployment {
  if (backend.kind !== 'kluctlDeployment') {
    throw new OffshootError(`backend kluctlDeployment was asked for ${backend.kind}`)
  }
  return backend
}

async function applyDeployment(
  context: BackendContext,
  backend: DesiredKluctlDeployment,
  revision: string,
  services: KluctlServices,
): Promise<Seen | undefined> {
  const found = await readDeployment(context)
  if (found !== undefined && !isOurs(found.object, context.environment)) {
    throw new TerminalError('NotOurs', `KluctlDeployment ${found.object.metadata.name} ${ownerText(found.object)}`)
  }
  // What is being deleted is made anew when it is gone.
  if (found?.object.metadata.deletionTimestamp !== undefined) return { deployment: found }
  if (found !== undefined && (await mendRequests(context, found))) return undefined
  const project = projectOf(backend, revision)
  const forms = formsOf(context, backend, await commitOf(context, services.projects, project))
  const mode = found && modeOf(found, forms)
  const strange = () => found !== undefined && isStrange(found, context.environment)
  if (strange() && mode !== 'held') return { deployment: await write(context, forms.held, found) }
  if (mode === 'live') return { deployment: found }
  const obstacle = await prove(context, backend, revision, services)
  if (obstacle !== undefined) return { deployment: found, obstacle }
  return { deployment: strange() ? found : await write(context, forms.live, found) }
}

/** Proves the discriminator to be this environment's own and records it; gives what is in the way of that. */
async function prove(
  context: BackendContext,
  backend: DesiredKluctlDeployment,
  revision: string,
  { projects, discriminators }: KluctlServices,
): Promise<Observation | undefined> {
  const pinned = await pinProject(context, projects, projectOf(backend, revision))
  const request = { target: backend.target, args: backend.args as JsonObject }
  const target = await projects.loadTarget(pinned, request, { patience: loadPatience, signal: context.signal })
  if (target === undefined) return loadingProject()
  const name = deploymentKey(context).name
  const verdict = await proveDiscriminator(context, discriminators, target.discriminator, name)
  if (!verdict.ok) return refused(verdict)
  await recordDiscriminator(context, verdict.discriminator)
  return undefined
}

/** With the uid of what was read, the server refuses to write to another object that took its name since. */
async function write(
  context: BackendContext,
  form: KubeObject,
  found: KluctlDeployment | undefined,
): Promise<KluctlDeployment> {
  const uid = found?.object.metadata.uid
  const exact = uid === undefined ? form : { ...form, metadata: { ...form.metadata, uid } }
  try {
    return parseDeployment(
      await context.kube.apply<KubeObject>(exact, {
        fieldManager,
        fieldValidation: 'Strict',
        // The object is ours: a hand that turned prune or delete on must not keep us from turning it off.
        force: true,
        signal: context.signal,
      }),
    )
  } catch (error) {
    throwRefusals([refusalOf(deploymentKey(context), error)])
    throw error
  }
}
