import { type ClusterContext, deleteObjects, deploy, waitUntilReady } from '../../engine/cluster/deployment.ts'
import { findRemoteObjects, type RemoteObjects } from '../../engine/cluster/remote-objects.ts'
import { type Progress, silentProgress } from '../../engine/host.ts'
import { changedObjects } from '../../engine/plan/changes.ts'
import { Problems } from '../../engine/plan/problems.ts'
import { formatRef, refOf } from '../../engine/plan/refs.ts'
import type { DeploymentError } from '../../engine/plan/types.ts'
import { checkConfig } from '../../engine/project/parse.ts'
import { fixedImage } from '../../engine/project/schema/project.ts'
import { settleNamespaces } from '../../engine/render/namespaces.ts'
import { plain } from '../../engine/vars/remote.ts'
import { type RenderedDeployment, renderUntrustedDeployment } from '../../engine/worker/index.ts'
import type { Clock } from '../../util/clock.ts'
import type { Credential } from '../../util/credential.ts'
import type { EngineRequest } from '../engine.ts'
import type { ProjectSources } from '../project-source.ts'
import { type AccessOptions, projectAccess } from './access.ts'
import type { EngineOutcome } from './outcome.ts'
import type { RunControls } from './runs.ts'

/** What the engine's deployments are made with. */
export interface DeployerOptions extends AccessOptions {
  readonly sources: ProjectSources
  readonly clock: Clock
  /** Between 0 and 1. */
  readonly random: () => number
}

/**
 * Deploys a Kluctl project, or compares it with what runs: the project's commit is checked out, rendered in a caged
 * worker, and applied as the environment's account; then what the project no longer has is deleted, and all is waited
 * for. What goes wrong with objects is in the outcome.
 * @throws ProjectError, TerminalError, EngineError for a project that cannot be reached or rendered
 */
export function engineDeployer(options: DeployerOptions) {
  return async (request: EngineRequest, signal: AbortSignal, controls: RunControls): Promise<EngineOutcome> => {
    const rendered = await renderProject(options, request, signal, controls)
    await controls.claim(rendered.discriminator)
    const { kube, namespace } = request
    const objects = rendered.items.flatMap(item => item.objects)
    await settleNamespaces(objects, kube, signal, namespace)
    const problems = new Problems()
    const { clock, random } = options
    const progress = stepsOf(controls)
    const context: ClusterContext = { kube, clock, random, progress, problems, signal }
    controls.step('looks at what is there')
    const remote = await findRemoteObjects(context, {
      discriminator: rendered.discriminator,
      refs: objects.map(refOf),
      confinedTo: [namespace],
    })
    const outcome = await carryOut(context, request, rendered, remote, controls)
    signal.throwIfAborted()
    return outcome
  }
}

async function renderProject(
  { sources, ...options }: DeployerOptions,
  { desired, credential: find, kube }: EngineRequest,
  signal: AbortSignal,
  { step }: RunControls,
): Promise<RenderedDeployment> {
  step('fetches the project')
  const credential: Credential | undefined = await find()
  const project = await sources.pin(desired.source, credential, signal)
  await using files = await sources.checkout(project, signal)
  await using access = projectAccess(options, desired, credential, kube)
  step('renders the project')
  const fixedImages = desired.images.map((image, index) =>
    checkConfig(plain(image), fixedImage, undefined, ['images', index]),
  )
  const values = plain(desired.args) as never
  return await renderUntrustedDeployment(
    {
      root: files.root,
      project: files.project,
      flags: { target: desired.target, values, fixedImages },
      access: access.access,
      tools: options.tools,
      progress: silentProgress,
    },
    signal,
  )
}

async function carryOut(
  context: ClusterContext,
  { mode, desired }: EngineRequest,
  { items, discriminator }: RenderedDeployment,
  remote: RemoteObjects,
  { step }: RunControls,
): Promise<EngineOutcome> {
  const { problems } = context
  const dryRun = mode === 'compare'
  const count = items.reduce((sum, { objects }) => sum + objects.length, 0)
  step(`${dryRun ? 'compares' : 'applies'} ${count} objects`)
  const { readinessTimeout } = desired
  const result = await deploy(context, items, remote, { dryRun, readinessTimeout })
  const changed = changedObjects({ items, applied: result.applied, remote }, problems)
  const orphans = desired.prune ? orphansOf(remote, items, discriminator) : []
  let deleted = result.deleted.length
  // What failed to apply may be what an orphan was replaced by.
  if (problems.errors.length === 0 && orphans.length > 0) {
    step(`deletes ${orphans.length} objects that the project no longer has`)
    deleted += dryRun ? orphans.length : (await deleteObjects(context, orphans, { wait: true })).length
  }
  if (!dryRun && problems.errors.length === 0) {
    const onProgress = (left: number) => step(`waits until ${left} of ${count} objects are ready`)
    await waitUntilReady(context, result, { timeout: readinessTimeout, onProgress })
  }
  return {
    objects: count,
    changed: result.created.length + changed.length,
    deleted,
    errors: problems.errors.map(shown),
    warnings: problems.warnings.map(shown),
  }
}

function orphansOf(remote: RemoteObjects, items: RenderedDeployment['items'], discriminator: string) {
  const keep = items.flatMap(({ objects }) => objects.map(refOf))
  return remote.toDelete({ discriminator, inclusion: () => true, hasTags: false, keep })
}

function shown({ ref, message }: DeploymentError): string {
  return ref.kind === '' ? message : `${formatRef(ref)}: ${message}`
}

/** What the engine tells of its steps, as the status shows it. */
function stepsOf({ step }: RunControls): Progress {
  return {
    start: what => {
      step(what)
      return () => undefined
    },
    warn: () => undefined,
    info: step,
  }
}
