import { fieldManager } from '../../api/index.ts'
import type { JsonObject } from '../../engine/values.ts'
import type { KubeClient } from '../../kube/client.ts'
import { KubeError } from '../../kube/errors.ts'
import { type KubeObject, keyOf } from '../../kube/types.ts'
import type { Clock } from '../../util/clock.ts'
import { messageOf, OffshootError } from '../../util/errors.ts'
import type { Logger } from '../../util/log.ts'
import type { EngineRequest } from '../engine.ts'
import { presentable } from '../mask.ts'
import type { ProjectSources } from '../project-source.ts'
import { endOf, type Job, type JobRun, jobDeadline, jobFor, jobName, secretFor, secretKey } from './job-manifest.ts'
import { decodeOutcome } from './job-outcome.ts'
import type { JobPod } from './job-pod.ts'
import { requestData } from './job-request.ts'
import { deleteJob, settleJobs, untilEnded } from './jobs.ts'
import type { EngineOutcome } from './outcome.ts'
import { handingOver, type RunControls } from './runs.ts'

/** What Jobs are made with. */
export interface JobRunnerOptions {
  /** Acts as the controller. */
  readonly kube: KubeClient
  readonly sources: Pick<ProjectSources, 'pin' | 'loadTarget'>
  /** Offshoot's own. */
  readonly image: string
  /** What their pods get besides. */
  readonly pod: JobPod
  /** See `DeployerOptions`. */
  readonly clusterId: () => Promise<string>
  readonly clock: Clock
  readonly log: Logger
}

/** How long a target may take to load before it is asked for again, in milliseconds, and how often it is. */
const loadPatience = 30_000
const loadTries = 20
/** How long past its deadline a Job may take to be seen as ended, in milliseconds. */
const grace = 5 * 60_000
/** How long the end of a Job that nobody wants any more may take to be asked for, in milliseconds. */
const deleteTimeout = 20_000

/**
 * Carries runs out as Jobs of Offshoot's own image. The discriminator is worked out and claimed here, before the Job
 * exists, and the Job deploys with no other. A Job that works on the same run already is waited for instead; one that
 * is not wanted any more is deleted, unless this process is ending: then the next one finds it.
 */
export function jobRunner(options: JobRunnerOptions) {
  return async (request: EngineRequest, signal: AbortSignal, controls: RunControls): Promise<EngineOutcome> => {
    let job = await adopted(options, request, controls, signal)
    try {
      job ??= await create(options, request, controls, signal)
      const { namespace, name } = job.metadata
      controls.announce(`runs as Job ${namespace}/${name}; its log: ${logOf(job)}`)
      const patience = jobDeadline(runOf(request)) * 1000 + grace
      const onLook = (seen: Job) => tellOfPod(options, seen, controls, signal)
      const ended = await untilEnded(options, job, { patience, onLook }, signal)
      const outcome = await outcomeOf(options, ended, signal)
      // The credential in it is of no more use.
      await options.kube.delete(secretKey(job), { signal })
      return { ...outcome, job: name }
    } catch (error) {
      if (signal.aborted && signal.reason !== handingOver && job !== undefined) await abandon(options, job)
      throw error
    }
  }
}

/** A Job that works on this run already. */
async function adopted(
  options: JobRunnerOptions,
  request: EngineRequest,
  { step }: RunControls,
  signal: AbortSignal,
): Promise<Job | undefined> {
  const job = await settleJobs(options, request, step, signal)
  if (job === undefined || (await options.kube.getMetadata(secretKey(job), { signal })) !== undefined) return job
  // Whoever made it was cut off before it had a request: its pod would wait for that in vain.
  await deleteJob(options.kube, job, signal)
  return settleJobs(options, request, step, signal)
}

function runOf(request: EngineRequest): JobRun {
  return { ...request, readinessTimeout: request.desired.readinessTimeout }
}

async function create(
  { kube, sources, image, pod, clusterId, clock }: JobRunnerOptions,
  request: EngineRequest,
  { step, claim }: RunControls,
  signal: AbortSignal,
): Promise<Job> {
  const { mode, desired, revision, digest, namespace, projectNamespace, project, environment } = request
  step('loads the project')
  const credential = await request.credential()
  const pinned = await sources.pin(desired.source, credential, signal)
  const asked = { target: desired.target, args: desired.args as JsonObject }
  let target: Awaited<ReturnType<typeof sources.loadTarget>>
  for (let tries = 0; target === undefined && tries < loadTries; tries++) {
    target = await sources.loadTarget(pinned, asked, { patience: loadPatience, signal })
  }
  if (target === undefined) throw new OffshootError('the project takes too long to load')
  const { discriminator } = target
  await claim(discriminator)
  // The very commit that the discriminator was read from.
  const source = { ...desired.source, ref: { commit: pinned.commit } }
  const data = requestData(
    {
      mode,
      desired: { ...desired, source },
      revision,
      digest,
      namespace,
      projectNamespace,
      project,
      environment,
      discriminator,
      clusterId: await clusterId(),
    },
    credential,
  )
  const run = runOf(request)
  step('makes a Job')
  const job = await createJob(kube, jobFor(run, jobName(run, clock.now()), image, pod), signal)
  try {
    await kube.apply(secretFor(job, data), { fieldManager, force: true, signal })
  } catch (error) {
    // Its pod would wait for it in vain.
    await deleteJob(kube, job, AbortSignal.timeout(deleteTimeout))
    throw error
  }
  return job
}

