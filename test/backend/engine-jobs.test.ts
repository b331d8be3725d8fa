import { describe, expect, it } from 'vitest'
import { type Job, type JobRun, jobFor, jobName, secretFor } from '../../src/backend/engine/job-manifest.ts'
import { decodeOutcome, encodeOutcome } from '../../src/backend/engine/job-outcome.ts'
import { JobPod } from '../../src/backend/engine/job-pod.ts'
import { JobRequest, parseRequestFile, requestData } from '../../src/backend/engine/job-request.ts'
import { settleJobs } from '../../src/backend/engine/jobs.ts'
import { parseServeSettings } from '../../src/cli/serve-settings.ts'
import type { KubeClient } from '../../src/kube/client.ts'
import { systemClock } from '../../src/util/clock.ts'

const run: JobRun = {
  mode: 'deploy',
  digest: 'd'.repeat(64),
  projectNamespace: 'team',
  project: 'shop',
  environment: { name: 'shop-pr-1', uid: 'u-1' },
  serviceAccount: 'offshoot-shop-pr-1',
  readinessTimeout: 600_000,
}

/** A Job of the run as the cluster has it. */
function live(change: Partial<JobRun> & { name: string; created?: string; ended?: boolean; deleted?: boolean }): Job {
  const { name, created = '2026-01-01T00:00:00Z', ended = false, deleted = false, ...rest } = change
  const job = jobFor({ ...run, ...rest }, name, 'image')
  Object.assign(job.metadata, { uid: name, creationTimestamp: created })
  if (deleted) job.metadata.deletionTimestamp = created
  return { ...job, status: { conditions: ended ? [{ type: 'Failed', status: 'True' }] : [] } }
}

/** A cluster with these Jobs, in which a delete takes until the next look. */
function cluster(...jobs: Job[]) {
  const deleted: string[] = []
  let there = jobs
  const kube = {
    list: async () => {
      const items = there
      there = there.filter(
        ({ metadata }) => !deleted.includes(metadata.name ?? '') && metadata.deletionTimestamp === undefined,
      )
      return { items, resourceVersion: '1' }
    },
    delete: async (key: { name: string }) => {
      deleted.push(key.name)
      return jobs.find(({ metadata }) => metadata.name === key.name)
    },
  } as unknown as KubeClient
  const clock = { now: () => systemClock.now(), sleep: () => Promise.resolve() }
  const settle = () => settleJobs({ kube, clock }, run, () => undefined, new AbortController().signal)
  return { deleted, settle }
}

describe('the Job of a run', () => {
  it('works as the environment’s account, confined, bounded, once, and goes with the environment', () => {
    const job = jobFor(run, jobName(run, 1), 'registry.example.com/offshoot:1')
    expect(job.metadata).toMatchObject({
      namespace: 'team',
      labels: { 'offshoot.dev/environment': 'shop-pr-1', 'app.kubernetes.io/managed-by': 'offshoot' },
      ownerReferences: [{ kind: 'ReviewEnvironment', name: 'shop-pr-1', uid: 'u-1' }],
    })
    expect(job.spec).toMatchObject({
      backoffLimit: 0,
      activeDeadlineSeconds: 3000,
      ttlSecondsAfterFinished: 3600,
      template: {
        metadata: { labels: { 'offshoot.dev/environment': 'shop-pr-1' } },
        spec: {
          serviceAccountName: 'offshoot-shop-pr-1',
          restartPolicy: 'Never',
          securityContext: { runAsNonRoot: true },
          containers: [
            {
              image: 'registry.example.com/offshoot:1',
              resources: { limits: { cpu: '2', memory: '2Gi' } },
              securityContext: {
                allowPrivilegeEscalation: false,
                readOnlyRootFilesystem: true,
                capabilities: { drop: ['ALL'] },
              },
            },
          ],
        },
      },
    })
  })

  it('gets what the installation knows, and nothing takes away what confines it', () => {
    const pod = JobPod.parse({
      env: [{ name: 'HTTPS_PROXY', value: 'http://proxy.example.com:3128' }],
      imagePullPolicy: 'Always',
      imagePullSecrets: [{ name: 'pull' }],
      nodeSelector: { pool: 'review' },
      tolerations: [{ key: 'dedicated', operator: 'Exists' }],
      securityContext: { runAsUser: 1234, fsGroup: 1234 },
      resources: { limits: { memory: '8Gi' } },
    })
    const { spec } = jobFor(run, 'j', 'image', pod) as unknown as { spec: { template: { spec: object } } }
    expect(spec.template.spec).toMatchObject({
      imagePullSecrets: [{ name: 'pull' }],
      nodeSelector: { pool: 'review' },
      tolerations: [{ key: 'dedicated', operator: 'Exists' }],
      securityContext: {
        runAsUser: 1234,
        fsGroup: 1234,
        runAsNonRoot: true,
        seccompProfile: { type: 'RuntimeDefault' },
      },
      containers: [
        {
          imagePullPolicy: 'Always',
          env: [
            { name: 'HOME', value: '/tmp' },
            { name: 'HTTPS_PROXY', value: 'http://proxy.example.com:3128' },
          ],
          resources: { limits: { memory: '8Gi' } },
          securityContext: { readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } },
        },
      ],
    })
  })

  it.each([
    [{ securityContext: { runAsUser: 0 } }, 'securityContext.runAsUser'],
    [{ securityContext: { privileged: true } }, 'privileged'],
    [{ env: [{ name: 'A', valueFrom: {} }] }, 'valueFrom'],
    [{ env: [{ name: 'HOME', value: '/' }] }, 'a HOME of their own'],
    [
      {
        env: [
          { name: 'A', value: '' },
          { name: 'A', value: '' },
        ],
      },
      'each variable once',
    ],
    [{ resources: { limits: { memory: 'much' } } }, 'a quantity such as 500m'],
    [{ tolerations: [{ operator: 'Sometimes' }] }, 'tolerations.0.operator'],
    [{ volumes: [] }, 'volumes'],
  ])('%j are refused as settings of an installation', (pod, complaint) => {
    expect(() => parseServeSettings({ runnerPod: JSON.stringify(pod) }, {})).toThrow(complaint)
    expect(() => parseServeSettings({}, { OFFSHOOT_RUNNER_POD: '{' })).toThrow('expected JSON')
  })

  it('has a name that fits a label, and another one at each attempt', () => {
    const long = { ...run, environment: { name: 'x'.repeat(63), uid: 'u' } }
    expect(jobName(long, 1).length).toBeLessThanOrEqual(63)
    expect(jobName(long, 1)).not.toBe(jobName(long, 2))
  })

  it('has its request and credential in a Secret of its own, and of a GitHub App never the key', () => {
    const job = live({ name: 'j' })
    const request = {
      ...run,
      desired: desired(),
      revision: 'a',
      namespace: 'shop-pr-1',
      discriminator: 'shop-1',
      clusterId: 'c',
    }
    const { readinessTimeout: _timeout, serviceAccount: _account, ...rest } = request
    const data = requestData(rest, { token: 'hunter2', origin: 'x' })
    const secret = secretFor(job, data)
    expect(secret.metadata).toMatchObject({ name: 'offshoot-git-run-j', ownerReferences: [{ kind: 'Job', uid: 'j' }] })
    const text = (name: string) => Buffer.from(data[name] ?? '', 'base64').toString()
    expect(parseRequestFile(JobRequest, 'request.json', text('request.json'))).toEqual(rest)
    expect(JSON.parse(text('credential.json'))).toEqual({ token: 'hunter2' })
    expect(JSON.stringify(job)).not.toContain('hunter2')
    expect(() => requestData(rest, { app: { id: '1', privateKey: 'key' } })).toThrow('stays with the controller')
    expect(() => parseRequestFile(JobRequest, 'request.json', '{"mode":"deploy"}')).toThrow('discriminator')
  })
})

