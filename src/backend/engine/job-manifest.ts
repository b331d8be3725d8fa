import { annotations, apiVersion } from '../../api/index.ts'
import { fitName, maxLabel, shortHash } from '../../environment/names.ts'
import { ownLabels } from '../../environment/new-environment.ts'
import type { KubeObject, ObjectKey } from '../../kube/types.ts'
import { ownedSecret } from '../owned-secret.ts'
import { JobPod } from './job-pod.ts'
import type { RunMode } from './outcome.ts'

/** A Job as far as it is read here. */
export interface Job extends KubeObject {
  status?: {
    ready?: number
    conditions?: { type: string; status: string; reason?: string; message?: string }[]
  }
}

/** Which run of which environment a Job is for. */
export interface JobRun {
  readonly mode: RunMode
  readonly digest: string
  readonly projectNamespace: string
  readonly project: string
  readonly environment: { readonly name: string; readonly uid: string }
  readonly serviceAccount: string
  /** How long its objects may take to become ready, in milliseconds. */
  readonly readinessTimeout: number
}

export const jobKind = { apiVersion: 'batch/v1', kind: 'Job' }

/** How long a Job may take besides waiting for what it deploys, in seconds: hooks, and nodes that fetch the image. */
const workSeconds = 30 * 60
/** How long a Job that has ended stays, for its log, in seconds. */
const keepSeconds = 60 * 60
const container = 'offshoot'
const folder = '/etc/offshoot/run'

/** What marks a Job as one of this very run. */
export function runMark({ mode, digest }: Pick<JobRun, 'mode' | 'digest'>): string {
  return `${mode} ${digest}`
}

/** Name of a Job; another one for each attempt. */
export function jobName({ environment, ...run }: JobRun, now: number): string {
  const hash = shortHash([environment.uid, runMark(run), now].join(' '))
  return `${fitName(`offshoot-${environment.name}`, maxLabel - hash.length - 1)}-${hash}`
}

/** Seconds after which Kubernetes ends a Job. */
export function jobDeadline({ readinessTimeout }: Pick<JobRun, 'readinessTimeout'>): number {
  return workSeconds + 2 * Math.ceil(readinessTimeout / 1000)
}

/**
 * The Job that carries a run out, as the environment's own account, in a pod as the installation has it. It goes with
 * the environment at the latest.
 */
export function jobFor(run: JobRun, name: string, image: string, pod: JobPod = JobPod.parse({})): Job {
  const { environment, projectNamespace: namespace, project } = run
  const own = ownLabels({ namespace, name: project }, environment.name)
  return {
    ...jobKind,
    metadata: {
      namespace,
      name,
      labels: own,
      annotations: { [annotations.digest]: runMark(run), [annotations.ownerUid]: environment.uid },
      ownerReferences: [{ apiVersion, kind: 'ReviewEnvironment', ...environment, controller: true }],
    },
    spec: {
      // What failed is tried again by the controller, which knows what is wanted by then.
      backoffLimit: 0,
      activeDeadlineSeconds: jobDeadline(run),
      ttlSecondsAfterFinished: keepSeconds,
      template: { metadata: { labels: own }, spec: podSpec(run.serviceAccount, name, image, pod) },
    },
  }
}

function podSpec(serviceAccountName: string, name: string, image: string, pod: JobPod) {
  const { env, imagePullPolicy, imagePullSecrets, nodeSelector, tolerations, securityContext, resources } = pod
  return {
    serviceAccountName,
    automountServiceAccountToken: true,
    enableServiceLinks: false,
    restartPolicy: 'Never',
    terminationGracePeriodSeconds: 30,
    imagePullSecrets,
    nodeSelector,
    tolerations,
    securityContext: { ...securityContext, runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
    containers: [
      {
        name: container,
        image,
        ...(imagePullPolicy === undefined ? {} : { imagePullPolicy }),
        args: ['run-environment', `--request=${folder}`, '--outcome=/dev/termination-log', '--cache-folder=/cache'],
        env: [{ name: 'HOME', value: '/tmp' }, ...env],
        terminationMessagePath: '/dev/termination-log',
        resources,
        securityContext: {
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          privileged: false,
          capabilities: { drop: ['ALL'] },
        },
        volumeMounts: [
          { name: 'request', mountPath: folder, readOnly: true },
          { name: 'cache', mountPath: '/cache' },
          { name: 'tmp', mountPath: '/tmp' },
        ],
      },
    ],
    volumes: [
      { name: 'request', secret: { secretName: secretName(name) } },
      { name: 'cache', emptyDir: { sizeLimit: '2Gi' } },
      { name: 'tmp', emptyDir: { sizeLimit: '1Gi' } },
    ],
  }
}

/** The policy of config/rbac/admission.yaml lets the controller write Secrets of this beginning alone. */
function secretName(job: string): string {
  return `offshoot-git-run-${job}`
}

/** Key of a Job's Secret. */
export function secretKey({ metadata: { namespace = '', name = '' } }: KubeObject): ObjectKey {
  return { apiVersion: 'v1', kind: 'Secret', namespace, name: secretName(name) }
}

/** The Secret with a Job's request; it goes with the Job. */
export function secretFor(job: Job, data: Record<string, string>): KubeObject {
  return ownedSecret({ ...jobKind, metadata: job.metadata }, secretKey(job).name, {
    labels: job.metadata.labels ?? {},
    data,
  })
}

/** The condition with which a Job has ended. */
export function endOf({ status }: Job) {
  return status?.conditions?.find(({ type, status: is }) => is === 'True' && (type === 'Complete' || type === 'Failed'))
}