async function createJob(kube: KubeClient, job: Job, signal: AbortSignal): Promise<Job> {
  try {
    return await kube.create<Job>(job, { fieldManager, signal })
  } catch (error) {
    if (!(error instanceof KubeError && error.isForbidden) || error.isNamespaceTerminating) throw error
    const { namespace } = job.metadata
    const message = `Offshoot may not run Jobs in namespace ${namespace}: it needs \`offshoot install --project-namespace ${namespace}\` of this version`
    throw new OffshootError(message, { cause: error })
  }
}

interface ContainerState {
  waiting?: { reason?: string; message?: string }
  terminated?: { reason?: string; exitCode?: number; message?: string }
}

interface Pod extends KubeObject {
  status?: {
    reason?: string
    message?: string
    conditions?: { type: string; status: string; reason?: string; message?: string }[]
    containerStatuses?: { state?: ContainerState }[]
  }
}

/** The Job's pods: found by its uid, which nobody else's have. */
async function podsOf({ kube }: JobRunnerOptions, { metadata }: Job, signal: AbortSignal): Promise<Pod[]> {
  const { namespace, uid } = metadata
  const labelSelector = `batch.kubernetes.io/controller-uid=${uid}`
  const { items } = await kube.list<Pod>({ apiVersion: 'v1', kind: 'Pod' }, { namespace, labelSelector, signal })
  return items
}

/** Tells what keeps the Job's pod from beginning, such as an image that cannot be fetched. */
async function tellOfPod(
  options: JobRunnerOptions,
  job: Job,
  { step }: RunControls,
  signal: AbortSignal,
): Promise<void> {
  const { namespace, name } = job.metadata
  const base = `Job ${namespace}/${name}`
  if ((job.status?.ready ?? 0) > 0) return step(`runs as ${base}; its log: ${logOf(job)}`)
  for (const { status } of await podsOf(options, job, signal)) {
    const { waiting } = status?.containerStatuses?.[0]?.state ?? {}
    const unscheduled = status?.conditions?.find(({ type, status: is }) => type === 'PodScheduled' && is === 'False')
    const { reason, message } = waiting ?? unscheduled ?? {}
    if (reason !== undefined) step(`${base} waits for its pod: ${reason}${message === undefined ? '' : `: ${message}`}`)
  }
}

async function outcomeOf(options: JobRunnerOptions, job: Job, signal: AbortSignal): Promise<EngineOutcome> {
  const pods = await podsOf(options, job, signal)
  const ends = pods.map(({ status }) => status?.containerStatuses?.[0]?.state?.terminated)
  for (const end of ends) {
    const outcome = decodeOutcome(end?.message ?? '')
    if (outcome !== undefined) return outcome
  }
  const [end] = ends.filter(each => each !== undefined)
  const how =
    end === undefined ? undefined : `${end.reason ?? 'ended'}, exit code ${end.exitCode ?? '?'}: ${end.message ?? ''}`
  const evicted = pods.find(({ status }) => status?.reason !== undefined)?.status
  const { reason, message = '' } = evicted ?? endOf(job) ?? {}
  const text = presentable([`it ended without a result (${reason}: ${message})`, how ?? ''].join(' '))
  throw new OffshootError(`Job ${job.metadata.name}: ${text}; its log: ${logOf(job)}`)
}

/** Asks for the end of a Job; who comes next waits until it has ended, and asks again if this failed. */
async function abandon({ kube, log }: JobRunnerOptions, job: Job): Promise<void> {
  try {
    await deleteJob(kube, job, AbortSignal.timeout(deleteTimeout))
  } catch (error) {
    log.warn({ job: keyOf(job), error: messageOf(error) }, 'a Job that is not wanted any more could not be deleted')
  }
}

/** Where people find what a Job has written. */
function logOf({ metadata: { namespace, name } }: Job): string {
  return logCommand(namespace ?? '', name ?? '')
}

/** The command that shows a Job's log. */
export function logCommand(namespace: string, job: string): string {
  return `kubectl logs -n ${namespace} job/${job}`
}