describe('the outcome of a Job', () => {
  const counts = { objects: 3, changed: 2, deleted: 1 }

  it('comes through a termination message', () => {
    const outcome = { ...counts, errors: ['ConfigMap/a: refused'], warnings: ['old'], result: 'r-1' }
    expect(decodeOutcome(encodeOutcome(outcome))).toEqual(outcome)
    const compared = { ...counts, errors: [], warnings: [], unready: ['Pod/a: not ready'], failing: ['Job/b: failed'] }
    expect(decodeOutcome(encodeOutcome(compared))).toEqual(compared)
    expect(decodeOutcome('killed')).toBeUndefined()
    expect(decodeOutcome('{"objects": "many"}')).toBeUndefined()
  })

  it('is cut to what Kubernetes keeps, errors last, and says that there was more', () => {
    const many = (what: string) => Array.from({ length: 200 }, (_, i) => `${what} ${i} ${'ü'.repeat(2000)}`)
    const text = encodeOutcome({ ...counts, errors: many('error'), warnings: many('warning'), unready: many('pod') })
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(4096)
    const outcome = decodeOutcome(text)
    expect(outcome).toMatchObject(counts)
    expect(outcome?.errors[0]).toMatch(/^error 0/)
    expect(outcome?.unready?.[0]).toMatch(/^pod 0/)
    expect(outcome?.errors.at(-1)).toMatch(/^and \d+ more$/)
  })

  it('holds no credential', () => {
    expect(encodeOutcome({ ...counts, errors: ['password: hunter2'], warnings: [] })).not.toContain('hunter2')
  })
})

describe('before a run begins', () => {
  it('a Job that works on it already is taken over, by a controller that has just started too', async () => {
    const { settle, deleted } = cluster(live({ name: 'own' }))
    expect((await settle())?.metadata.name).toBe('own')
    expect(deleted).toEqual([])
  })

  it('Jobs of another commit, mode or moment end first', async () => {
    const { settle, deleted } = cluster(
      live({ name: 'older', digest: 'e'.repeat(64) }),
      live({ name: 'comparison', mode: 'compare' }),
      live({ name: 'going', deleted: true }),
    )
    expect(await settle()).toBeUndefined()
    expect([...new Set(deleted)].sort()).toEqual(['comparison', 'older'])
  })

  it('a Job of an environment that had the same name is none of its business', async () => {
    const other = live({ name: 'other', environment: { name: 'shop-pr-1', uid: 'u-0' } })
    const { settle, deleted } = cluster(other)
    expect(await settle()).toBeUndefined()
    expect(deleted).toEqual([])
  })

  it('the last one that has ended stays, for its log', async () => {
    const { settle, deleted } = cluster(
      live({ name: 'last', ended: true, created: '2026-01-01T00:02:00Z' }),
      live({ name: 'first', ended: true, created: '2026-01-01T00:01:00Z' }),
    )
    expect(await settle()).toBeUndefined()
    expect(deleted).toEqual(['first'])
  })
})

function desired() {
  return {
    kind: 'engine' as const,
    source: { url: 'https://git.example.com/shop.git', path: '', ref: { commit: 'a' }, ownRepository: true },
    target: 'preview',
    args: { version: 'a', deep: { list: [1] } },
    images: [],
    prune: true,
    interval: 1,
    readinessTimeout: 1,
    keepResults: 5,
    allow: { vars: [], urls: [] },
    runner: 'job' as const,
  }
}
