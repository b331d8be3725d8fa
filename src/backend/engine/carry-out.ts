import {
  type ClusterContext,
  deleteObjects,
  deploy,
  unreadyObjects,
  waitUntilReady,
} from '../../engine/cluster/deployment.ts'
import { findRemoteObjects, type RemoteObjects } from '../../engine/cluster/remote-objects.ts'
import type { Unready } from '../../engine/cluster/unready.ts'
import { type Progress, silentProgress } from '../../engine/host.ts'
import type { Manifest } from '../../engine/item.ts'
import { changedObjects } from '../../engine/plan/changes.ts'
import { Obfuscator } from '../../engine/plan/obfuscate.ts'
import { Problems } from '../../engine/plan/problems.ts'
import { formatRef, refOf } from '../../engine/plan/refs.ts'
import type { DeploymentError, ObjectRef } from '../../engine/plan/types.ts'
import { checkConfig } from '../../engine/project/parse.ts'
import { type FixedImage, fixedImage } from '../../engine/project/schema/project.ts'
import { settleNamespaces } from '../../engine/render/namespaces.ts'
import { type Findings, findingsOf } from '../../engine/result/collect.ts'
import { plain } from '../../engine/vars/remote.ts'
import { type RenderedDeployment, renderUntrustedDeployment } from '../../engine/worker/index.ts'
import type { DesiredEngine } from '../../environment/desired.ts'
import type { Clock } from '../../util/clock.ts'
import type { Credential } from '../../util/credential.ts'
import { withDeadline } from '../../util/deadline.ts'
import type { EngineRequest } from '../engine.ts'
import type { ProjectSources } from '../project-source.ts'
import { type AccessOptions, projectAccess } from './access.ts'
import { jobDeadline } from './job-manifest.ts'
import { keepResult } from './keep-result.ts'
import type { EngineOutcome } from './outcome.ts'
import type { RunControls } from './runs.ts'
import { stagesOf } from './stages.ts'

/** What the engine's deployments are made with. */
export interface DeployerOptions extends AccessOptions {
  readonly sources: ProjectSources
  readonly clock: Clock
  /** Between 0 and 1. */
  readonly random: () => number
  /** The cluster's id, for results; empty when it cannot be told. */
  readonly clusterId: () => Promise<string>
}

/**
 * Deploys a Kluctl project, or compares it with what runs: the project's commit is checked out, rendered in a caged
 * worker, and applied as the environment's account; then what the project no longer has is deleted, and all is waited
 * for. What goes wrong with objects is in the outcome.
 * @throws ProjectError, TerminalError, EngineError for a project that cannot be reached or rendered
 */
export function engineDeployer(options: DeployerOptions) {
  return (request: EngineRequest, outer: AbortSignal, controls: RunControls): Promise<EngineOutcome> =>
    // As a Job has one: an object that never goes must not keep a place for ever.
    withDeadline(options.clock, jobDeadline(request.desired) * 1000, outer, signal =>
      deployProject(options, request, signal, controls),
    )
}

async function deployProject(
  options: DeployerOptions,
  request: EngineRequest,
  signal: AbortSignal,
  controls: RunControls,
): Promise<EngineOutcome> {
  const { clock, random, clusterId } = options
  const began = clock.now()
  const fixedImages = fixedImagesOf(request.desired)
  const { rendered, commit } = await renderProject(options, request, fixedImages, signal, controls)
  await controls.claim(rendered.discriminator)
  const { kube, namespace } = request
  const objects = rendered.items.flatMap(item => item.objects)
  await settleNamespaces(objects, kube, signal, namespace)
  const problems = new Problems()
  const hidden = new Obfuscator(rendered.sensitive)
  const step = (what: string) => controls.step(hidden.text(what))
  const context: ClusterContext = { kube, clock, random, progress: stepsOf(step), problems, signal }
  step('looks at what is there')
  const remote = await findRemoteObjects(context, {
    discriminator: rendered.discriminator,
    refs: objects.map(refOf),
    confinedTo: [namespace],
  })
  const { findings, unready, ...counts } = await carryOut(context, request, rendered, remote, step)
  signal.throwIfAborted()
  const { errors, warnings } = problems
  const told = { errors: shown(errors, hidden), warnings: shown(warnings, hidden) }
  if (request.mode === 'compare') return { ...counts, ...told, ...healthOf(unready, hidden) }
  const ended = clock.now()
  const deployment = { rendered, fixedImages, commit, clusterId: await clusterId(), findings, errors, warnings }
  const { id, warning } = await keepResult(request, { ...deployment, began, ended }, signal)
  if (warning !== undefined) told.warnings.push(hidden.text(warning))
  return { ...counts, ...told, ...(id === undefined ? {} : { result: id }) }
}

