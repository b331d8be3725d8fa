import { annotations, labels, type ReviewEnvironment } from '../../api/index.ts'
import { labelValue } from '../../environment/names.ts'
import type { KubeClient } from '../../kube/client.ts'
import { KubeConnectionError, KubeError } from '../../kube/errors.ts'
import { type KubeObject, keyOf } from '../../kube/types.ts'
import type { Clock } from '../../util/clock.ts'
import { OffshootError } from '../../util/errors.ts'
import { endOf, type Job, type JobRun, jobKind, runMark } from './job-manifest.ts'

type Owner = Pick<JobRun, 'projectNamespace' | 'environment'>

/** Whose Jobs are meant. */
export function ownerOf({ metadata: { namespace, name, uid = '' } }: ReviewEnvironment): Owner {
  return { projectNamespace: namespace, environment: { name, uid } }
}

/** How long a Job that is being deleted is waited for, and between two looks at it, in milliseconds. */
const endPatience = 10 * 60_000
const endInterval = 1_000
/** Seconds after which a Job is looked at although nothing was heard of it. */
const watchSeconds = 30

/** The Jobs of an environment, newest first. */
export async function listJobs(
  kube: Pick<KubeClient, 'list'>,
  { projectNamespace: namespace, environment }: Owner,
  signal: AbortSignal,
): Promise<Job[]> {
  const labelSelector = `${labels.environment}=${labelValue(environment.name)}`
  const { items } = await kube.list<Job>(jobKind, { namespace, labelSelector, signal })
  return items
    .filter(({ metadata }) => metadata.annotations?.[annotations.ownerUid] === environment.uid)
    .sort((a, b) => (b.metadata.creationTimestamp ?? '').localeCompare(a.metadata.creationTimestamp ?? ''))
}

/** Deletes a Job, which is there until its pod is gone. Gives it as long as something holds it. */
export async function deleteJob(
  kube: Pick<KubeClient, 'delete'>,
  job: Job,
  signal: AbortSignal,
): Promise<KubeObject | undefined> {
  const { uid } = job.metadata
  if (job.metadata.deletionTimestamp !== undefined) return job
  return kube.delete(keyOf(job), { ...(uid === undefined ? {} : { uid }), propagation: 'Foreground', signal })
}

/** Begins to delete all Jobs of an environment; gives those that are still there. */
export async function removeJobs(
  kube: Pick<KubeClient, 'list' | 'delete'>,
  owner: Owner,
  signal: AbortSignal,
): Promise<KubeObject[]> {
  let jobs: Job[]
  try {
    jobs = await listJobs(kube, owner, signal)
  } catch (error) {
    // Without these rights there are no Jobs, or their namespace is going away, with them and their account.
    if (error instanceof KubeError && error.isForbidden) return []
    throw error
  }
  const left = await Promise.all(jobs.map(job => deleteJob(kube, job, signal)))
  return left.filter(job => job !== undefined)
}

/**
 * Makes way for a run: gives the Job that carries it out already, else ends every other one and comes back when none
 * works any more. Of those that have ended the last one stays, for its log.
 * @throws OffshootError for a Job that does not end
 */
export async function settleJobs(
  { kube, clock }: { kube: Pick<KubeClient, 'list' | 'delete'>; clock: Clock },
  run: Owner & Pick<JobRun, 'mode' | 'digest'>,
  step: (what: string) => void,
  signal: AbortSignal,
): Promise<Job | undefined> {
  const giveUp = clock.now() + endPatience
  for (;;) {
    const jobs = await listJobs(kube, run, signal)
    const working = jobs.filter(job => endOf(job) === undefined)
    const own = working.find(
      ({ metadata }) =>
        metadata.annotations?.[annotations.digest] === runMark(run) && metadata.deletionTimestamp === undefined,
    )
    const old = jobs.filter(job => endOf(job) !== undefined).slice(1)
    const others = working.filter(job => job !== own)
    const left = await Promise.all([...old, ...others].map(job => deleteJob(kube, job, signal)))
    const [held] = left.slice(old.length).filter(job => job !== undefined)
    if (held === undefined) return own
    const name = `Job ${held.metadata.namespace}/${held.metadata.name}`
    if (clock.now() >= giveUp) throw new OffshootError(`${name} is being deleted and does not end`)
    step(`waits until ${name} has ended`)
    await clock.sleep(endInterval, signal)
  }
}

/**
 * Comes back when a Job has ended; `onLook` is given it as it is until then.
 * @throws OffshootError when it is gone, or works on past `patience` milliseconds
 */
export async function untilEnded(
  { kube, clock }: { kube: Pick<KubeClient, 'get' | 'watch'>; clock: Clock },
  job: Job,
  { patience, onLook }: { patience: number; onLook: (job: Job) => Promise<void> },
  signal: AbortSignal,
): Promise<Job> {
  const giveUp = clock.now() + patience
  const name = `Job ${job.metadata.namespace}/${job.metadata.name}`
  for (;;) {
    try {
      const seen = await kube.get<Job>(keyOf(job), { signal })
      if (seen === undefined || seen.metadata.uid !== job.metadata.uid) {
        throw new OffshootError(`${name} was deleted before it had ended`)
      }
      if (endOf(seen) !== undefined) return seen
      await onLook(seen)
      await untilChanged(kube, seen, signal)
    } catch (error) {
      const isExpired = error instanceof KubeError && error.isExpired
      if (!(error instanceof KubeConnectionError || isExpired) || signal.aborted) throw error
      // The Job works on meanwhile.
      await clock.sleep(endInterval, signal)
    }
    if (clock.now() >= giveUp) throw new OffshootError(`${name} works on past its deadline`)
  }
}

async function untilChanged(kube: Pick<KubeClient, 'watch'>, job: Job, signal: AbortSignal): Promise<void> {
  const { namespace, name, resourceVersion = '' } = job.metadata
  const events = await kube.watch<Job>(jobKind, {
    namespace,
    fieldSelector: `metadata.name=${name}`,
    resourceVersion,
    timeoutSeconds: watchSeconds,
    signal,
  })
  for await (const { type } of events) if (type !== 'BOOKMARK') return
}