function fixedImagesOf({ images }: DesiredEngine): FixedImage[] {
  return images.map((image, index) => checkConfig(plain(image), fixedImage, undefined, ['images', index]))
}

async function renderProject(
  { sources, ...options }: DeployerOptions,
  { desired, credential: find, kube }: EngineRequest,
  fixedImages: readonly FixedImage[],
  signal: AbortSignal,
  { step }: RunControls,
): Promise<{ rendered: RenderedDeployment; commit: string }> {
  step('fetches the project')
  const credential: Credential | undefined = await find()
  const project = await sources.pin(desired.source, credential, signal)
  await using files = await sources.checkout(project, signal)
  await using access = projectAccess(options, desired, credential, kube)
  step('renders the project')
  const values = plain(desired.args) as never
  const rendered = await renderUntrustedDeployment(
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
  return { rendered, commit: project.commit }
}

interface CarriedOut extends Pick<EngineOutcome, 'objects' | 'changed' | 'deleted' | 'stages'> {
  /** Of a comparison. */
  readonly unready: readonly Unready[]
  readonly findings: Findings
}

async function carryOut(
  context: ClusterContext,
  { mode, desired }: EngineRequest,
  { items, discriminator }: RenderedDeployment,
  remote: RemoteObjects,
  step: RunControls['step'],
): Promise<CarriedOut> {
  const { problems } = context
  const dryRun = mode === 'compare'
  const rendered = items.flatMap(({ objects }) => objects)
  const count = rendered.length
  step(`${dryRun ? 'compares' : 'applies'} ${count} objects`)
  const { readinessTimeout } = desired
  const result = await deploy(context, items, remote, { dryRun, readinessTimeout })
  const changed = changedObjects({ items, applied: result.applied, remote }, problems)
  const orphans = orphansOf(remote, rendered, discriminator)
  let pruned: readonly ObjectRef[] = []
  // What failed to apply may be what an orphan was replaced by.
  if (desired.prune && problems.errors.length === 0 && orphans.length > 0) {
    step(`deletes ${orphans.length} objects that the project no longer has`)
    pruned = dryRun ? orphans : await deleteObjects(context, orphans, { wait: true })
  }
  if (!dryRun && problems.errors.length === 0) {
    const onProgress = (left: number) => step(`waits until ${left} of ${count} objects are ready`)
    await waitUntilReady(context, result, { timeout: readinessTimeout, onProgress })
  }
  const unready = dryRun ? await unreadyObjects(context, rendered, remote) : []
  return {
    objects: count,
    unready,
    changed: result.created.length + changed.length,
    deleted: result.deleted.length + pruned.length,
    findings: findingsOf({ rendered, remote, result, changed, orphans, pruned }),
    stages: stagesOf(items),
  }
}

function orphansOf(remote: RemoteObjects, rendered: readonly Manifest[], discriminator: string): ObjectRef[] {
  return remote.toDelete({ discriminator, inclusion: () => true, hasTags: false, keep: rendered.map(refOf) })
}

/** Most problems that are made ready to be shown; far fewer ever are. */
const maxShown = 200

function shown(problems: readonly DeploymentError[], hidden: Obfuscator): string[] {
  return problems.map(({ ref, message }, index) => {
    if (index >= maxShown) return 'another one'
    return hidden.text(ref.kind === '' ? message : `${formatRef(ref)}: ${message}`)
  })
}

function healthOf(all: readonly Unready[], hidden: Obfuscator): Pick<EngineOutcome, 'unready' | 'failing'> {
  const [failing, unready] = [true, false].map(failed =>
    shown(
      all.filter(one => one.failed === failed),
      hidden,
    ),
  )
  return { failing, unready }
}

/** What the engine tells of its steps, as the status shows it. */
function stepsOf(step: RunControls['step']): Progress {
  return {
    start: what => {
      step(what)
      return () => undefined
    },
    warn: () => undefined,
    info: step,
  }
}
